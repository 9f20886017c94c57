"""Why a page is not taken in, or an asker not answered: words for people, one class each."""

from __future__ import annotations

from server.errors import Refused, UserFault
from server.live.broadcast import LINK_OVER


class OtherStudio(UserFault):
    """Another studio teaches this lesson: "Take over here?\""""

    def __init__(self) -> None:
        super().__init__(
            "other_studio",
            zh="另一台电脑正在这个教室上课。要换到这里来吗？",
            en="Another computer teaches in this room. Take over here?",
        )


class LinkOver(Refused):
    """The link was ended, made anew, or its lesson is over."""

    def __init__(self) -> None:
        super().__init__(LINK_OVER.code, zh=LINK_OVER.words.zh, en=LINK_OVER.words.en)


class TooManyViewers(UserFault):
    """`broadcast.viewers` watch this lesson already."""

    def __init__(self) -> None:
        super().__init__(
            "too_many", zh="观看的人满了，请稍后再来。", en="The broadcast is full; come back soon."
        )


class LessonSoon(UserFault):
    """There is a lesson in this main room now, or it begins within minutes."""

    def __init__(self) -> None:
        super().__init__(
            "lesson_soon",
            zh="这个教室正在上课，或者马上要上课，现在不能排练。",
            en="A lesson is on in this room, or begins soon. Rehearse after it.",
        )


class NoLesson(Refused):
    """No such lesson is live here."""

    def __init__(self) -> None:
        super().__init__("not_found", zh="没有这节课。", en="There is no such lesson.")
