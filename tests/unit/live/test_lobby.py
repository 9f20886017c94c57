"""The lobby: a guest has nothing of the lesson before the teacher's word, nor after the link's end."""

from __future__ import annotations

from dataclasses import dataclass, replace

from server.domain import lesson as lessons
from server.domain.admission import Identity
from server.domain.lesson import Lesson
from server.live import inbox as told
from server.protocol import broadcast as b
from server.protocol import messages as m
from server.protocol.broadcast import Staged
from server.protocol.lobby import Guests, GuestState, LetIn, Lobby
from server.protocol.messages import Role, Words
from tests.fakes.live_ports import HandClock, ListeningPage
from tests.unit.live.test_lesson_room import SOURCES, Stage, stage
from tests.unit.protocol.offers import CHROMIUM_UP

NOW = HandClock().ms
HOUR_MS = 3_600_000


@dataclass
class GuestPage(ListeningPage):
    """`room`: the guest's name; came by link 7, good for an hour."""

    number: int = 7

    @property
    def identity(self) -> Identity:
        name = Words(self.room, self.room)
        return Identity(Role.GUEST, "main", name, None, self.number, label="区教研室", until=NOW + HOUR_MS)


def opened() -> Lesson:
    return lessons.open_lesson(
        Lesson("L1", Words("英语", "English"), "main", ("luoping", "shahe", "yefan"), created_at=NOW)
    )


async def knock(at: Stage, name: str, number: int = 7) -> GuestPage:
    page = GuestPage(Role.GUEST, name, session=f"{name}-session", number=number)
    at.pages.append(page)
    at.room.inbox.post(told.PageCame(page, m.Hello(token="t")))
    await at.later(1_000)
    return page


async def teaching(at: Stage) -> ListeningPage:
    studio = await at.enter(Role.TEACHER, "main")
    await at.say(studio, m.Start())
    return studio


def lobby(page: ListeningPage) -> GuestState:
    found = page.last(Lobby)
    assert isinstance(found, Lobby)
    return found.state


def listed(studio: ListeningPage) -> list[tuple[str, GuestState]]:
    found = studio.last(Guests)
    assert isinstance(found, Guests)
    return [(each.name, each.state) for each in found.guests]


async def test_a_guest_who_waits_has_nothing_of_the_lesson_and_who_is_let_in_sees_it_and_is_listed() -> None:
    async with stage(opened()) as at:
        studio, room = await teaching(at), await at.enter(Role.ROOM, "shahe")
        guest = await knock(at, "李教研")
        assert (lobby(guest), listed(studio)) == (GuestState.WAITING, [("李教研", GuestState.WAITING)])
        await at.say(guest, m.WantDown())
        await at.later(1_000)
        for kind in (m.Lesson, m.OfferDown, m.Notice):
            assert guest.last(kind) is None, f"{kind.__name__} reached the lobby"
        assert studio.lesson.watched == 0

        await at.say(studio, LetIn(guest="guest.李教研-session", on=True))
        await at.later(1_000)
        assert lobby(guest) is GuestState.INSIDE
        assert isinstance(guest.last(m.OfferDown), m.OfferDown)
        assert guest.lesson.seats == []
        for page in (studio, room):
            assert page.lesson.watchers == [Words("客人 李教研", "Guest 李教研")]


async def test_a_refused_guest_is_out_and_the_restarted_room_asks_again() -> None:
    async with stage(opened()) as at:
        studio = await teaching(at)
        guest = await knock(at, "who")
        await at.say(studio, LetIn(guest="guest.who-session", on=False))
        await at.later(1_000)
        assert isinstance(guest.hung_up, m.Refused)
        assert guest.hung_up.code == "not_let_in"
        assert guest.hung_up.fatal
        assert listed(studio) == []
        await at.say(studio, LetIn(guest="guest.who-session", on=True))
        refused = studio.last(m.Refused)
        assert isinstance(refused, m.Refused)
        assert refused.code == "viewer_gone"


async def test_a_guest_speaks_when_asked_and_not_before() -> None:
    async with stage(opened()) as at:
        studio = await teaching(at)
        guest = await knock(at, "one")
        seat = "guest.one-session"
        await at.say(studio, b.Invite(viewer=seat, on=True))
        refused = studio.last(m.Refused)
        assert isinstance(refused, m.Refused), "nobody is asked on stage out of the lobby"
        await at.say(studio, LetIn(guest=seat, on=True))
        await at.say(guest, m.OfferUp(1, CHROMIUM_UP, SOURCES))
        refused = guest.last(m.Refused)
        assert isinstance(refused, m.Refused)
        assert refused.code == "not_on_stage"
        await at.say(studio, b.Invite(viewer=seat, on=True))
        await at.publish(guest)
        await at.later(1_000)
        place = guest.last(b.Place)
        assert isinstance(place, b.Place)
        assert place.staged is Staged.ON
        assert seat in [each.room for each in studio.lesson.seats]
        assert at.tapped() == set(), "a guest is never recorded"


async def test_a_link_that_is_over_or_revoked_puts_its_guests_out_and_no_others() -> None:
    async with stage(opened()) as at:
        studio = await teaching(at)
        waits, inside, other = [await knock(at, name) for name in ("waits", "inside", "other")]
        await at.say(studio, LetIn(guest="guest.inside-session", on=True))
        fourth = await knock(at, "fourth", number=8)
        await at.leave(other)
        at.room.inbox.post(told.LinkEnded(7))
        await at.later(1_000)
        for page in (waits, inside):
            assert isinstance(page.hung_up, m.Refused)
            assert page.hung_up.code == "link_over"
        assert listed(studio) == [("fourth", GuestState.WAITING)]
        await at.later(HOUR_MS)
        assert isinstance(fourth.hung_up, m.Refused)
        assert fourth.hung_up.code == "link_over"


async def test_more_than_the_lobby_holds_are_sent_away_with_words() -> None:
    async with stage(replace(opened())) as at:
        await teaching(at)
        pages = [await knock(at, f"n{number}") for number in range(21)]
        await at.settled()
        assert [page.hung_up is None for page in pages] == [True] * 20 + [False]
