"""server.api.publishing: how far it is after class, trying again, how long a recording is kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from recorder.archive.published import Lane, Step, StepState
from server.api import keys
from server.domain.lesson import Lesson
from server.protocol.messages import LessonState, Words
from server.store.publishings import Publishings
from server.store.records import PublishingRow, RecordingRow, RetentionRow
from tests.fakes.archived import record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.api.conftest import Campus, Opener

LESSON = "L0000000001"
FAILED = Step("film", Lane.BULK, StepState.FAILED, 0.4, "disk_full")


@pytest.fixture
async def admin(campus: Campus) -> Campus:
    await lesson_of_an_admin(campus)
    return campus


async def lesson_of_an_admin(campus: Campus) -> None:
    """The admin's browser and a lesson whose film failed."""
    password = {"password": "correct horse battery"}
    async with campus.browser.post("/api/v1/setup", json=password) as reply:
        assert reply.status == 200
    store = campus.app[keys.STORE]
    held = Lesson(LESSON, Words(zh="分数", en="Fractions"), "main", (), LessonState.ENDED, created_at=1000)
    await store.save_lesson(held, None)
    await store.save_recording(RecordingRow(LESSON, "ready", 60.0, 0.9))
    await Publishings(store.database).save(PublishingRow(LESSON, "failed", 1.0, "film", "disk_full"))
    folder = campus.config.archive_path / LESSON
    await asyncio.to_thread(record, folder, title="分数", steps=[FAILED])


async def ask(campus: Campus, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    url = f"/api/v1/lessons/{LESSON}{path}"
    async with campus.browser.request(method, url, json=body) as reply:
        return reply.status, await reply.json() if reply.content_length else None


async def test_a_failed_step_says_why_and_is_tried_again_once(admin: Campus) -> None:
    status, view = await ask(admin, "GET", "/publishing")
    assert (status, view["state"], view["retry"]) == (200, "failed", True)
    step = next(step for step in view["steps"] if step["name"] == "film")
    assert step["problem"] == "disk_full"
    assert "disk" in step["words"]["en"]
    assert "磁盘" in step["words"]["zh"]
    status, view = await ask(admin, "POST", "/publishing/retry", {})
    assert (status, view["state"]) == (202, "waiting")
    status, problem = await ask(admin, "POST", "/publishing/retry", {})
    assert (status, problem["code"]) == (409, "nothing_failed")
    row = await admin.app[keys.PUBLISHING].row(LESSON)
    assert row is not None
    assert (row.attempt, row.export) == (2, False)
    assert (await ask(admin, "POST", "/publishing/export", {}))[0] == 202
    row = await admin.app[keys.PUBLISHING].row(LESSON)
    assert row is not None
    assert (row.attempt, row.export) == (3, True)
    said = {(one.action, one.thing) for one in await admin.app[keys.STORE].audit_log.rows()}
    assert ("publish_again", LESSON) in said


async def card(campus: Campus) -> Any:
    async with campus.browser.get("/api/v1/library") as reply:
        return (await reply.json())["cards"][0]


async def test_a_deleted_lesson_leaves_the_object_store_too(open_campus: Opener, tmp_path: Path) -> None:
    there = tmp_path / "far"
    campus = await open_campus(storage={"url": f"file://{there}"})
    await lesson_of_an_admin(campus)
    (there / LESSON).mkdir(parents=True)
    (there / LESSON / "camera.mp4").write_bytes(b"pictures")
    assert (await ask(campus, "DELETE", ""))[0] == 204
    assert [path for path in there.rglob("*") if path.is_file()] == []


async def test_what_is_over_is_found_no_more_and_what_was_said_in_it_goes_too(admin: Campus) -> None:
    store, edits = admin.app[keys.STORE], admin.app[keys.EDITS]
    await edits.put_captions(LESSON, "zh", "WEBVTT\n")
    gone = RetentionRow(LESSON, "trial", deleted_at=2000)
    await Publishings(store.database).deleted(gone)
    assert await edits.captions(LESSON) == {}
    async with admin.browser.get("/api/v1/library") as reply:
        assert (await reply.json())["cards"] == []


async def test_what_is_held_is_not_deleted(admin: Campus) -> None:
    status, kept = await ask(admin, "GET", "/retention")
    assert (status, kept["kept_as"], kept["hold"]) == (200, "ordinary", "")
    assert kept["expires_at"] is not None
    assert kept["days"] == {"ordinary": 1095, "model": 0, "trial": 30}
    assert (await card(admin))["expires_at"] == kept["expires_at"]
    status, kept = await ask(admin, "PUT", "/retention", {"kept_as": "model", "hold": "家长投诉"})
    assert (status, kept["expires_at"]) == (200, None)
    assert ((await card(admin))["expires_at"], (await card(admin))["hold"]) == (None, "家长投诉")
    status, kept = await ask(admin, "PUT", "/retention", {"kept_as": "trial"})
    assert (status, kept["kept_as"], kept["hold"]) == (200, "trial", "家长投诉"), "what is left out stays"
    status, problem = await ask(admin, "DELETE", "")
    assert (status, problem["code"]) == (409, "held")
    assert "家长投诉" in problem["words"]["zh"]
    assert (admin.config.archive_path / LESSON / "manifest.json").exists()
    status, problem = await ask(admin, "PUT", "/retention", {"kept_as": "gone"})
    assert (status, problem["code"]) == (400, "bad_choice")
    assert (await ask(admin, "PUT", "/retention", {"kept_as": "trial", "hold": ""}))[0] == 200
    assert (await ask(admin, "DELETE", ""))[0] == 204


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/publishing/retry"),
        ("POST", "/publishing/export"),
        ("PUT", "/retention"),
        ("GET", "/retention"),
    ],
)
async def test_strangers_find_nothing(admin: Campus, method: str, path: str) -> None:
    admin.browser.cookie_jar.clear()
    status, _ = await ask(admin, method, path, {"kept_as": "trial"} if method == "PUT" else None)
    assert status == 404
