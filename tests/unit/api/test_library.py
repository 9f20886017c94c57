"""server.api.library and its neighbours: who finds, watches, changes, takes away and deletes recordings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import msgspec
import pytest
from aiohttp import ClientSession, DummyCookieJar, web

from recorder.archive.published import Lane, Step, StepState, read_published, write_published
from server.api import keys
from server.api.identity import VISIT_COOKIE, close_recording
from server.api.rights import Action
from server.api.signing import lifetime_s, media_pair
from server.api.tokens import TokenKind
from server.app import make_parts
from server.domain.lesson import Lesson
from server.domain.visibility import Visibility
from server.live.publishing import stretches
from server.protocol.messages import LessonState, Words
from server.store.records import AuditRow, RecordingRow
from tests.fakes.archived import MEDIA, record

if TYPE_CHECKING:
    from tests.unit.api.conftest import Campus

ELSEWHERE: WeakKeyDictionary[web.Application, ClientSession] = WeakKeyDictionary()
FIRST, SECOND, OTHER = "L0000000001", "L0000000002", "L0000000003"
VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\n好"
PASSWORD = {"password": "correct horse battery"}


async def put(campus: Campus, lesson: str, title: str, room: str = "main", steps: Any = None) -> None:
    store = campus.app[keys.STORE]
    held = Lesson(lesson, Words(zh=title, en=title), room, ("shahe",), LessonState.ENDED,
                  created_at=1000 + int(lesson[1:]))  # fmt: skip
    await store.save_lesson(held, None)
    await store.save_recording(RecordingRow(lesson, "ready", 60.0, 0.9))
    await asyncio.to_thread(record, campus.config.archive_path / lesson, title=title, steps=steps)


@pytest.fixture
async def elsewhere(campus: Campus) -> AsyncIterator[ClientSession]:
    """A browser on another machine, which keeps no cookies."""
    base_url = campus.server.make_url("/")
    async with ClientSession(base_url=base_url, cookie_jar=DummyCookieJar()) as session:
        yield session


@pytest.fixture
async def admin(campus: Campus, elsewhere: ClientSession) -> Campus:
    """The admin's browser, with three recorded lessons of two main rooms."""
    ELSEWHERE[campus.app] = elsewhere
    async with campus.browser.post("/api/v1/setup", json=PASSWORD) as reply:
        assert reply.status == 200
    await put(campus, FIRST, "三年级英语：我的家")
    running = Step("720p", Lane.BULK, StepState.RUNNING, 0.5)
    failed = Step("chapters", Lane.BULK, StepState.FAILED, 0.0, "no_space")
    await put(campus, SECOND, "茉莉花", steps=[running, failed])
    await put(campus, OTHER, "别的录播室的课", room="other")
    await campus.app[keys.LIBRARY].indexed()  # a search waits some seconds for it
    return campus


async def ask(
    campus: Campus,
    method: str,
    path: str,
    body: Any = None,
    browser: ClientSession | None = None,
    **rest: Any,
) -> tuple[int, Any]:
    async with (browser or campus.browser).request(method, f"/api/v1/{path}", json=body, **rest) as reply:
        told = await reply.json() if reply.content_type.endswith("json") else None
        return reply.status, told


def studio(campus: Campus, room: str = "main") -> dict[str, Any]:
    """A teacher on another machine: no admin's cookie."""
    headers = campus.bearer(TokenKind.STUDIO, room)["headers"]
    return {"browser": ELSEWHERE[campus.app], "headers": {**headers, "X-Forwarded-For": "192.0.2.1"}}


async def cards(campus: Campus, query: str = "", **rest: Any) -> list[str]:
    status, told = await ask(campus, "GET", f"library{query}", **rest)
    assert status == 200, told
    return [card["lesson"] for card in told["cards"]]


