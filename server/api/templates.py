"""What each kind of lesson lets whom do, as the program has it: read, not changed."""

from __future__ import annotations

from aiohttp import web

from server.api.guarding import answer
from server.api.rights import Action, require
from server.domain.template import TEMPLATES
from server.protocol.timetable import TemplateView


async def list_templates(request: web.Request) -> web.Response:
    """Six, in the order in which a lesson's form offers them."""
    require(request, Action.READ_TIMETABLE)
    return answer(
        [
            TemplateView(
                template,
                rooms_send=sorted(rules.rooms_send),
                open_voices=rules.open_voices,
                recorded=sorted(rules.recorded),
                recordable=sorted(rules.recordable),
                visible=rules.visible.value,
                counts=rules.counts,
            )
            for template, rules in TEMPLATES.items()
        ]
    )


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/timetable/kinds", list_templates)]
