"""What it costs to make H.264 of pictures that came in another codec:

    python -m tests.bench.transcode_cost [--codec VP8] [--seconds 20]

A 1280x720 camera of 25 pictures a second and a voice, from the journal; CPU for each second of lesson.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from recorder.archive.published import StepName
from recorder.publish.jobs import Job, Settings
from recorder.publish.worker import Work
from tests.fakes import recorded_lesson as sent
from tests.fakes.archived_lesson import archive_sent
from tests.fakes.foreign_rtp import ENCODERS, camera_in, foreign_packets


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--codec", choices=sorted(ENCODERS), default="VP8")
    parser.add_argument("--seconds", type=int, default=20)
    asked = parser.parse_args()
    codec, seconds = asked.codec, float(asked.seconds)
    packets = sent.in_order(
        foreign_packets(codec, seconds, width=1280, height=720),
        sent.voice_packets_sent(sent.voice_sender(), seconds),
    )
    with tempfile.TemporaryDirectory() as name:
        archive_sent(Path(name), "L1", packets, seconds, [camera_in(codec), sent.VOICE])
        begun = time.monotonic(), time.process_time()
        outcome = Work(Path(name), Settings(least_free_bytes=0)).do(Job("L1", StepName.TRANSCODE))
        took, cpu = time.monotonic() - begun[0], time.process_time() - begun[1]
    assert outcome.problem is None, outcome
    each = round(cpu / seconds, 2)
    print(json.dumps({"codec": codec, "seconds": seconds, "s": round(took, 1), "cpu_s_a_second": each}))


if __name__ == "__main__":
    main()