async def test_the_admin_finds_every_lesson_with_its_poster_and_its_state(admin: Campus) -> None:
    assert await cards(admin) == [OTHER, SECOND, FIRST]
    assert await cards(admin, "?q=我的") == [FIRST]
    assert await cards(admin, "?q=mlh") == [SECOND]
    _, told = await ask(admin, "GET", "library?q=茉莉")
    (card,) = told["cards"]
    assert card["processing"] == {"step": "720p", "progress": 0.25, "failed": False, "problem": "no_space"}
    assert told["admin"] is True
    async with admin.browser.get(card["poster"]) as reply:
        assert (reply.status, reply.content_type) == (200, "image/jpeg")


async def test_a_teacher_finds_the_lessons_of_the_own_room_alone_until_one_is_opened(admin: Campus) -> None:
    teacher = studio(admin, "other")
    assert await cards(admin, **teacher) == [OTHER]
    for path in (f"lessons/{FIRST}/replay", f"lessons/{FIRST}/extras", f"lessons/{FIRST}/renewal"):
        assert (await ask(admin, "GET", path, **teacher))[0] == 404
    status, _ = await ask(admin, "PATCH", "library", {"lessons": [FIRST], "visibility": "county"})
    assert status == 204
    assert await cards(admin, **teacher) == [OTHER, FIRST]
    status, told = await ask(admin, "GET", f"lessons/{FIRST}/extras", **teacher)
    assert status == 200
    assert told["rights"] == {
        "edit": False, "download": False, "delete": False, "ask_deletion": False, "receipt": False,
        "keep": False, "publish": False,
    }  # fmt: skip
    assert (await ask(admin, "POST", f"lessons/{FIRST}/download", {"file": "lesson.film.mp4"}, **teacher))[
        0
    ] == 404
    await ask(admin, "PATCH", "library", {"lessons": [FIRST], "download": True})
    assert (await ask(admin, "POST", f"lessons/{FIRST}/download", {"file": "lesson.film.mp4"}, **teacher))[
        0
    ] == 200


async def test_receiving_rooms_and_strangers_have_no_library(admin: Campus) -> None:
    admin.browser.cookie_jar.clear()
    for kind, room in ((TokenKind.ROOM, "shahe"), (TokenKind.OPERATOR, None), (TokenKind.OBSERVER, None)):
        bearer = admin.bearer(kind, room, FIRST if kind is TokenKind.OBSERVER else None)
        assert (await ask(admin, "GET", "library", **bearer))[0] == 404
        assert (await ask(admin, "GET", f"lessons/{FIRST}/extras", **bearer))[0] == 404
    assert (await ask(admin, "GET", "library"))[0] == 404


async def test_a_token_of_one_lesson_lists_nothing(admin: Campus) -> None:
    admin.browser.cookie_jar.clear()
    bearer = admin.bearer(TokenKind.STUDIO, "main", FIRST)
    assert (await ask(admin, "GET", "library", **bearer))[0] == 404
    assert (await ask(admin, "GET", f"lessons/{FIRST}/extras", **bearer))[0] == 200
    assert (await ask(admin, "GET", f"lessons/{SECOND}/extras", **bearer))[0] == 404


async def test_many_lessons_are_catalogued_at_once_and_found_by_it(admin: Campus) -> None:
    body = {"lessons": [FIRST, SECOND], "subject": "英语", "teacher": " 王  老师 "}
    assert (await ask(admin, "PATCH", "library", body))[0] == 204
    assert await cards(admin, "?subject=英语") == [SECOND, FIRST]
    assert await cards(admin, "?q=王 老师&sort=oldest") == [FIRST, SECOND]
    _, facets = await ask(admin, "GET", "library/facets")
    assert facets["teacher"] == [{"value": "王 老师", "lessons": 2}]
    none = {"lessons": [FIRST, "L0000000009"], "subject": "音乐"}
    assert (await ask(admin, "PATCH", "library", none))[0] == 404
    assert await cards(admin, "?subject=音乐") == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"lessons": []}, "bad_choice"),
        ({"lessons": [FIRST] * 501}, "bad_choice"),
        ({"lessons": [FIRST], "title": "长" * 121}, "too_long_words"),
        ({"lessons": [FIRST], "visibility": "everybody"}, "bad_query"),
        ({"lessons": [FIRST], "state": "x"}, "bad_body"),
    ],
)
async def test_a_change_that_cannot_be_is_told_in_words(admin: Campus, body: Any, code: str) -> None:
    status, told = await ask(admin, "PATCH", "library", body)
    assert (status, told["code"]) == (400, code)
    assert told["words"]["zh"]


