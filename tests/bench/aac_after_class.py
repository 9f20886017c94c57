"""How long the AAC of a whole lesson's voice takes: `python -m tests.bench.aac_after_class --minutes 45`."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from recorder.archive.published import StepName
from recorder.publish.jobs import Job, Settings
from recorder.publish.worker import Work
from tests.fakes import recorded_lesson
from tests.fakes.archived_lesson import archive_lesson


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=45)
    minutes = parser.parse_args().minutes
    voice = recorded_lesson.voice_packets
    recorded_lesson.voice_packets = lambda _: voice(60.0)[:3000] * minutes  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as name:
        archive_lesson(Path(name), "L1", 60.0 * minutes, camera=False)
        begun = time.monotonic(), time.process_time()
        outcome = Work(Path(name), Settings(least_free_bytes=0)).do(Job("L1", StepName.AAC))
        took, cpu = time.monotonic() - begun[0], time.process_time() - begun[1]
    assert outcome.problem is None, outcome
    made = outcome.renditions[0].seconds
    print(json.dumps({"minutes": round(made / 60, 2), "s": round(took, 1), "cpu_s": round(cpu, 1)}))


if __name__ == "__main__":
    main()
