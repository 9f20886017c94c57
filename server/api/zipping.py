"""A zip file as it is being sent: stored, not compressed (media is), nothing kept on disk or in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from typing_extensions import Buffer

PIECE = 1 << 20


class _Sink(io.RawIOBase):
    """Takes what is written until somebody fetches it."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        view = memoryview(data)
        self._held += view
        return view.nbytes

    def taken(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def zip_pieces(entries: Iterable[tuple[str, Path | bytes]]) -> Iterator[bytes]:
    """The bytes of a zip file with these names, about PIECE at a time. A file that is gone is left out. Each
    piece reads the disk: blocking."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, content in entries:
            if isinstance(content, bytes):
                archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
                continue
            try:
                source = content.open("rb")
            except OSError:
                continue
            with (
                source,
                archive.open(zipfile.ZipInfo.from_file(content, name), "w", force_zip64=True) as place,
            ):
                while piece := source.read(PIECE):
                    place.write(piece)
                    yield sink.taken()
            yield sink.taken()
    yield sink.taken()