@pytest.mark.parametrize("query", ["?page=x", "?size=0", "?size=101", "?sort=best", "?state=x", "?from=1"])
async def test_a_query_that_cannot_be_is_told_in_words(admin: Campus, query: str) -> None:
    status, told = await ask(admin, "GET", f"library{query}")
    assert (status, told["code"]) == (400, "bad_query")


async def test_a_series_keeps_its_order_and_belongs_to_who_made_it(admin: Campus) -> None:
    status, made = await ask(admin, "POST", "series", {"name": "公开课", "lessons": [SECOND, FIRST]})
    assert status == 201
    series = made["series"]
    assert await cards(admin, f"?series={series}&sort=series") == [SECOND, FIRST]
    _, told = await ask(admin, "GET", f"lessons/{FIRST}/extras")
    assert told["series"] == {"series": series, "name": "公开课", "before": SECOND, "after": None}
    assert (await ask(admin, "PATCH", f"series/{series}", {"lessons": [FIRST, SECOND]}))[0] == 204
    assert await cards(admin, f"?series={series}&sort=series") == [FIRST, SECOND]
    teacher = studio(admin)
    _, told = await ask(admin, "GET", "series", **teacher)
    assert [one["yours"] for one in told] == [False]
    assert (await ask(admin, "DELETE", f"series/{series}", **teacher))[0] == 404
    assert (await ask(admin, "POST", "series", {"name": "甲", "lessons": [OTHER]}, **teacher))[0] == 404
    assert (await ask(admin, "DELETE", f"series/{series}"))[0] == 204
    assert (await ask(admin, "POST", "series", {"name": "  "}))[1]["code"] == "bad_name"


async def test_everybody_goes_on_where_they_stopped(admin: Campus) -> None:
    assert (await ask(admin, "PUT", f"lessons/{FIRST}/watched", {"at_s": 31.5}))[0] == 204
    assert (await ask(admin, "PUT", f"lessons/{FIRST}/watched", {"at_s": 9.0}, **studio(admin)))[0] == 204
    assert (await ask(admin, "GET", f"lessons/{FIRST}/extras"))[1]["watched_s"] == 31.5
    assert (await ask(admin, "GET", f"lessons/{FIRST}/extras", **studio(admin)))[1]["watched_s"] == 9.0
    assert await cards(admin, "?sort=watched") == [FIRST]
    assert (await ask(admin, "PUT", f"lessons/{FIRST}/watched", {"at_s": -1}))[0] == 400


async def test_a_lesson_is_trimmed_undone_and_trimmed_again(admin: Campus) -> None:
    edit = {"in_s": 5.0, "out_s": 50.0, "cuts": [{"start_s": 20.0, "end_s": 25.0}]}
    status, told = await ask(admin, "PUT", f"lessons/{FIRST}/edit", edit)
    assert (status, told) == (200, {**edit, "undo": 1, "redo": 0})
    _, told = await ask(admin, "POST", f"lessons/{FIRST}/edit/undo")
    assert told == {"in_s": 0.0, "out_s": None, "cuts": [], "undo": 0, "redo": 1}
    _, told = await ask(admin, "POST", f"lessons/{FIRST}/edit/redo")
    assert told == {**edit, "undo": 1, "redo": 0}
    for wrong, code in (({"in_s": 59.5}, "nothing_left"), ({"in_s": -1}, "bad_edit")):
        status, told = await ask(admin, "PUT", f"lessons/{FIRST}/edit", wrong)
        assert (status, told["code"]) == (400, code)
    assert (await ask(admin, "PUT", f"lessons/{FIRST}/edit", edit, **studio(admin, "other")))[0] == 404


