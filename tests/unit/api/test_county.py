"""server.api.units, people, consents, audit, api_tokens: the county is kept by its admins."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from recorder.archive.manifest import Manifest, read_manifest, write_manifest
from recorder.contract import RecordingState
from server.api import keys, passwords
from server.domain.lesson import Lesson
from server.domain.posts import Post, PostRole
from server.protocol.messages import LessonState
from server.store.county import FOUNDED
from server.store.records import About, Mark, RecordingRow
from tests.unit.api.conftest import PASSWORD, Desk, words

NAME = {"zh": "新小学", "en": "New Primary"}
LESSON = "L0000000001"


async def unit(desk: Desk, name: str) -> Any:
    _, county = await desk.ask("GET", "units?closed=1")
    return next(row for row in county["units"] if row["unit"] == name)


async def test_a_school_admin_changes_the_own_school_and_no_other(desk: Desk) -> None:
    await desk.be("li")
    assert (await unit(desk, "the-school"))["yours"]
    assert not (await unit(desk, "river"))["yours"]
    body = {"kind": "room", "name": NAME, "parent": "the-school", "main": True}
    status, made = await desk.ask("POST", "units", body)
    assert (status, made["main"]) == (201, True)
    assert (await desk.ask("POST", "units", {**body, "parent": "river"}))[0] == 404
    assert (await desk.ask("PATCH", "units/river", {"version": 1, "name": NAME}))[0] == 404
    assert (await desk.ask("POST", f"rooms/{made['unit']}/studio"))[0] == 201
    _, rooms = await desk.ask("GET", "rooms")
    assert len(rooms) == 4


async def test_two_admins_who_edit_one_cell_do_not_overwrite_each_other(desk: Desk) -> None:
    await desk.be("boss")
    seen = (await unit(desk, "river"))["version"]
    assert (await desk.ask("PATCH", "units/river", {"version": seen, "name": NAME}))[0] == 200
    status, problem = await desk.ask("PATCH", "units/river", {"version": seen, "name": NAME})
    assert (status, problem["code"]) == (412, "stale_version")
    assert (await unit(desk, "river"))["name"] == NAME


async def test_a_school_with_rooms_is_not_closed_but_merged_and_stays_findable(desk: Desk) -> None:
    await desk.be("boss")
    version = (await unit(desk, "the-school"))["version"]
    status, problem = await desk.ask("PATCH", "units/the-school", {"version": version, "close": True})
    assert (status, problem["code"]) == (409, "has_units")
    assert problem["words"]["zh"]
    status, merged = await desk.ask("PATCH", "units/the-school", {"version": version, "into": "river"})
    assert (status, merged["successor"]) == (200, "river")
    assert (await unit(desk, "main"))["parent"] == "river"


async def test_groups_are_bound_by_who_may_change_both(desk: Desk) -> None:
    body = {"kind": "group", "first": "the-school", "second": "river"}
    await desk.be("li")
    assert (await desk.ask("POST", "bonds", body))[0] == 404
    await desk.be("boss")
    assert (await desk.ask("POST", "bonds", body))[0] == 201
    assert (await desk.ask("POST", "bonds", body))[0] == 409
    await desk.be("li")
    assert (await unit(desk, "river"))["yours"]  # led now
    assert (await desk.ask("POST", "bonds/end", body))[0] == 204
    assert not (await unit(desk, "river"))["yours"]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "galaxy", "name": NAME, "parent": "the-school"},
        {"kind": "room", "name": {"zh": "", "en": "x"}, "parent": "the-school"},
        {"kind": "room", "name": NAME, "parent": "the-school", "since": "2026-13-01"},
        {"kind": "school", "name": NAME, "parent": "main"},
    ],
)
async def test_a_unit_that_cannot_be_is_refused_in_words(desk: Desk, body: dict[str, object]) -> None:
    await desk.be("boss")
    before = len((await desk.ask("GET", "units"))[1]["units"])
    status, problem = await desk.ask("POST", "units", body)
    assert status in (400, 409)
    assert problem["words"]["zh"]
    assert problem["words"]["en"]
    assert len((await desk.ask("GET", "units"))[1]["units"]) == before


async def test_a_new_person_gets_a_first_password_and_has_to_change_it(desk: Desk) -> None:
    await desk.be("li")
    post = {"role": "teacher", "unit": "the-school"}
    body = {"login": "zhao", "name": {"zh": "<b>赵</b>", "en": "Zhao'; DROP TABLE people;--"}, "post": post}
    status, made = await desk.ask("POST", "people", body)
    assert status == 201
    assert (await desk.ask("POST", "people", body))[1]["code"] == "login_taken"
    _, page = await desk.ask("GET", "people?q=DROP%20TABLE")
    assert [row["login"] for row in page["people"]] == ["zhao"]
    await desk.be("zhao", made["password"])
    assert (await desk.ask("GET", "me"))[1]["must_change"]


async def test_nobody_comes_by_a_reset_to_a_post_that_reaches_further(desk: Desk) -> None:
    await desk.store.people.appoint(Post("boss", PostRole.TEACHER, "the-school", FOUNDED))
    await desk.be("li")
    assert (await desk.ask("POST", "people/boss/password"))[0] == 404
    assert (await desk.ask("PATCH", "people/boss", {"version": 1, "active": False}))[0] == 404
    for role, place in (("county_admin", "the-county"), ("researcher", "the-school"), ("teacher", "river")):
        assert (await desk.ask("POST", "people/wang/posts", {"role": role, "unit": place}))[0] == 404
    assert (await desk.ask("POST", "people/wang/password"))[0] == 200
    await desk.be("boss")
    body = {"role": "researcher", "unit": "the-county"}
    status, row = await desk.ask("POST", "people/wang/posts", body)
    assert (status, len(row["posts"])) == (201, 2)
    assert (await desk.ask("DELETE", f"people/wang/posts/{row['posts'][1]['number']}"))[0] == 200


async def test_people_are_paged_and_a_teacher_sees_none_of_them(desk: Desk) -> None:
    await desk.be("li")
    _, page = await desk.ask("GET", "people?size=1&page=2")
    assert (len(page["people"]), page["total"]) == (1, 2)
    assert (await desk.ask("GET", "people?size=0"))[1]["code"] == "bad_query"
    await desk.be("wang")
    for path in ("people", "audit"):
        assert (await desk.ask("GET", path))[0] == 404


async def test_the_audit_log_is_read_by_the_countys_admin_and_that_is_logged(desk: Desk) -> None:
    for _ in range(3):
        await desk.be("boss")
    _, first = await desk.ask("GET", "audit?size=2")
    assert first["rows"][0]["action"] == "log_in"
    _, rest = await desk.ask("GET", f"audit?size=2&before={first['before']}")
    assert rest["rows"][0]["number"] < first["rows"][-1]["number"]
    _, again = await desk.ask("GET", "audit?action=read_audit")
    assert [row["actor"] for row in again["rows"]] == ["admin:boss"]


async def recorded(desk: Desk, monkeypatch: pytest.MonkeyPatch, *subjects: tuple[str, str]) -> None:
    """A lesson of the main room with tracks of these subjects and rooms."""
    from server.api import consents

    lesson = Lesson(LESSON, words("Lesson"), "main", ("shahe",), LessonState.ENDED, 1_750_000_000_000)
    await desk.store.save_lesson(lesson, None)
    await desk.store.save_recording(RecordingRow(LESSON, "ready", 60.0))
    tracks = [SimpleNamespace(subject=subject, room=room) for subject, room in subjects]
    monkeypatch.setattr(consents, "read_if_there", lambda *_: SimpleNamespace(tracks=tracks))


async def opened_to(desk: Desk, visibility: str) -> tuple[int, str]:
    body = {"lessons": [LESSON], "visibility": visibility}
    status, told = await desk.ask("PATCH", "library", body)
    row = await desk.campus.app[keys.LIBRARY].row(LESSON)
    assert row is not None
    return (status if told is None else told["code"]), row.catalogue.visibility


async def test_pupils_without_consent_are_not_published_and_withdrawal_closes_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await recorded(desk, monkeypatch, ("teacher", "main"), ("pupils", "shahe"))
    await desk.be("boss")
    assert await opened_to(desk, "school") == ("no_consent", "room")
    body = {"version": 0, "level": "school", "note": "paper 7"}
    status, changed = await desk.ask("PUT", "consents/class", body)
    assert (status, changed["unpublished"]) == (200, [])
    assert await opened_to(desk, "school") == (204, "school")
    assert await opened_to(desk, "county") == ("no_consent", "school")
    body = {"version": changed["version"], "level": "publishable"}
    _, changed = await desk.ask("PUT", "consents/class", body)
    assert await opened_to(desk, "county") == (204, "county")
    status, told = await desk.ask("PUT", "consents/class", {**body, "level": "none"})
    assert (status, told["code"]) == (412, "stale_version"), "another admin was first"
    body = {"version": changed["version"], "level": "none"}
    _, changed = await desk.ask("PUT", "consents/class", body)
    assert changed["unpublished"] == [LESSON]
    assert LESSON in desk.campus.app[keys.CLOSED], "addresses that were handed out are over"
    assert await opened_to(desk, "room") == (204, "room")
    _, register = await desk.ask("GET", "consents?unit=shahe")
    assert [(row["unit"], row["level"], row["actor"], row["version"]) for row in register["rows"]] == [
        ("class", "none", "admin:boss", changed["version"])
    ]
    assert (await desk.ask("PUT", "consents/river", {"version": 0, "level": "none"}))[0] == 404


async def test_a_recording_is_public_when_two_people_agree(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await recorded(desk, monkeypatch, ("teacher", "main"))
    await desk.be("boss")
    assert await opened_to(desk, "public") == (204, "room")
    assert (await desk.ask("POST", f"lessons/{LESSON}/public"))[1]["code"] == "needs_two"
    hashed = await passwords.hashed(desk.campus.app, PASSWORD)
    await desk.store.people.add("second", words("second"), hashed, person="second")
    await desk.store.people.appoint(Post("second", PostRole.COUNTY_ADMIN, "the-county", FOUNDED))
    await desk.be("second")
    assert (await desk.ask("POST", f"lessons/{LESSON}/public"))[0] == 204
    row = await desk.campus.app[keys.LIBRARY].row(LESSON)
    assert row is not None
    assert row.catalogue.visibility == "public"


async def test_one_persons_data_is_handed_out_without_secrets_and_erased(desk: Desk) -> None:
    await desk.be("wang")
    await desk.be("boss")
    status, told = await desk.ask("GET", "people/wang/export")
    assert status == 200
    assert told["person"][0]["login"] == "wang"
    assert [row["role"] for row in told["posts"]] == ["teacher"]
    assert len(told["sessions"]) == 1
    assert {"log_in"} <= {row["action"] for row in told["audit"]}
    assert "argon2" not in str(told)
    assert (await desk.ask("DELETE", "people/boss"))[1]["code"] == "not_yourself"
    assert (await desk.ask("DELETE", "people/wang"))[0] == 204
    _, told = await desk.ask("GET", "people/wang/export")
    assert told["person"][0]["name_en"] == "Erased"
    assert (told["posts"], told["sessions"]) == ([], [])
    assert (await desk.ask("POST", "login", {"login": "wang", "password": PASSWORD}))[0] == 403
    await desk.be("li")
    assert (await desk.ask("DELETE", "people/boss"))[0] == 404


async def test_an_erased_teachers_name_goes_from_beside_the_recordings_too_and_nobody_teaching_is_erased(
    desk: Desk,
) -> None:
    await desk.be("boss")
    lesson = Lesson(LESSON, words("Wang reads"), "main", (), LessonState.ENDED, 5, taught_by="wang")
    lesson = replace(lesson, teacher=words("wang"))
    await desk.store.save_lesson(lesson, None)
    folder = desk.campus.config.archive_path / LESSON
    folder.mkdir(parents=True)
    (folder / "lesson.json").write_bytes(msgspec.json.encode(About(lesson, [Mark(1.0, "called")])))
    write_manifest(folder, Manifest(LESSON, "Wang reads", "2026-11-22T08:00:00Z", RecordingState.READY, 60.0))
    publishing = desk.campus.app[keys.PUBLISHING]
    await desk.store.save_recording(RecordingRow(LESSON, "ready", 60.0))
    await publishing.export(LESSON)
    held: Any = SimpleNamespace(lesson=replace(lesson, state=LessonState.OPEN))
    desk.campus.app[keys.LIVE].lessons.add(held, current=False)
    assert (await desk.ask("DELETE", "people/wang"))[1]["code"] == "is_teaching"
    desk.campus.app[keys.LIVE].lessons.forget(held)
    assert (await desk.ask("DELETE", "people/wang"))[0] == 204
    about = msgspec.json.decode((folder / "lesson.json").read_bytes(), type=About)
    assert (about.lesson.title, about.lesson.teacher) == (words("已删除 reads"), words("已删除"))
    assert (about.lesson.taught_by, len(about.marks)) == ("wang", 1)
    assert (read_manifest(folder).title, read_manifest(folder).seconds) == ("已删除 reads", 60.0)
    row = await publishing.row(LESSON)
    assert row is not None
    assert (row.attempt, row.export) == (2, True), "the title card is made again"


async def test_an_api_token_reaches_as_far_as_its_scopes_and_is_revoked(desk: Desk) -> None:
    await desk.be("boss")
    assert (await desk.ask("POST", "me/tokens", {"name": "x", "scopes": ["teach"]}))[1][
        "code"
    ] == "bad_choice"
    body = {"name": "timetable program", "scopes": ["read_units", "read_people"]}
    status, made = await desk.ask("POST", "me/tokens", body)
    assert status == 201
    _, listed = await desk.ask("GET", "me/tokens")
    assert (listed[0]["id"], listed[0]["used_at"]) == (made["id"], None)
    desk.campus.browser.cookie_jar.clear()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert (await desk.ask("GET", "people", **bearer))[0] == 200
    for method, path in (("GET", "audit"), ("GET", "library"), ("POST", "me/tokens"), ("GET", "me/tokens")):
        assert (await desk.ask(method, path, body, **bearer))[0] == 404, path
    await desk.be("boss")
    assert (await desk.ask("DELETE", f"me/tokens/{made['id']}"))[0] == 204
    desk.campus.browser.cookie_jar.clear()
    assert (await desk.ask("GET", "people", **bearer))[0] == 404
    assert (await desk.ask("GET", "people", Authorization="Bearer lk_nothing"))[0] == 404
    files = desk.campus.config.store_path.parent.glob("lianke.sqlite3*")
    assert not any(made["token"].encode() in file.read_bytes() for file in files)


async def test_a_room_or_school_with_booked_lessons_is_not_closed_and_says_how_many(desk: Desk) -> None:
    await desk.be("boss")
    day = str(date.today() + timedelta(days=30))
    lesson = {"main_room": "main", "rooms": ["shahe"], "subject": "english", "teacher": "wang", "day": day,
              "first": 1, "last": 1}  # fmt: skip
    status, booked = await desk.ask("POST", "timetable/lessons", lesson)
    assert status == 201, booked
    for name in ("main", "shahe", "the-school"):
        version = (await unit(desk, name))["version"]
        status, problem = await desk.ask("PATCH", f"units/{name}", {"version": version, "close": True})
        assert (status, problem["code"]) == (409, "has_lessons"), name
        assert "1 " in problem["words"]["zh"]
        assert (await unit(desk, name))["until"] is None
    version = (await unit(desk, "main"))["version"]
    status, problem = await desk.ask("PATCH", "units/main", {"version": version, "main": False})
    assert (status, problem["code"]) == (409, "has_lessons")
    after = str(date.today() + timedelta(days=31))
    version = (await unit(desk, "class"))["version"]
    assert (await desk.ask("PATCH", "units/class", {"version": version, "close": True}))[0] == 200
    version = (await unit(desk, "shahe"))["version"]
    body = {"version": version, "close": True, "day": after}
    assert (await desk.ask("PATCH", "units/shahe", body))[0] == 200, "after its last lesson it may close"


async def test_the_catalogue_gives_up_what_nothing_stands_under(desk: Desk) -> None:
    await desk.be("boss")
    for entry, kind, parent in (("en", "subject", ""), ("pep", "edition", "en")):
        body = {"entry": entry, "kind": kind, "name": NAME, "parent": parent}
        assert (await desk.ask("PUT", "curriculum", body))[0] == 200
    status, problem = await desk.ask("DELETE", "curriculum/en")
    assert (status, problem["code"]) == (409, "has_entries")
    assert (await desk.ask("DELETE", "curriculum/pep"))[0] == 204
    assert (await desk.ask("DELETE", "curriculum/en"))[0] == 204
    assert (await desk.ask("DELETE", "curriculum/en"))[0] == 404
    assert (await desk.ask("DELETE", "curriculum/art"))[0] == 204
    _, left = await desk.ask("GET", "curriculum?kind=subject")
    left = {row["entry"] for row in left["entries"]}
    assert {"chinese", "maths"} <= left, "the usual ones are the county's own now"
    assert "art" not in left
    await desk.be("li")
    assert (await desk.ask("DELETE", "curriculum/english"))[0] == 404


async def test_the_audit_log_is_given_out_as_a_file_by_the_countys_time(desk: Desk) -> None:
    await desk.be("boss")
    await desk.store.audit("admin:boss", "probe", "=1+1", when="now")
    async with desk.campus.browser.get("/api/v1/audit/export.csv?action=probe") as reply:
        assert reply.status == 200
        text = (await reply.read()).decode("utf-8-sig")
    head, line = text.splitlines()
    assert head == "number,time,actor,action,thing,details"
    assert line.endswith("+08:00,admin:boss,probe,'=1+1,when now"), line
    _, page = await desk.ask("GET", "audit?action=export_audit")
    assert len(page["rows"]) == 1
    await desk.be("li")
    assert (await desk.ask("GET", "audit/export.csv"))[0] == 404
