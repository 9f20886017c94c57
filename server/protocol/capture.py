"""What of a lesson is recorded: the teacher's two messages (pure; docs/protocol.md)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec


class Recordable(StrEnum):
    """Whom or what a track shows (recorder.contract.Subject). What is not chosen is never written."""

    TEACHER = "teacher"
    BOARD = "board"
    SCREEN = "screen"
    VOICE = "voice"
    PUPILS = "pupils"  # a called room's picture
    PUPILS_VOICE = "pupils_voice"  # a heard room's voice


USUAL = frozenset({Recordable.TEACHER, Recordable.BOARD, Recordable.SCREEN, Recordable.VOICE})
OF_ROOMS = frozenset({Recordable.PUPILS, Recordable.PUPILS_VOICE})

_Subjects = Annotated[list[Recordable], msgspec.Meta(max_length=len(Recordable))]


class RecordSubjects(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="record"):
    """Teacher: from now on these subjects are written, and no others. None of them: only before Start."""

    subjects: _Subjects


class PauseRecording(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pause_recording"):
    """Teacher: write nothing for a while, or go on. The lesson itself is not touched."""

    paused: bool


ToServer = RecordSubjects | PauseRecording