async def test_whole_files_of_a_trimmed_lesson_are_for_its_owner_alone_and_its_film_for_all(
    admin: Campus,
) -> None:
    await ask(admin, "PATCH", "library", {"lessons": [FIRST], "visibility": "county"})
    await ask(admin, "PATCH", "library", {"lessons": [FIRST], "download": True})
    teacher, film = studio(admin, "other"), {"file": "lesson.film.mp4"}
    assert (await ask(admin, "POST", f"lessons/{FIRST}/download", film, **teacher))[0] == 200
    await ask(admin, "PUT", f"lessons/{FIRST}/edit", {"in_s": 5.0})
    assert (await ask(admin, "POST", f"lessons/{FIRST}/download", film, **teacher))[0] == 404
    assert (await ask(admin, "GET", f"lessons/{FIRST}/extras", **teacher))[1]["rights"]["download"] is False
    assert (await ask(admin, "POST", f"lessons/{FIRST}/download", film))[0] == 404, "it shows what was cut"
    assert (await ask(admin, "POST", f"lessons/{FIRST}/download", {"file": "camera.mp4"}))[0] == 200
    folder = admin.config.archive_path / FIRST
    made = read_published(folder)
    assert made is not None
    edits = await admin.app[keys.EDITS].edits(FIRST)
    write_published(folder, msgspec.structs.replace(made, kept=stretches(edits)))
    assert (await ask(admin, "POST", f"lessons/{FIRST}/download", film, **teacher))[0] == 200
    track = {"file": "camera.mp4"}
    assert (await ask(admin, "POST", f"lessons/{FIRST}/download", track, **teacher))[0] == 404


async def test_captions_are_read_strictly_and_told_plainly(admin: Campus) -> None:
    srt = "1\n00:00:01,000 --> 00:00:02,500\n<i>你好</i>\nhello\n"
    assert (await ask(admin, "PUT", f"lessons/{FIRST}/captions/zh", {"vtt": srt}))[0] == 204
    _, told = await ask(admin, "GET", f"lessons/{FIRST}/extras")
    assert told["captions"] == [
        {"language": "zh", "vtt": "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n你好 hello\n"}
    ]
    status, told = await ask(admin, "PUT", f"lessons/{FIRST}/captions/zh", {"vtt": "no captions"})
    assert (status, told["code"]) == (400, "bad_captions")
    assert (await ask(admin, "PUT", f"lessons/{FIRST}/captions/..", {"vtt": srt}))[0] in (400, 404)
    assert (await ask(admin, "DELETE", f"lessons/{FIRST}/captions/zh"))[0] == 204
    assert (await ask(admin, "GET", f"lessons/{FIRST}/extras"))[1]["captions"] == []


async def test_chapters_get_titles_that_the_search_knows(admin: Campus) -> None:
    titles = {"titles": [{"start_s": 0.0, "title": "生词"}]}
    assert (await ask(admin, "PUT", f"lessons/{FIRST}/chapters", titles))[0] == 204
    _, told = await ask(admin, "GET", f"lessons/{FIRST}/extras")
    assert [chapter["title"] for chapter in told["published"]["chapters"]] == ["生词", "第二张"]
    assert await cards(admin, "?q=生词") == [FIRST]


