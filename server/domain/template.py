"""The kinds of lesson and what each brings: who may talk, be seen, what is recorded, who may watch it (pure).

A template is a beginning: the teacher may still choose within it what is recorded and whose voice is open.
What it forbids (a room's camera in a broadcast) stays forbidden for that lesson.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.domain.visibility import Visibility
from server.protocol.capture import OF_ROOMS, USUAL, Recordable
from server.protocol.parameters import Source
from server.protocol.timetable import Template

TEACHING = frozenset({Source.CAMERA, Source.CAMERA2, Source.SCREEN, Source.VOICE})


@dataclass(frozen=True, slots=True)
class TemplateRules:
    """`rooms_send`: what a receiving room may send at all; `open_voices`: every room is heard from the start,
    as far as there are places; `recorded`: what is written unless the teacher chooses otherwise among
    `recordable`; `boxes`: which cameras and encoders of the main
    room start by themselves; `visible`: who may watch the recording; `counts`: whether it counts as a lesson
    given."""

    rooms_send: frozenset[Source] = frozenset({Source.CAMERA, Source.VOICE})
    open_voices: bool = False
    recorded: frozenset[Recordable] = USUAL
    recordable: frozenset[Recordable] = frozenset(Recordable)
    boxes: frozenset[Source] = TEACHING
    visible: Visibility = Visibility.ROOM
    counts: bool = True


TEMPLATES: Mapping[Template, TemplateRules] = {
    Template.SHARED: TemplateRules(),
    Template.MASTER: TemplateRules(rooms_send=frozenset({Source.VOICE}), visible=Visibility.COUNTY),
    Template.MENTORING: TemplateRules(open_voices=True, visible=Visibility.SCHOOL),
    Template.CLASS_MEETING: TemplateRules(open_voices=True, recorded=frozenset()),
    Template.RESEARCH: TemplateRules(open_voices=True, recorded=USUAL | OF_ROOMS, visible=Visibility.GROUP),
    Template.REHEARSAL: TemplateRules(recorded=frozenset(), recordable=frozenset(), counts=False),
}


def rules_of(template: Template) -> TemplateRules:
    return TEMPLATES[template]
