"""server.api.exports and receipts: lessons leave as one zip that plays offline; a lesson's proof."""

from __future__ import annotations

import asyncio
import io
import json
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from server.api import keys
from server.api.zipping import zip_pieces
from server.domain.lesson import Lesson
from server.domain.reception import Kind, Reception, Side, Span
from server.protocol.messages import LessonState, Words
from server.store.records import Mark, RecordingRow
from tests.fakes.archived import MEDIA, record

if TYPE_CHECKING:
    from tests.unit.api.conftest import Campus

LESSON = "L0000000001"
HELD = int(datetime(2026, 9, 2, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1000)
"""The day before, by a machine's clock that is set to UTC."""
PASSWORD = {"password": "correct horse battery"}


@pytest.fixture
async def admin(campus: Campus) -> Campus:
    async with campus.browser.post("/api/v1/setup", json=PASSWORD) as reply:
        assert reply.status == 200
    held = Lesson(LESSON, Words(zh="</script>甲", en="A"), "main", ("shahe", "yefan"), LessonState.ENDED,
                  created_at=HELD, started_at=HELD, ended_at=HELD + 60_000)  # fmt: skip
    store = campus.app[keys.STORE]
    await store.save_lesson(held, None)
    await store.save_recording(RecordingRow(LESSON, "ready", 60.0, 0.9))
    await store.save_marks(LESSON, [Mark(10.0, "called", {"room": "shahe"}),
                                    Mark(25.5, "call_ended", {"room": "shahe"})])  # fmt: skip
    await asyncio.to_thread(record, campus.config.archive_path / LESSON)
    return campus


async def wish(campus: Campus, body: Any) -> tuple[int, Any]:
    async with campus.browser.post("/api/v1/library/export", json=body) as reply:
        return reply.status, await reply.json()


async def test_a_week_is_one_zip_whose_page_holds_all_it_needs(admin: Campus) -> None:
    edit = {"in_s": 5.0, "cuts": [{"start_s": 20.0, "end_s": 30.0}]}
    async with admin.browser.put(f"/api/v1/lessons/{LESSON}/edit", json=edit) as reply:
        assert reply.status == 200
    status, told = await wish(admin, {"week": "2026-09-06"})
    assert status == 200
    async with admin.browser.get(told["url"]) as reply:
        assert reply.content_type == "application/zip"
        content = await reply.read()
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    folder = f"2026-09-02_{LESSON}"
    assert archive.namelist() == ["index.html", f"{folder}/lesson.film.mp4", f"{folder}/lesson.poster.jpg"]
    assert archive.read(f"{folder}/lesson.film.mp4") == MEDIA
    page = archive.read("index.html").decode()
    assert page.count("</script>") == 2, "a title ends no script"
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page)
    assert found
    (lesson,) = json.loads(found[1])["lessons"]
    assert lesson["title"] == "</script>甲"
    assert lesson["kept"] == [[5.0, 20.0], [30.0, 60.0]]
    assert not re.search(r"""(?:src|href)=["']?https?:""", page)
    rows = [row for row in await admin.app[keys.STORE].audit_log.rows() if row.action == "export"]
    assert [(row.actor, row.thing) for row in rows] == [("admin:admin", LESSON)]


async def test_an_empty_week_is_told_in_words_and_a_copied_address_is_worth_nothing(admin: Campus) -> None:
    status, told = await wish(admin, {"week": "2020-01-01"})
    assert (status, told["code"]) == (400, "bad_choice")
    assert (await wish(admin, {"week": "x"}))[1]["code"] == "bad_query"
    _, told = await wish(admin, {"lessons": [LESSON]})
    admin.browser.cookie_jar.clear()
    async with admin.browser.get(told["url"]) as reply:
        assert reply.status == 404
    assert (await wish(admin, {"lessons": [LESSON]}))[0] == 404


def test_a_zip_is_made_in_pieces_and_leaves_out_what_is_gone(tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(5 << 20))
    pieces = list(zip_pieces([("a.txt", b"a"), ("gone", tmp_path / "gone"), ("b/large.bin", large)]))
    assert max(map(len, pieces)) < 2 << 20
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.testzip() is None
    assert {item.filename: item.file_size for item in archive.infolist()} == {
        "a.txt": 1,
        "b/large.bin": 5 << 20,
    }


async def test_a_receipt_tells_rooms_calls_and_holes_with_their_side(admin: Campus) -> None:
    spans = (
        Span(HELD, HELD + 4_000, Kind.HOLE, Side.DEVICE, "page_closed"),
        Span(HELD + 4_000, HELD + 40_000, Kind.PICTURE),
        Span(HELD + 40_000, HELD + 40_600, Kind.HOLE, Side.LINE, "nothing_decoded"),
        Span(HELD + 40_600, HELD + 50_000, Kind.SOUND, Side.LINE, "held"),
        Span(HELD + 50_000, HELD + 60_000, Kind.BROADCAST, Side.LINE, "hls"),
    )
    await admin.app[keys.SPANS].write(LESSON, [Reception("shahe", spans, None, 0)])
    async with admin.browser.get(f"/api/v1/lessons/{LESSON}/receipt") as reply:
        told = await reply.json()
    assert [(room["room"], room["called"], room["spoke_s"]) for room in told["rooms"]] == [
        ("shahe", 1, 15.5),
        ("yefan", 0, 0.0),
    ]
    assert [(hole["cause"], hole["side"], hole["end_s"]) for hole in told["holes"]] == [
        ("source_away", "main_room", 7.5)
    ]
    shahe, yefan = told["rooms"]
    assert (shahe["present_s"], yefan["present_s"]) == (55.4, None), "nobody knows of the other"
    assert [
        (hole["start_s"], hole["end_s"], hole["kind"], hole["cause"], hole["side"]) for hole in shahe["holes"]
    ] == [
        (0.0, 4.0, "hole", "page_closed", "device"),
        (40.6, 50.0, "sound", "held", "line"),
    ]
    assert told["url"].endswith(f"/replay/{LESSON}")
    assert told["qr"].startswith("<svg")
    rows = await admin.app[keys.STORE].audit_log.rows()
    assert rows[0].action == "read_receipt"
