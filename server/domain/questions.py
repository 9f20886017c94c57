"""Questions of who watches a broadcast: asked, seen by the teacher, shown to everybody or not. Pure.

Every judgement goes through `TRANSITIONS`; an absent entry is told in words. Nothing is shown to other
viewers before the teacher approved it. `now` is milliseconds since 1970.

    WAITING --approve--> APPROVED --answer--> ANSWERED
       '-------answer-----------------------------^
    (dismiss leads to DISMISSED from WAITING and APPROVED)
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace

from server.errors import UserFault
from server.protocol.broadcast import QuestionState

LONGEST_TEXT = 200
LONGEST_NAME = 24
MOST_WAITING = 100
MOST_WAITING_OF_ONE = 3
MOST_KEPT = 300
MOST_SHOWN = 20
PAUSE_MS = 10_000
"""Between two questions of one viewer."""

_W, _A, _N, _D = (
    QuestionState.WAITING,
    QuestionState.APPROVED,
    QuestionState.ANSWERED,
    QuestionState.DISMISSED,
)
TRANSITIONS: dict[QuestionState, frozenset[QuestionState]] = {
    _W: frozenset({_A, _N, _D}),
    _A: frozenset({_N, _D}),
    _N: frozenset(),
    _D: frozenset(),
}
SHOWN = frozenset({_A, _N})


@dataclass(frozen=True, slots=True)
class Question:
    """`viewer`: the seat it came from; `name`: what the viewer calls itself, perhaps nothing."""

    number: int
    viewer: str
    name: str
    text: str
    asked_at: int
    state: QuestionState = _W


@dataclass(frozen=True, slots=True)
class Questions:
    """`open`: the teacher takes questions. `asked_at`: viewer -> its newest question, for the pause."""

    open: bool = True
    asked: tuple[Question, ...] = ()
    count: int = 0
    asked_at: dict[str, int] = field(default_factory=dict)

    def waiting(self) -> list[Question]:
        return [question for question in self.asked if question.state is _W]

    def shown(self) -> list[Question]:
        """What every viewer sees: the newest approved and answered ones, oldest first."""
        return [question for question in self.asked if question.state in SHOWN][-MOST_SHOWN:]

    def queue(self) -> list[Question]:
        """What the teacher sees: everything but the dismissed; the waiting ones are never left out."""
        kept = [question for question in self.asked if question.state is not _D]
        return kept[-(MOST_WAITING + MOST_SHOWN) :]


def clean(text: str) -> str:
    """One line of visible text: control and formatting characters become spaces, runs of them one."""
    plain = unicodedata.normalize("NFC", text)
    visible = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in plain)
    return " ".join(visible.split())


def ask(questions: Questions, viewer: str, name: str, text: str, now: int) -> Questions:
    """Put a viewer's question into the queue. UserFault, with words, where it cannot be."""
    text, name = clean(text), clean(name)[:LONGEST_NAME]
    if not questions.open:
        raise UserFault("questions_closed", zh="老师现在不收提问。", en="The teacher takes no questions now.")
    if not 1 <= len(text) <= LONGEST_TEXT:
        raise UserFault(
            "question_length",
            zh=f"问题请写 1 到 {LONGEST_TEXT} 个字。",
            en=f"Write 1 to {LONGEST_TEXT} characters.",
        )
    last = questions.asked_at.get(viewer)
    if last is not None and now - last < PAUSE_MS:
        raise UserFault(
            "asks_too_fast", zh="刚刚问过，请等几秒再问。", en="You asked just now; wait a few seconds."
        )
    waiting = questions.waiting()
    mine = sum(question.viewer == viewer for question in waiting)
    if mine >= MOST_WAITING_OF_ONE or len(waiting) >= MOST_WAITING:
        raise UserFault(
            "questions_full",
            zh="等待的问题太多了，请稍后再问。",
            en="Too many questions wait; ask again later.",
        )
    number = questions.count + 1
    added = (*questions.asked, Question(number, viewer, name, text, now))
    recent = {who: at for who, at in questions.asked_at.items() if now - at < PAUSE_MS}
    return replace(questions, asked=_bounded(added), count=number, asked_at={**recent, viewer: now})


def judge(questions: Questions, number: int, state: QuestionState) -> Questions:
    """The teacher's word about a question. UserFault where there is none, or it was judged already."""
    for place, question in enumerate(questions.asked):
        if question.number != number:
            continue
        if state not in TRANSITIONS[question.state]:
            raise UserFault(
                "question_judged", zh="这个问题已经处理过了。", en="This question was dealt with already."
            )
        judged = replace(question, state=state)
        return replace(questions, asked=(*questions.asked[:place], judged, *questions.asked[place + 1 :]))
    raise UserFault("no_such_question", zh="没有这个问题。", en="There is no such question.")


def _bounded(asked: tuple[Question, ...]) -> tuple[Question, ...]:
    """At most MOST_KEPT: the oldest that do not wait go first."""
    over = len(asked) - MOST_KEPT
    if over <= 0:
        return asked
    done = [question.number for question in asked if question.state is not _W][:over]
    return tuple(question for question in asked if question.number not in done)
