"""server.api.visitors, accounts, own: who a cookie is, from where, and what posts make of a person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, CookieJar

from server.api import keys, passwords
from server.api.identity import SESSION_COOKIE
from server.domain.org import Bond, BondKind, UnitKind
from server.domain.posts import Post, PostRole
from server.domain.visibility import Visibility
from server.protocol.messages import Words
from server.store.county import FOUNDED

if TYPE_CHECKING:
    from tests.unit.api.conftest import Campus

PASSWORD = "correct horse battery"
Open = Callable[..., Awaitable["Campus"]]
WINDOWS = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"}
NEWER = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"}
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}


def words(name: str) -> Words:
    return Words(zh=name, en=name)


@dataclass
class Browser:
    """A browser of its own on `campus`, at an address behind the trusted proxy."""

    campus: Campus
    client: ClientSession
    address: str = "192.0.2.1"

    async def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        sent = {"X-Forwarded-For": self.address, **WINDOWS, **(headers or {})}
        async with self.client.request(method, f"/api/v1/{path}", json=body, headers=sent) as reply:
            return reply.status, await reply.json() if reply.content_length else None

    async def log_in(self, login: str, password: str = PASSWORD) -> int:
        return (await self.ask("POST", "login", {"login": login, "password": password}))[0]

    @property
    def cookie(self) -> str:
        return next(one.value for one in self.client.cookie_jar if one.key == SESSION_COOKIE)


@pytest.fixture
async def county(open_campus: Open) -> Campus:
    """Two schools with a main room each; Li leads the first, Wang teaches there, Zhao in the other."""
    campus = await open_campus(http={"trusted_proxies": ["127.0.0.1"]})
    store = campus.app[keys.STORE]
    root = await store.county.county()
    assert root is not None
    await store.county.add(UnitKind.SCHOOL, words("River"), root.id, since=FOUNDED, unit="river")
    await store.county.add(UnitKind.ROOM, words("River studio"), "river", since=FOUNDED, unit="r1", main=True)
    hashed = await passwords.hashed(campus.app, PASSWORD)
    for login, role, unit in (
        ("boss", PostRole.COUNTY_ADMIN, root.id),
        ("li", PostRole.SCHOOL_ADMIN, "the-school"),
        ("wang", PostRole.TEACHER, "the-school"),
        ("zhao", PostRole.TEACHER, "river"),
        ("keeper", PostRole.OPERATOR, root.id),
    ):
        await store.people.add(login, words(login), hashed, person=login)
        await store.people.appoint(Post(login, role, unit, FOUNDED))
    return campus


@pytest.fixture
async def browser(county: Campus) -> Any:
    async with ClientSession(
        base_url=county.server.make_url("/"), cookie_jar=CookieJar(unsafe=True)
    ) as client:
        yield Browser(county, client)


async def test_a_persons_posts_say_what_the_pages_offer(browser: Browser) -> None:
    assert await browser.log_in("Wang ") == 200
    _, me = await browser.ask("GET", "me")
    assert (me["person"], me["admin"], me["posts"][0]["role"]) == ("wang", False, "teacher")
    assert "open_studio" in me["may"]
    assert "manage_people" not in me["may"]


async def test_a_stolen_cookie_from_another_address_opens_nothing_until_the_password_is_given(
    browser: Browser, county: Campus
) -> None:
    assert await browser.log_in("boss") == 200
    thief = Browser(county, browser.client, "198.51.100.7")
    assert (await thief.ask("GET", "lessons"))[0] == 404
    _, me = await thief.ask("GET", "me")
    assert (me["locked"], me["admin"], me["may"]) == (True, False, [])
    assert (await thief.ask("POST", "unlock", {"login": "boss", "password": "a guess of mine"}))[0] == 403
    assert (await thief.ask("PUT", "me/password", {"old": PASSWORD, "new": "another pass"}))[0] == 404
    assert (await browser.ask("GET", "lessons"))[0] == 200  # its owner noticed nothing


async def test_a_phone_that_changes_networks_is_asked_for_the_password_once_in_each(
    browser: Browser,
) -> None:
    assert await browser.log_in("boss") == 200
    for address in ("203.0.113.9", "2001:db8:1::5"):
        browser.address = address
        assert (await browser.ask("GET", "me"))[1]["locked"]
        assert (await browser.ask("POST", "unlock", {"login": "boss", "password": PASSWORD}))[0] == 204
        assert (await browser.ask("GET", "lessons"))[0] == 200
    for address in ("203.0.113.77", "2001:db8:1:99::1", "192.0.2.250"):  # the same networks
        browser.address = address
        assert (await browser.ask("GET", "lessons"))[0] == 200


async def test_a_cookie_in_another_browser_is_nobodys_and_an_update_changes_nothing(browser: Browser) -> None:
    assert await browser.log_in("boss") == 200
    assert (await browser.ask("GET", "lessons", headers=NEWER))[0] == 200
    assert (await browser.ask("GET", "lessons", headers=FIREFOX))[0] == 404
    assert (await browser.ask("GET", "me", headers=FIREFOX))[1]["person"] == ""


async def test_a_first_password_has_to_be_changed_before_anything_else(
    browser: Browser, county: Campus
) -> None:
    people = county.app[keys.STORE].people
    first = await passwords.hashed(county.app, "first-password")
    await people.set_password("wang", first, must_change=True)
    assert await browser.log_in("wang", "first-password") == 200
    _, me = await browser.ask("GET", "me")
    assert (me["must_change"], me["may"]) == (True, [])
    assert (await browser.ask("GET", "library"))[0] == 404
    for new, status in (("short", 409), ("first-password", 409), ("wangwangwang", 204)):
        body = {"old": "first-password", "new": new}
        assert (await browser.ask("PUT", "me/password", body))[0] == status
    assert (await browser.ask("GET", "library"))[0] == 200


async def test_a_new_password_and_logging_out_everywhere_end_the_other_sessions(
    browser: Browser, county: Campus
) -> None:
    async with ClientSession(
        base_url=county.server.make_url("/"), cookie_jar=CookieJar(unsafe=True)
    ) as other_client:
        other = Browser(county, other_client)
        assert [await each.log_in("boss") for each in (browser, other)] == [200, 200]
        _, listed = await browser.ask("GET", "me/sessions")
        assert [one["agent"] for one in listed] == ["Chrome on Windows"] * 2
        body = {"old": PASSWORD, "new": "another long one"}
        assert (await browser.ask("PUT", "me/password", body))[0] == 204
        assert (await other.ask("GET", "me"))[1]["person"] == ""
        assert (await browser.ask("GET", "me"))[1]["person"] == "boss"
        assert await other.log_in("boss", "another long one") == 200
        assert (await other.ask("DELETE", "me/sessions"))[0] == 204
        assert (await browser.ask("GET", "me"))[1]["person"] == ""


async def test_one_session_is_ended_by_its_name_and_a_strangers_is_not(
    browser: Browser, county: Campus
) -> None:
    assert await browser.log_in("boss") == 200
    (boss,) = await county.app[keys.SESSIONS].of("boss")
    assert await browser.log_in("wang") == 200
    assert (await browser.ask("DELETE", f"me/sessions/{boss.session}"))[0] == 404
    (wang,) = await county.app[keys.SESSIONS].of("wang")
    assert (await browser.ask("DELETE", f"me/sessions/{wang.session}"))[0] == 204
    assert (await browser.ask("GET", "me"))[1]["person"] == ""


async def test_who_is_out_of_use_is_out_at_once_and_cannot_log_in(browser: Browser, county: Campus) -> None:
    assert await browser.log_in("boss") == 200
    await county.app[keys.STORE].people.set_active("boss", False)
    assert (await browser.ask("GET", "me"))[1]["person"] == ""
    assert await browser.log_in("boss") == 403


async def test_a_post_that_ended_yesterday_opens_nothing_today(browser: Browser, county: Campus) -> None:
    assert await browser.log_in("boss") == 200
    assert (await browser.ask("GET", "lessons"))[0] == 200
    store = county.app[keys.STORE]
    (held,) = await store.people.posts("boss")
    await store.people.end_post(held.number, store.county.today() - timedelta(days=1))
    assert (await browser.ask("GET", "lessons"))[0] == 404


async def test_guessing_one_persons_password_from_many_addresses_is_slowed_too(
    open_campus: Open,
) -> None:
    campus = await open_campus(
        http={"trusted_proxies": ["127.0.0.1"]}, security={"wrong_tries": 2, "wrong_tries_wait_s": 30.0}
    )
    statuses = []
    for number in range(10):
        headers = {"X-Forwarded-For": f"192.0.{number}.1"}
        body = {"login": "li", "password": "a guess of mine"}
        async with campus.browser.post("/api/v1/login", json=body, headers=headers) as reply:
            statuses.append(reply.status)
    assert statuses == [403] * 8 + [429] * 2


async def test_the_stores_file_does_not_hold_the_cookies_word(browser: Browser, county: Campus) -> None:
    assert await browser.log_in("boss") == 200
    files = list(county.config.store_path.parent.glob("lianke.sqlite3*"))
    assert files
    assert not any(browser.cookie.encode() in file.read_bytes() for file in files)


async def test_people_start_lessons_in_the_rooms_of_their_posts_alone(browser: Browser) -> None:
    assert await browser.log_in("zhao") == 200
    assert (await browser.ask("POST", "lessons", {"room": "main"}))[0] == 404
    status, told = await browser.ask("POST", "lessons", {"room": "r1"})
    assert status == 201
    assert await browser.log_in("wang") == 200
    assert (await browser.ask("POST", f"lessons/{told['lesson']}/end"))[0] == 404
    assert await browser.log_in("keeper") == 200
    assert (await browser.ask("POST", f"lessons/{told['lesson']}/end"))[0] == 404
    assert (await browser.ask("GET", f"lessons/{told['lesson']}/replay"))[0] == 404


@pytest.mark.parametrize(
    ("visibility", "seen_by"),
    [
        (Visibility.ROOM, {"boss", "li"}),
        (Visibility.SCHOOL, {"boss", "li", "wang"}),
        (Visibility.GROUP, {"boss", "li", "wang", "zhao"}),
        (Visibility.COUNTY, {"boss", "li", "wang", "zhao"}),
    ],
)
async def test_a_recording_is_listed_as_far_as_it_was_opened(
    browser: Browser, county: Campus, visibility: Visibility, seen_by: set[str]
) -> None:
    from server.domain.lesson import Lesson
    from server.protocol.messages import LessonState
    from server.store.records import RecordingRow

    store = county.app[keys.STORE]
    lesson = Lesson("L0000000001", words("Lesson"), "main", (), LessonState.ENDED, created_at=5)
    await store.save_lesson(lesson, None)
    await store.save_recording(RecordingRow(lesson.id, "ready", 60.0))
    await county.app[keys.LIBRARY].catalogue(lesson.id, visibility=visibility.value)
    await store.county.bind(Bond(BondKind.GROUP, "the-school", "river", FOUNDED))
    found = set()
    for person in ("boss", "li", "wang", "zhao"):
        assert await browser.log_in(person) == 200
        if (await browser.ask("GET", "library"))[1]["total"] == 1:
            found.add(person)
    assert found == seen_by
    await county.app[keys.LIBRARY].catalogue(lesson.id, taught_by="zhao")
    assert (await browser.ask("GET", "library"))[1]["total"] == 1
