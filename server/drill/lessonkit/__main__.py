"""Write a lesson's files: `python -m server.drill.lessonkit OUT --seconds 60`."""

from __future__ import annotations

import argparse
from pathlib import Path

from server.drill.lessonkit.files import write_lesson
from server.drill.lessonkit.media import plan_lesson


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Write camera.mjpeg, screen.mjpeg, voice.wav and truth.json."
    )
    parser.add_argument("out", type=Path, help="folder for the files, made where missing")
    parser.add_argument("--seconds", type=float, default=60, help="rounded up to a multiple of 5")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same lesson")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--fps", type=int, default=25)
    args = parser.parse_args()
    write_lesson(args.out, plan_lesson(args.seed, args.seconds), args.width, args.height, args.fps)


if __name__ == "__main__":
    main()
