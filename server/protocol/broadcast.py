"""What pages and campus say of a broadcast: places of viewers, questions, who comes on stage.

A part of the WebSocket's language (`messages` joins it into the unions). Pure values.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class QuestionState(StrEnum):
    WAITING = "waiting"  # the teacher alone sees it
    APPROVED = "approved"  # every viewer sees it
    ANSWERED = "answered"
    DISMISSED = "dismissed"


class Via(StrEnum):
    """How a viewer is served."""

    WEBRTC = "webrtc"
    HLS = "hls"  # no place is free: the live playlist, some seconds later


class Staged(StrEnum):
    """A viewer's way to the stage."""

    NO = "no"
    INVITED = "invited"  # by the teacher; nothing is sent before a touch there
    ON = "on"  # it has a seat like a receiving room's


# -- page -> campus ----------------------------------------------------------------------------------


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ask"):
    """Viewer: a question for the teacher. `name`: how the viewer calls itself, perhaps nothing."""

    text: str
    name: str = ""


class LeaveStage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="leave_stage"):
    """Viewer: not (any longer) on stage."""


class Judge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="judge"):
    """Teacher: what becomes of a question."""

    question: int
    state: QuestionState


class TakeQuestions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="take_questions"):
    """Teacher: questions may be asked, or not."""

    open: bool


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="invite"):
    """Teacher: this viewer may come on stage, or leaves it. `viewer`: `Asked.viewer`."""

    viewer: str
    on: bool


ToServer = Ask | LeaveStage | Judge | TakeQuestions | Invite


# -- campus -> page ----------------------------------------------------------------------------------


class Asked(msgspec.Struct, frozen=True):
    """A question. `viewer`: whose, told to the teacher only; `staged`: that viewer's way to the stage;
    `here`: that viewer still watches."""

    question: int
    name: str
    text: str
    asked_at: int
    state: QuestionState
    viewer: str = ""
    staged: Staged = Staged.NO
    here: bool = False


class Place(msgspec.Struct, frozen=True, tag="place"):
    """To one viewer: how it is served, and whether the teacher wants it on stage."""

    via: Via
    staged: Staged


class Audience(msgspec.Struct, frozen=True, tag="audience"):
    """To every viewer. `viewers`: how many watch by this link; `questions`: approved and answered ones."""

    viewers: int
    asking: bool
    questions: list[Asked]


class Questions(msgspec.Struct, frozen=True, tag="questions"):
    """To the studio and the phone remote: the queue."""

    open: bool
    questions: list[Asked]


FromServer = Place | Audience | Questions
