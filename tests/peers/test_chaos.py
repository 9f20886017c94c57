"""Processes die at fixed moments of one lesson: what was sent outside of an outage is in its recording."""

from __future__ import annotations

import json

from tests.chaos.judging import CAMPUS, PUBLISHER, RECORDER, WORKER
from tests.chaos.lesson import figures, lesson

KILLS = [(0.5, RECORDER), (0.5, PUBLISHER), (0.5, CAMPUS), (3.0, WORKER)]


async def test_a_lesson_in_which_everything_died_once_is_one_recording_with_its_outages_listed() -> None:
    told = await lesson(KILLS, rest_s=3.0)
    print(json.dumps(figures(told)))
    assert told.verdict.faults == []
    assert told.recordings == 1
    assert [outage.victim for outage in told.verdict.outages] == [WORKER]
