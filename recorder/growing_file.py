"""A media file that grows, and that a later writer of the same bytes may go over again."""

from __future__ import annotations

import io
import os
from pathlib import Path


class GrowingFile(io.RawIOBase):
    """A file opened inside its folder without following links, kept as it is and written over. What lies
    before `known` is there already: it is counted, not written."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(path, flags, 0o640)
        self._at = 0
        self._held = os.fstat(self._fd).st_size  # by an earlier writer
        self.known = 0
        self.size = 0  # what was written this time

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        written = min(max(self.known - self._at, 0), len(view))
        if written < len(view) and self._has(view[written:], self._at + written):
            written = len(view)
        while written < len(view):
            written += os.pwrite(self._fd, view[written:], self._at + written)
        self._at += written
        self.size = max(self.size, self._at)
        return written

    def _has(self, view: memoryview, at: int) -> bool:
        """An earlier writer wrote the same there: nothing to be put on the disk again."""
        return at + len(view) <= self._held and os.pread(self._fd, len(view), at) == view

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, self.size)[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        data = os.pread(self._fd, self.size if size < 0 else size, self._at)
        self._at += len(data)
        return data

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def finish(self) -> None:
        """Nothing of an earlier, longer file stays behind."""
        os.ftruncate(self._fd, self.size)
        os.fdatasync(self._fd)

    def close(self) -> None:
        if not self.closed:
            os.close(self._fd)
        super().close()
