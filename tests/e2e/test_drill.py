"""`lianke drill` as a person or a program runs it."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sys
from pathlib import Path

import pytest

from server.drill.lessonkit.report import report
from server.drill.own_server import free_port

POINT_KEYS = {"name", "joined_s", "first_frame_s", "received_s", "freezes", "lost", "back_after_s"}
RECORDING_KEYS = {"ready_after_s", "seconds", "distinct_ratio", "av_offset_ms", "gaps", "path"}


async def lianke(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", *arguments, stdout=pipe, stderr=pipe
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_drill_holds_a_lesson_in_which_nothing_is_to_be_noticed(tmp_path: Path) -> None:
    code, out, err = await lianke(
        "drill", "--points", "3", "--seconds", "14", "--out", str(tmp_path), "--json"
    )
    figures = json.loads(out)
    assert code == 0, err
    assert set(figures) == {"ok", "points", "latency_ms_median", "call_heard_s", "recording", "published"}
    assert figures["ok"] is True
    assert [set(point) for point in figures["points"]] == [POINT_KEYS] * 3
    assert [point["back_after_s"] is not None for point in figures["points"]] == [False, False, True]
    assert set(figures["recording"]) == RECORDING_KEYS
    kinds = [made["kind"] for made in figures["published"]["renditions"]]
    assert kinds == ["720p", "360p", "sound", "film"]
    recorded = Path(figures["recording"]["path"])
    assert recorded.is_relative_to(tmp_path)
    found = report(recorded)
    assert found.seconds > 10
    assert found.tones >= 2, "the playlist plays picture and sound together"


@pytest.mark.parametrize("source", ["rtsp", "rtmp"])
async def test_a_lesson_taught_by_a_box_is_as_good(source: str) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("apt-get install ffmpeg")
    _, out, err = await lianke("drill", "--points", "1", "--seconds", "12", "--source", source, "--json")
    assert out, err
    found = json.loads(out)
    assert found["recording"]["distinct_ratio"] > 0.85, err
    assert abs(found["recording"]["av_offset_ms"]) < 60
    assert found["call_heard_s"] is not None
    assert found["points"][0]["received_s"] > 3
    assert found["published"] is not None


async def test_a_drill_without_a_server_to_talk_to_says_so_and_fails() -> None:
    nowhere = f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}"
    code, out, err = await lianke("drill", "--server", nowhere, "--json")
    assert (code, out) == (1, "")
    assert nowhere.rpartition(":")[2] in err
    assert "Traceback" not in err