async def test_the_film_is_taken_away_by_who_may_and_under_its_own_signature(admin: Campus) -> None:
    _, told = await ask(admin, "GET", f"lessons/{FIRST}/extras")
    assert [one["kind"] for one in told["published"]["downloads"]] == ["film", "sound", "track"]
    poster = told["published"]["poster"]
    async with admin.browser.get(poster.replace("lesson.poster.jpg", "lesson.film.mp4")) as reply:
        assert reply.status == 404, "the signature of watching is none of downloading"
    status, told = await ask(admin, "POST", f"lessons/{FIRST}/download", {"file": "lesson.film.mp4"})
    assert status == 200
    async with admin.browser.get(told["url"], headers={"Range": "bytes=0-9"}) as reply:
        assert (reply.status, await reply.read()) == (206, MEDIA[:10])
        assert reply.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E4%B8%89")
    for name in ("manifest.json", "published.json", "journal/000001.lkj", "camera-init.mp4", "none.mp4"):
        assert (await ask(admin, "POST", f"lessons/{FIRST}/download", {"file": name}))[0] == 404


async def test_derived_files_are_served_and_nothing_else(admin: Campus) -> None:
    _, told = await ask(admin, "GET", f"lessons/{FIRST}/extras")
    published = told["published"]
    prefix = published["poster"].removesuffix("lesson.poster.jpg")
    for path in (
        published["sprites"][0]["vtt"],
        published["chapters"][0]["picture"],
        prefix + "camera.720p.m3u8",
    ):
        async with admin.browser.get(path) as reply:
            assert reply.status == 200, path
    folder = admin.config.archive_path / FIRST
    (folder / "notes.txt").write_text("x")
    (folder / "camera.mp4.new").write_text("x")
    (folder / "linked.jpg").symlink_to(folder / "lesson.poster.jpg")
    for name in ("published.json", "notes.txt", "camera.mp4.new", "linked.jpg", ".hidden.jpg", "journal"):
        async with admin.browser.get(prefix + name) as reply:
            assert reply.status == 404, name
        async with admin.browser.get("/media-check" + prefix + name) as reply:
            assert reply.status == 404, name
    async with admin.browser.get("/media-check" + prefix + "lesson.poster.jpg") as reply:
        assert reply.status == 204


async def test_a_teacher_asks_and_the_admin_deletes_for_good(admin: Campus) -> None:
    teacher = studio(admin)
    assert (await ask(admin, "DELETE", f"lessons/{FIRST}", **teacher))[0] == 404
    assert (await ask(admin, "POST", f"lessons/{FIRST}/deletion", **teacher))[0] == 204
    _, told = await ask(admin, "GET", "library?q=我的家")
    assert told["cards"][0]["deletion_asked"] is True
    folder = admin.config.archive_path / FIRST
    poster = told["cards"][0]["poster"]
    assert (await ask(admin, "DELETE", f"lessons/{FIRST}"))[0] == 204
    assert not folder.exists()
    assert await cards(admin) == [OTHER, SECOND]
    for path in (f"lessons/{FIRST}/replay", f"lessons/{FIRST}/extras"):
        assert (await ask(admin, "GET", path))[0] == 404
    async with admin.browser.get(poster) as reply:
        assert reply.status == 404


WALK: list[tuple[str, str, Any, Action]] = [
    ("GET", f"lessons/{FIRST}/replay", None, Action.READ_REPLAY),
    ("PATCH", "library", {"lessons": [FIRST], "subject": "英语"}, Action.EDIT_LESSON),
    ("PATCH", "library", {"lessons": [FIRST], "visibility": "county"}, Action.SHARE_LESSON),
    ("PATCH", "library", {"lessons": [FIRST], "download": True}, Action.SHARE_LESSON),
    ("POST", "series", {"name": "甲"}, Action.EDIT_LESSON),
    ("PUT", f"lessons/{FIRST}/edit", {"in_s": 2.0}, Action.EDIT_LESSON),
    ("POST", f"lessons/{FIRST}/edit/undo", None, Action.EDIT_LESSON),
    ("POST", f"lessons/{FIRST}/edit/redo", None, Action.EDIT_LESSON),
    ("PUT", f"lessons/{FIRST}/captions/zh", {"vtt": VTT}, Action.EDIT_LESSON),
    ("DELETE", f"lessons/{FIRST}/captions/zh", None, Action.EDIT_LESSON),
    ("PUT", f"lessons/{FIRST}/chapters", {"titles": []}, Action.EDIT_LESSON),
    ("POST", f"lessons/{FIRST}/download", {"file": "camera.mp4"}, Action.DOWNLOAD),
    ("POST", f"lessons/{FIRST}/deletion", None, Action.ASK_DELETION),
    ("DELETE", f"lessons/{FIRST}/deletion", None, Action.ASK_DELETION),
    ("DELETE", f"lessons/{FIRST}", None, Action.DELETE_LESSON),
]  # fmt: skip


