"""AAC of a voice in pieces: most of it beforehand, without a seam, anew where the voice is another."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pytest

from recorder.archive.manifest import Manifest
from recorder.assemble.samples import AUDIO_RATE
from recorder.publish import old_players
from recorder.publish.passing import pieces_made
from recorder.publish.sound import AAC_FRAME, blocks_of
from recorder.publish.voice_pieces import FRAMES, OPUS_PACKET, PACKETS, Voice
from server.drill.lessonkit.report import read_sound
from tests.fakes import recorded_lesson
from tests.fakes.archived_lesson import archive_lesson

SECONDS = 33.0
TONE_EVERY_S = 5.0


@pytest.fixture
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Manifest]:
    """Half a minute and three seconds of a voice that says the same every ten seconds."""
    said = recorded_lesson.voice_packets(10.0)[:500]
    monkeypatch.setattr(recorded_lesson, "voice_packets", lambda s: tuple(islice(cycle(said), int(s * 50))))
    return tmp_path / "L1", archive_lesson(tmp_path, "L1", SECONDS, camera=False)


def loudest_error(voice: np.ndarray, made: np.ndarray, at_s: float) -> float:
    """Between the voice and what was made of it, about a time."""
    around = slice(round(at_s * AUDIO_RATE) - 2 * AAC_FRAME, round(at_s * AUDIO_RATE) + 2 * AAC_FRAME)
    return float(np.sqrt(np.mean((voice[around] - made[around]) ** 2)))


def test_half_a_minute_is_made_while_the_lesson_is_on_and_nobody_hears_where_it_ends(
    lesson: tuple[Path, Manifest],
) -> None:
    folder, manifest = lesson
    assert FRAMES * AAC_FRAME == PACKETS * OPUS_PACKET
    assert old_players.follow(folder, manifest) == 1
    assert old_players.follow(folder, manifest) == 0, "the rest is not all there yet"
    (beforehand,) = pieces_made(folder, "voice.aac")
    made_at = beforehand.stat().st_mtime_ns
    (made,), _ = old_players.for_old_players(folder, manifest, lambda _: None)
    assert beforehand.stat().st_mtime_ns == made_at, "what was made beforehand is not made again"
    assert made.seconds == pytest.approx(SECONDS, abs=0.05)
    (_, voice), (_, aac) = read_sound(folder / "voice.mp4"), read_sound(folder / made.file)
    seam_s = FRAMES * AAC_FRAME / AUDIO_RATE
    elsewhere = max(loudest_error(voice, aac, seam_s - k * TONE_EVERY_S) for k in (2, 3, 4))
    assert loudest_error(voice, aac, seam_s) < 1.5 * elsewhere + 1e-4


def test_a_voice_that_was_recorded_anew_is_made_anew(lesson: tuple[Path, Manifest]) -> None:
    folder, manifest = lesson
    old_players.follow(folder, manifest)
    (beforehand,) = pieces_made(folder, "voice.aac")
    media = bytearray((folder / "voice.mp4").read_bytes())
    media[len(media) // 2] ^= 0x55
    (folder / "voice.mp4").write_bytes(media)
    made_at = beforehand.stat().st_mtime_ns
    old_players.for_old_players(folder, manifest, lambda _: None)
    assert beforehand.stat().st_mtime_ns > made_at


def test_what_cannot_be_decoded_is_silent_and_moves_nothing(lesson: tuple[Path, Manifest]) -> None:
    folder, _ = lesson
    media = (folder / "voice.mp4").read_bytes()
    (folder / "voice.mp4").write_bytes(media[: len(media) // 3])
    voice = Voice(folder, "voice")
    frames = blocks_of(voice.seconds)
    assert sum(count for piece in voice.all(frames) for count, _ in piece.segments) == frames
