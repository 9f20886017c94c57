"""What each room of a lesson received: spans with their sides, and sums, as they were stored in it."""

from __future__ import annotations

from aiohttp import web

from server.api.catalogued import require_row
from server.api.guarding import answer
from server.api.keys import SPANS, STORE
from server.api.rights import Action
from server.domain.reception import Kind, Reception
from server.protocol.devices import ReceptionRow, SpanRow


def row_of(one: Reception) -> ReceptionRow:
    """Milliseconds become seconds, spans their sums."""
    here = one.here
    heard = [span for span in one.spans if span.delay_ms]
    return ReceptionRow(
        room=one.room,
        joined_at=here[0] if here else None,
        left_at=here[1] if here else None,
        picture_s=_seconds(one.ms(Kind.PICTURE, Kind.SILENT)),
        sound_s=_seconds(one.ms(Kind.SOUND)),
        broadcast_s=_seconds(one.ms(Kind.BROADCAST)),
        hole_s=_seconds(one.ms(Kind.HOLE)),
        freeze_s=_seconds(sum(span.freeze_ms for span in one.spans)),
        concealed_s=_seconds(sum(span.concealed_ms for span in one.spans)),
        talk_s=_seconds(one.talk_ms),
        delay_ms=round(sum(span.delay_ms for span in heard) / len(heard)) if heard else 0,
        height=max((span.height for span in one.spans), default=0),
        heads=one.heads,
        spans=[SpanRow(span.since, span.until, span.kind, span.side, span.cause) for span in one.spans],
    )


def _seconds(ms: int) -> float:
    return round(ms / 1000, 1)


async def read_receptions(request: web.Request) -> web.Response:
    """Every room of the lesson that was due."""
    row, actor = await require_row(request, Action.READ_RECEIPT)
    await request.app[STORE].audit(actor.name, Action.READ_RECEIPT, row.overview.lesson.id)
    found = await request.app[SPANS].of(row.overview.lesson.id)
    return answer([row_of(one) for one in found])


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/lessons/{lesson}/receptions", read_receptions)]
