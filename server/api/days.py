"""Days as the API writes them."""

from __future__ import annotations

from datetime import date

from aiohttp import web

from server.api.keys import STORE
from server.errors import UserFault


def day_of(request: web.Request, text: str | None) -> date:
    """A day of the body or query; the county's today where none is said. UserFault "bad_day"."""
    if not text:
        return request.app[STORE].county.today()
    try:
        if len(text) != 10:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError as error:
        raise UserFault("bad_day", zh="日期应写成 2026-09-01。", en="Write days like 2026-09-01.") from error
