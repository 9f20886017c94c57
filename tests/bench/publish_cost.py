"""What making everything of a lesson costs, against one plain ffmpeg command making the same files:
`python -m tests.bench.publish_cost --seconds 60`. CPU time of both, one after the other, in one run.

The lesson: camera 1280x720 at 25 pictures a second, courseware 1280x720 at 10, a voice. The files: 720p and
360p of both, the sound evened, the film (courseware with the camera in its corner). Ours also makes chapters,
thumbnails and the count of every picture.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from recorder.archive.published import StepName
from recorder.publish.jobs import Job, Outcome, Settings
from recorder.publish.passing import pieces_of
from recorder.publish.worker import Work
from tests.fakes import archived_lesson, recorded_lesson

WIDTH, HEIGHT = 1280, 720
STEPS = [StepName.VERIFY, StepName.SPRITES, StepName.CHAPTERS, StepName.RENDITIONS, StepName.FILM]


def cpu_s(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def ours(archive: Path, seconds: float) -> dict[str, float]:
    """In this process, as the working process does it."""
    work = Work(archive, Settings(least_free_bytes=0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    begun = {"cpu_s": cpu_s(resource.RUSAGE_SELF), "s": time.monotonic()}
    aac_at = time.monotonic()
    done(work.do(Job("L1", StepName.POSTER)))
    done(work.do(Job("L1", StepName.AAC)))
    aac_s = time.monotonic() - aac_at
    aac_cpu = cpu_s(resource.RUSAGE_SELF) - begun["cpu_s"]
    sound = done(work.do(Job("L1", StepName.SOUND))).sound
    for piece in range(pieces_of(seconds, 60.0)):
        done(work.do(Job("L1", StepName.VERIFY, piece=piece, steps=STEPS)))
    for step in STEPS:
        done(work.do(Job("L1", step, sound=sound)))
    return {
        "cpu_s": cpu_s(resource.RUSAGE_SELF) - begun["cpu_s"] - aac_cpu,
        "s": time.monotonic() - begun["s"] - aac_s,
        "instant_s": aac_s,
        "instant_cpu_s": aac_cpu,
    }


def done(outcome: Outcome) -> Outcome:
    assert outcome.problem is None, outcome
    return outcome


def plain(folder: Path, out: Path) -> dict[str, float]:
    """One ffmpeg command."""
    video = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-threads", "2", "-an"]
    rungs = {"720p": ("23", "2500k", "5000k"), "360p": ("25", "700k", "1400k")}
    graph = (
        "[0:v]split=3[c1][c2][c3];[1:v]split=3[s1][s2][s3];[c2]scale=640:360[c360];[s2]scale=640:360[s360];"
        "[c3]scale=282:158,fps=25[small];[s3]fps=25[big];[big][small]overlay=978:542[film];"
        "[2:a]loudnorm=I=-16:TP=-1.5,aresample=48000,asplit=2[a1][a2]"
    )
    command = ["ffmpeg", "-v", "error", "-y", "-i", "camera.mp4", "-i", "screen.mp4", "-i", "voice.mp4",
               "-filter_complex", graph]  # fmt: skip
    for name, source in (("camera", "c"), ("screen", "s")):
        for rung, (crf, most, buffer) in rungs.items():
            label = f"{source}1" if rung == "720p" else f"{source}360"
            command += ["-map", f"[{label}]", *video, "-crf", crf, "-maxrate", most, "-bufsize", buffer]
            command += ["-fps_mode", "passthrough", str(out / f"{name}.{rung}.mp4")]
    command += ["-map", "[film]", "-map", "[a1]", *video[:-1], "-crf", "22", "-maxrate", "4000k",
                "-bufsize", "8000k", "-c:a", "aac", "-b:a", "128k", str(out / "film.mp4")]  # fmt: skip
    command += ["-map", "[a2]", "-c:a", "aac", "-b:a", "128k", str(out / "sound.m4a")]
    begun = cpu_s(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, cwd=folder, check=True)
    return {"cpu_s": cpu_s(resource.RUSAGE_CHILDREN) - begun[0], "s": time.monotonic() - begun[1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        raise SystemExit("ffmpeg is not installed: there is nothing to compare with")
    with tempfile.TemporaryDirectory() as name:
        archive, out = Path(name) / "archive", Path(name) / "plain"
        out.mkdir()
        make_big(archive, arguments.seconds)
        told = os.dup(1)
        figures = {"plain": plain(archive / "L1", out), "ours": ours(archive, arguments.seconds)}
        figures["ratio"] = {"cpu": round(figures["ours"]["cpu_s"] / figures["plain"]["cpu_s"], 3)}
        os.write(told, json.dumps(figures, indent=1).encode() + b"\n")


def make_big(archive: Path, seconds: float) -> None:
    camera, screen = recorded_lesson.camera_units, archived_lesson.screen_units
    recorded_lesson.camera_units = lambda s: camera(s, WIDTH, HEIGHT)  # type: ignore[assignment]
    archived_lesson.screen_units = lambda s: screen(s, WIDTH, HEIGHT)  # type: ignore[assignment]
    archived_lesson.archive_lesson(archive, "L1", seconds, screen=True)


if __name__ == "__main__":
    main()
