"""One line a record: when (UTC), which process, what happened, then which lesson and why."""

from __future__ import annotations

import logging
import time

ABOUT = ("lesson", "track", "reason", "bytes")


class _Line(logging.Formatter):
    converter = time.gmtime  # type: ignore[assignment]

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        about = {k: v for k, v in vars(record).items() if k in ABOUT}
        return " ".join([line, *(f"{key}={value}" for key, value in about.items())])


def set_up(process: str) -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler()
    form = f"%(asctime)s.%(msecs)03dZ %(levelname)s {process} %(name)s %(message)s"
    handler.setFormatter(_Line(form, "%Y-%m-%dT%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
