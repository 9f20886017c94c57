"""`lianke recording`: what it finds, what it makes good, what it says where it cannot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recorder.archive.holding import held
from recorder.archive.manifest import Manifest, read_manifest, write_manifest
from recorder.contract import RecordingState
from server.cli import main
from server.clock import SystemClock
from server.domain.lesson import Lesson
from server.protocol.messages import LessonState, Words
from server.store.records import About, Mark
from server.store.store import Store
from tests.fakes.made_recording import make_recording
from tests.fakes.recorded_lesson import lesson

SECONDS = 4.0
PICTURES, SOUNDS = 100, 200
Command = Callable[..., tuple[int, Any, str]]


def make(archive: Path, name: str) -> Path:
    """A whole recording that is ready."""
    folder = archive / name
    tracks = make_recording(folder, lesson(SECONDS), SECONDS)
    ready = Manifest(
        name, "分数", "2026-11-21T08:00:00+08:00", RecordingState.READY, SECONDS, 0.4,
        playlist="lesson.m3u8", tracks=list(tracks.values()),
        bytes=sum(track.bytes for track in tracks.values()), journal_bytes=1,
    )  # fmt: skip
    write_manifest(folder, ready)
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    make(tmp_path / "archive", "L1")
    return tmp_path / "archive"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run it: exit code, its JSON (None where it failed), its words."""
    config = tmp_path / "lianke.toml"
    config.write_text(f'[data]\ndirectory = "{tmp_path}"\n')
    monkeypatch.setattr("server.cli_recording.os.nice", lambda _: 0)

    def run(*words: str) -> tuple[int, Any, str]:
        code = main(["recording", *words, "--config", str(config), "--json"])
        told = capsys.readouterr()
        return code, json.loads(told.out) if told.out else None, told.err

    return run


def test_a_whole_recording_is_verified_and_its_journal_goes(archive: Path, command: Command) -> None:
    code, found, _ = command("verify", "L1")
    assert code == 0
    assert found["whole"] is True
    assert (found["pictures"], found["pictures_decoded"]) == (PICTURES, PICTURES)
    assert found["sounds"] == found["sounds_decoded"] >= SOUNDS
    assert found["sync_ms"] <= 20
    assert not (archive / "L1" / "journal").exists()
    manifest = read_manifest(archive / "L1")
    assert {file.name for file in manifest.files} == {
        f"{track}{end}" for track in ("camera", "voice") for end in (".mp4", "-init.mp4", ".m3u8")
    } | {"lesson.m3u8"}
    assert manifest.journal_bytes == 0
    assert command("verify")[1][0]["whole"] is True
    code, _, words = command("rebuild", "L1")
    assert code == 2
    assert "日志已在校验后删除" in words
    assert "was deleted after it was verified" in words


def test_a_journal_is_kept_where_that_is_wanted(archive: Path, command: Command) -> None:
    assert command("verify", "L1", "--keep-journal")[0] == 0
    assert (archive / "L1" / "journal" / "000001.lkj").exists()


@pytest.mark.parametrize("when", ["before the first verification", "after it"])
def test_a_damaged_picture_is_found_and_made_good_from_the_journal(
    archive: Path, command: Command, when: str
) -> None:
    folder = archive / "L1"
    before = {path.name: path.read_bytes() for path in folder.glob("*.*4*")}
    if when == "after it":
        command("verify", "L1", "--keep-journal")
    data = bytearray((folder / "camera.mp4").read_bytes())
    data[20_000:20_200] = bytes(200)
    (folder / "camera.mp4").write_bytes(data)
    (folder / "voice-init.mp4").unlink()
    code, found, _ = command("verify", "L1")
    assert code == 1
    assert "missing:voice-init.mp4" in found["problems"]
    assert ("sum:camera.mp4" if when == "after it" else "pictures:camera") in found["problems"]
    assert found["pictures_decoded"] < PICTURES
    assert (folder / "journal").exists(), "a journal goes only where all is well"
    code, rebuilt, _ = command("rebuild", "L1")
    assert code == 0
    assert rebuilt["seconds"] == pytest.approx(SECONDS, abs=0.1)
    assert {path.name: path.read_bytes() for path in folder.glob("*.*4*")} == before
    assert command("verify", "L1")[0] == 0


def test_show_tells_tracks_holes_and_the_verdict(archive: Path, command: Command) -> None:
    command("verify", "L1")
    code, found, _ = command("show", "L1")
    assert code == 0
    assert (found["lesson"], found["state"], found["ready_after_s"]) == ("L1", "ready", 0.4)
    assert [(t["source"], t["codec"], t["gaps"]) for t in found["tracks"]] == [
        ("camera", "H264", []),
        ("voice", "opus", []),
    ]
    assert Path(found["tracks"][0]["path"]) == archive / "L1" / "camera.mp4"
    assert found["verdict"]["whole"] is True
    assert found["hls"].endswith("lesson.m3u8")


def test_a_lost_manifest_is_made_again_from_the_journal(archive: Path, command: Command) -> None:
    (archive / "L1" / "manifest.json").write_bytes(b'{"version": 1, "les')
    code, _, words = command("show", "L1")
    assert code == 2
    assert "lianke recording rebuild L1" in words
    code, found, _ = command("rebuild", "L1")
    assert (code, found["state"], found["title"]) == (0, "ready", "L1")
    assert found["started_at"]
    assert command("verify", "L1")[1]["whole"] is True


