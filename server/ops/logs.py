"""One line a record: time, level, process, where, message, fields. Private values are redacted by type.

`log.info("peer gone", extra=fields(lesson=lesson, peer=peer, address=Private("address", ip)))`
A `Private` shows its kind and four characters that tell it from another within one process' life; never
its value. Line breaks in a message are escaped, so no peer can write a line of its own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import sys
import time
from typing import TextIO

_SALT = secrets.token_bytes(16)
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Private:
    """A name, token or address: `kind` may be told, `value` never."""

    __slots__ = ("_shown",)

    def __init__(self, kind: str, value: object) -> None:
        digest = hashlib.blake2b(str(value).encode(), key=_SALT, digest_size=2).hexdigest()
        self._shown = f"<{kind} {digest}>"

    def __str__(self) -> str:
        return self._shown

    __repr__ = __str__


def fields(**values: object) -> dict[str, dict[str, object]]:
    """The `extra` of a log call: what the line is about (lesson, peer, ...)."""
    return {"fields": values}


def _fields_of(record: logging.LogRecord) -> dict[str, str]:
    found = getattr(record, "fields", None)
    return {key: str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n") if "\n" in text or (
        "\r" in text) else text  # fmt: skip


def _stamp(record: logging.LogRecord) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{whole}.{int(record.msecs):03d}Z"


class TextLine(logging.Formatter):
    """`2026-09-01T08:00:00.123Z INFO campus live.room opened lesson=L...`, then any traceback, escaped."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        parts = [_stamp(record), record.levelname, self._process, record.name, record.getMessage()]
        parts += [f"{key}={value}" for key, value in _fields_of(record).items()]
        if record.exc_info:
            parts.append(self.formatException(record.exc_info))
        return _one_line(" ".join(parts))


class JsonLine(logging.Formatter):
    """The same as one JSON object."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "at": _stamp(record),
            "level": record.levelname.lower(),
            "process": self._process,
            "where": record.name,
            "message": record.getMessage(),
            **_fields_of(record),
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def set_up(process: str, level: str, form: str, stream: TextIO | None = None) -> None:
    """Send every record of this process to `stream` (standard error), once."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLine(process) if form == "json" else TextLine(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for chatty in ("aiosqlite", "alembic", "asyncio", "aioice"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, _LEVELS[level]))
