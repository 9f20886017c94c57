"""Puts the relay built under ASan and UBSan (`make fuzz`) in the place of the usual one.

A pytest plugin (`-p tests.fuzz.sanitized`) and an import of `tests.fuzz.run`; LIANKE_SANITIZED is the folder
of the build. Must come before anything of `server.media.relay`; libasan must be preloaded.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

NAME = "server.media.relay.relay"


def load(folder: Path) -> None:
    """The one extension of that folder, as `server.media.relay.relay`."""
    assert NAME not in sys.modules
    (found,) = folder.glob("server/media/relay/relay.*.so")
    spec = importlib.util.spec_from_file_location(NAME, found)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)


if where := os.environ.get("LIANKE_SANITIZED"):
    load(Path(where))