def test_what_only_the_disk_knows_is_put_back_into_the_database(archive: Path, command: Command) -> None:
    (archive / "L2").mkdir()
    code, found, _ = command("rescan")
    assert code == 1
    assert found == {
        "recordings": 1,
        "lessons_added": ["L1"],
        "unreadable": [{"lesson": "L2", "problem": "missing"}],
    }
    (archive / "L2").rmdir()
    assert command("rescan")[:2] == (0, {"recordings": 1, "lessons_added": [], "unreadable": []})


async def test_a_lesson_put_back_is_over_and_playable(tmp_path: Path, archive: Path) -> None:
    from server.cli_recording import _rescan

    await _rescan(archive, tmp_path / "lianke.sqlite3")
    store = await Store.open(tmp_path / "lianke.sqlite3", SystemClock())
    overview = await store.lesson("L1")
    await store.close()
    assert overview is not None
    assert overview.recording is not None
    assert (overview.lesson.title.zh, overview.lesson.state) == ("分数", "ended")
    assert (overview.lesson.ended_at or 0) - (overview.lesson.started_at or 0) == 4000
    assert (overview.recording.state, overview.recording.seconds) == ("ready", SECONDS)


async def test_rooms_and_marks_come_back_from_what_campus_had_put_beside_the_recording(
    tmp_path: Path, archive: Path
) -> None:
    from server.cli_recording import _rescan

    taught = Lesson(
        "L1",
        Words("分数", "Fractions"),
        "main",
        ("shahe", "yefan"),
        LessonState.ENDED,
        started_at=1,
        ended_at=4001,
    )
    about = About(taught, [Mark(2.0, "called", {"room": "shahe"})])
    (archive / "L1" / "lesson.json").write_bytes(msgspec.json.encode(about))
    await _rescan(archive, tmp_path / "lianke.sqlite3")
    store = await Store.open(tmp_path / "lianke.sqlite3", SystemClock())
    overview, marks = await store.lesson("L1"), await store.marks("L1")
    await store.close()
    assert overview is not None
    assert overview.lesson == taught
    assert marks == about.marks


VERBS = ("show", "verify", "rebuild")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("lesson_id", "words"),
    [
        ("../L1", ("不是课堂编号", "not a lesson id")),
        ("/etc", ("不是课堂编号", "not a lesson id")),
        ("Lnone", ("没有课堂", "no recording of lesson")),
        ("Lcopy", ("两节课同名", "two lessons of one name")),
        ("Lnewer", ("请先升级", "upgrade first")),
    ],
)
def test_what_cannot_be_is_said_in_both_languages_and_changes_nothing(
    archive: Path, command: Command, verb: str, lesson_id: str, words: tuple[str, str]
) -> None:
    shutil.copytree(archive / "L1", archive / "Lcopy")
    (archive / "Lnewer").mkdir()
    (archive / "Lnewer" / "manifest.json").write_bytes(msgspec.json.encode({"version": 2, "shape": "new"}))
    before = {path: path.read_bytes() for path in archive.rglob("*") if path.is_file()}
    code, _, told = command(verb, lesson_id)
    assert code == 2
    assert all(part in told for part in words), told
    assert {path: path.read_bytes() for path in archive.rglob("*") if path.is_file()} == before


def test_a_lesson_that_goes_on_or_is_empty_is_left_alone(archive: Path, command: Command) -> None:
    live = msgspec.structs.replace(read_manifest(archive / "L1"), state=RecordingState.RECORDING)
    write_manifest(archive / "L1", live)
    (archive / "Lempty" / "journal").mkdir(parents=True)
    write_manifest(archive / "Lempty", Manifest("Lempty", "", "", RecordingState.READY))
    for verb in ("verify", "rebuild"):
        code, _, words = command(verb, "L1")
        assert code == 2
        assert "还在录制" in words
    code, _, words = command("verify", "Lempty")
    assert code == 2
    assert "没有录到任何画面或声音" in words
    assert command("verify")[1] == [{"lesson": "Lempty", "whole": True, "problems": ["empty"]}]
    rows = command("list")[1]
    assert [(row["lesson"], row["state"], row["verified"]) for row in rows] == [
        ("L1", "recording", None),
        ("Lempty", "ready", None),
    ]


def test_a_lesson_that_was_cut_off_for_good_is_made_whole_when_asked(archive: Path, command: Command) -> None:
    live = msgspec.structs.replace(read_manifest(archive / "L1"), state=RecordingState.RECORDING, tracks=[])
    write_manifest(archive / "L1", live)
    with held(archive / "L1"):
        code, _, words = command("rebuild", "L1", "--unfinished")
        assert code == 2
        assert "Another program is working on L1" in words
    code, found, _ = command("rebuild", "L1", "--unfinished")
    assert (code, found["state"], len(found["tracks"])) == (0, "ready", 2)
    assert command("verify", "L1")[1]["whole"] is True


def test_a_rebuild_that_would_lose_something_changes_nothing(archive: Path, command: Command) -> None:
    path = archive / "L1" / "journal" / "000001.lkj"
    data = bytearray(path.read_bytes())
    data[-50] ^= 1
    path.write_bytes(data)
    before = {path: path.read_bytes() for path in archive.rglob("*") if path.is_file()}
    code, _, words = command("rebuild", "L1")
    assert code == 2
    assert "Nothing changed" in words
    assert {path: path.read_bytes() for path in archive.rglob("*") if path.is_file()} == before