async def test_views_downloads_changes_and_deletions_each_write_a_row(admin: Campus) -> None:
    store = admin.app[keys.STORE]
    for method, path, body, action in WALK:
        before = len(await store.audit_log.rows())
        status, told = await ask(admin, method, path, body)
        assert status < 300, (method, path, told)
        rows = await store.audit_log.rows()
        assert len(rows) == before + 1, f"{method} {path} wrote no row, or more than one"
        row: AuditRow = rows[0]
        assert (row.actor, row.action) == ("admin:admin", action), (method, path)


async def test_signatures_end_after_ten_minutes_and_a_pause_of_twenty_is_played_on(
    admin: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, told = await ask(admin, "GET", f"lessons/{FIRST}/replay")
    playlist = told["tracks"][0]["playlist"]
    clock = admin.app[keys.CLOCK]
    begun = clock.wall_ms()
    assert told["expires_at"] - begun == pytest.approx(600_000, abs=5_000)

    async def status(path: str) -> int:
        async with admin.browser.get(path) as reply:
            return reply.status

    monkeypatch.setattr(type(clock), "wall_ms", lambda _: begun + 590_000)
    assert await status(playlist) == 200
    monkeypatch.setattr(type(clock), "wall_ms", lambda _: begun + 20 * 60_000)
    assert await status(playlist) == 404
    _, renewed = await ask(admin, "GET", f"lessons/{FIRST}/renewal")
    _, _, _, rest = playlist.split("/", 3)
    fresh = f"/media/{renewed['signature']}/{rest}"
    assert await status(fresh) == 200
    async with admin.browser.get(
        fresh.replace("camera.m3u8", "camera.mp4"), headers={"Range": "bytes=0-9"}
    ) as reply:
        assert (reply.status, await reply.read()) == (206, MEDIA[:10])
    admin.browser.cookie_jar.clear()
    assert await status(fresh) == 404, "another session"


async def test_addresses_from_before_a_recording_was_closed_are_over_also_after_a_restart(
    admin: Campus,
) -> None:
    app, now_s = admin.app, int(time.time())
    await ask(admin, "GET", f"lessons/{FIRST}/replay")  # the visit cookie
    visit = next(each.value for each in admin.browser.cookie_jar if each.key == VISIT_COOKIE)
    lasts_s = lifetime_s(admin.config.security.media_url_minutes)

    async def played(issued_s: int, lesson: str = FIRST) -> int:
        pair = media_pair(app[keys.MEDIA_KEY], lesson, issued_s + lasts_s, visit)
        async with admin.browser.get(f"/media/{pair}/{lesson}/camera.m3u8") as reply:
            return reply.status

    assert await played(now_s - 30) == 200
    await close_recording(app, FIRST, Visibility.ROOM)
    assert await played(now_s - 30) == 404
    assert await played(now_s - 30, SECOND) == 200, "another lesson's are good"
    assert await played(now_s + 60) == 200
    app[keys.CLOSED].clear()
    assert await played(now_s - 30) == 200, "whoever forgets lets them in"
    app[keys.CLOSED].update((await make_parts(admin.config, app[keys.STORE])).closed)
    assert await played(now_s - 30) == 404, "campus began again and knows"
    assert await played(now_s + 60) == 200
