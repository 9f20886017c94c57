"""`lianke recording show` and `export`: what was made after class, told and taken out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recorder.archive.published import Chapter, Published, Rendition, RenditionKind, write_published
from server.cli import main
from tests.fakes.archived_lesson import archive_lesson

KEYS = {"lesson", "state", "ready_after_s", "seconds", "tracks", "renditions", "hls", "film", "chapters"}


def run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object], str]:
    config = folder / "lianke.toml"
    config.write_text(f'[data]\ndirectory = "{folder}"\n')
    code = main(["recording", *words, "--config", str(config), "--json"])
    told = capsys.readouterr()
    return code, json.loads(told.out) if told.out else {}, told.err


def test_show_tells_all_and_export_takes_it_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive_lesson(tmp_path / "archive", "L1", 1.0)
    folder, out = tmp_path / "archive" / "L1", tmp_path / "out"
    code, shown, _ = run(tmp_path, capsys, "show", "L1")
    assert code == 0
    assert set(shown) >= KEYS
    assert (shown["film"], shown["renditions"], shown["chapters"]) == (None, [], [])
    code, _, words = run(tmp_path, capsys, "export", "L1", "--to", str(out), "--only", "film")
    assert code == 2
    assert "has no such film yet" in words
    (folder / "lesson.film.mp4").write_bytes(b"film")
    film = Rendition(RenditionKind.FILM, "lesson.film.mp4", codec="H264+AAC", seconds=1.0, bytes=4)
    write_published(folder, Published("L1", renditions=[film], chapters=[Chapter(0.0, 1.0)]))
    _, shown, _ = run(tmp_path, capsys, "show", "L1")
    assert shown["film"] == str(folder / "lesson.film.mp4")
    assert shown["chapters"] == [{"start_s": 0.0, "end_s": 1.0, "title": "", "picture": ""}]
    code, written, _ = run(tmp_path, capsys, "export", "L1", "--to", str(out), "--only", "film")
    assert (code, written["files"]) == (0, [str(out / "分数 Fractions L1.mp4")])
    code, _, _ = run(tmp_path, capsys, "export", "L1", "--to", str(out))
    assert code == 0
    names = {path.name for path in (out / "L1").iterdir()}
    assert {"manifest.json", "published.json", "camera.mp4", "voice.m3u8", "lesson.film.mp4"} <= names
    assert "journal" not in names, "what came stays; what plays goes out"
    code, _, words = run(tmp_path, capsys, "export", "L1", "--to", str(out))
    assert code == 2
    assert "was left as it is" in words
