"""What stands in words beside a recording that is made, said anew: the manifest's title, and what campus put
there. Its pictures and sound, its journal and all figures stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from recorder.archive.layout import ABOUT, ABOUT_AT_MOST
from recorder.archive.manifest import BadManifest, read_manifest, write_manifest, write_whole

About = dict[str, object]


def reword(folder: Path, title: Callable[[str], str], about: Callable[[About], About]) -> None:
    """Write what these say in place of what is there; what is missing or cannot be read is left. OSError."""
    if not folder.is_dir():
        return
    kept = _about(folder)
    if kept is not None and (said := about(kept)) != kept:
        write_whole(folder / ABOUT, msgspec.json.encode(said), durable=True)
    try:
        manifest = read_manifest(folder)
    except BadManifest:
        return
    if (new := title(manifest.title)) != manifest.title:
        write_manifest(folder, msgspec.structs.replace(manifest, title=new), durable=True)


def _about(folder: Path) -> About | None:
    try:
        with (folder / ABOUT).open("rb") as file:
            return msgspec.json.decode(file.read(ABOUT_AT_MOST), type=About)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
