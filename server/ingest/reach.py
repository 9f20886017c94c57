"""Where a thread that opens a source may connect to: the one address that was checked, and no other.

FFmpeg follows an RTSP redirect by itself. So the process is started again with `reach.c` before the C
library, and each thread says where it may reach before it opens anything.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

AGAIN = "--confined"  # it was started again already
NOWHERE = "100::"  # what is sent there is discarded (RFC 6666)
_MODULE = "server.ingest._reach"


class NotConfined(Exception):
    """The compiled part is missing: no source may be opened."""


def confine(module: str, arguments: Sequence[str]) -> None:
    """Start this process again as `python -m module arguments`, confined; returns where it is so already.
    NotConfined where it cannot be."""
    if is_confined():
        return
    found = importlib.util.find_spec(_MODULE)
    if found is None or found.origin is None or AGAIN in arguments:
        raise NotConfined(f"{_MODULE} is not built or not loaded: run `make setup`")
    os.putenv("LD_PRELOAD", found.origin)
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments, AGAIN])


def is_confined() -> bool:
    return hasattr(ctypes.CDLL(None), "lianke_reach_only")


@contextmanager
def only(host: str) -> Iterator[None]:
    """This thread connects to this numeric address alone until the end of the block, where the process is
    confined."""
    if not is_confined():
        yield
        return
    reach = ctypes.CDLL(None).lianke_reach_only
    reach(host.partition("%")[0].encode())
    try:
        yield
    finally:
        reach(b"")
