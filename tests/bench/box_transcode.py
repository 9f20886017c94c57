"""What a transcoded source costs: 1080p25 in H.265 made into H.264, here and by plain ffmpeg.

`python -m tests.bench.box_transcode --seconds 10`: CPU of decoding and encoding, each in a process
of its own, in turns. Prints cores a source, and the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import av
from av.video.frame import VideoFrame

from server.ingest.picture import KEYFRAME_EVERY_S, PictureEncoder, decode_alone

FPS, BITRATE_BPS = 25, 2_500_000
TURNS = 3


def make(path: Path, seconds: int) -> None:
    """A moving picture with noise in it, about 3 Mbit/s."""
    source = f"testsrc2=size=1920x1080:rate={FPS},noise=alls=6:allf=t"
    subprocess.run(
        ["ffmpeg", "-y", "-loglevel", "error", "-f", "lavfi", "-i", source, "-t", str(seconds),
         "-c:v", "libx265", "-preset", "ultrafast", "-b:v", "3M", "-x265-params", "log-level=none:keyint=50",
         "-pix_fmt", "yuv420p", str(path)],
        check=True,
    )  # fmt: skip


def ours(path: Path) -> None:
    """As `server.ingest.pulling` does it, without its cap on the size."""
    encoder = PictureEncoder(1920 * 1080, FPS, BITRATE_BPS)
    with av.open(str(path)) as container:
        decode_alone(container.streams.video[0])
        for packet in container.demux(video=0):
            for frame in packet.decode():
                if isinstance(frame, VideoFrame):
                    list(encoder.encode(frame, float(frame.time)))


def plain(path: Path) -> list[str]:
    rate = BITRATE_BPS // 1000
    return [
        "ffmpeg", "-loglevel", "error", "-i", str(path), "-an",
        "-c:v", "libx264", "-profile:v", "baseline", "-preset", "veryfast", "-tune", "zerolatency",
        "-b:v", f"{rate}k", "-maxrate", f"{rate}k", "-bufsize", f"{rate // 2}k",
        "-g", str(KEYFRAME_EVERY_S * FPS), "-x264-params", "repeat-headers=1:threads=1", "-f", "null", "-",
    ]  # fmt: skip


def cpu_s(command: list[str]) -> float:
    process = subprocess.Popen(command)
    used = os.wait4(process.pid, 0)[2]
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ours:
        ours(options.ours)
        return
    own = [sys.executable, "-m", "tests.bench.box_transcode", "--ours"]
    with tempfile.TemporaryDirectory() as folder:
        clip, nothing = Path(folder) / "clip.mp4", Path(folder) / "short.mp4"
        make(clip, options.seconds)
        make(nothing, 1)
        turns = [
            (
                cpu_s([*own, str(clip)]) - cpu_s([*own, str(nothing)]),
                cpu_s(plain(clip)) - cpu_s(plain(nothing)),
            )
            for _ in range(TURNS)
        ]
    here, there = (sorted(column)[TURNS // 2] / (options.seconds - 1) for column in zip(*turns, strict=True))
    figures = {"cores": round(here, 3), "ffmpeg_cores": round(there, 3), "ratio": round(here / there, 3)}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
