"""A recorder that goes on from a checkpoint makes, byte for byte, what it would have made without."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from recorder import checkpoint
from recorder.archive.manifest import Track
from recorder.checkpoint import CHECKPOINT, read_checkpoint
from recorder.fragments import BadFragments, read_fragments
from recorder.journal import EntryKind, JournalWriter, Opened, Place
from recorder.making import Making
from tests.fakes.recorded_lesson import (
    CAMERA,
    SCREEN,
    VOICE,
    Sent,
    camera_packets,
    camera_sender,
    in_order,
    span_of,
    voice_packets_sent,
    voice_sender,
)

SECONDS = 20.0
LAST = Place(1, 1 << 40)
CUT_S = 13.3


def packets() -> list[Sent]:
    """Camera, a screen that changes its size, a voice; a lost packet here and there."""
    small = camera_packets(camera_sender(SCREEN, 0x3333), 8.0, width=160, height=90)
    large = camera_packets(camera_sender(SCREEN, 0x4444), 10.0, 10.0, width=320, height=180)
    sent = in_order(
        camera_packets(camera_sender(), SECONDS), voice_packets_sent(voice_sender(), SECONDS), small, large
    )
    return [one for number, one in enumerate(sent) if number % 311 != 200]


def write_journal(folder: Path) -> Callable[[], None]:
    """The journal up to CUT_S; called, it writes the rest."""
    journal, sent = JournalWriter(folder / "journal"), packets()
    opened = Opened(ring=b"r" * 16, boot=b"boot", clock_ns=0)
    journal.append(EntryKind.OPENED, 0, msgspec.msgpack.encode(opened))
    first = span_of([one for one in sent if one.at_s < CUT_S], (CAMERA, SCREEN, VOICE))
    rest = span_of([one for one in sent if one.at_s >= CUT_S], (), SECONDS)
    journal.append(EntryKind.SPAN, len(first), first)

    def go_on() -> None:
        journal.append(EntryKind.SPAN, len(first) + len(rest), rest)
        journal.close()

    return go_on


def make_all(making: Making) -> list[Track]:
    while making.step(place=LAST):
        pass
    making.publish()
    return making.tracks()


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """A folder whose recorder died after CUT_S, with a checkpoint."""
    folder = tmp_path / "cut"
    go_on = write_journal(folder)
    dying = Making(folder, "L")
    make_all(dying)
    dying.keep_checkpoint()
    dying.abandon()
    go_on()
    return folder


@pytest.fixture
def whole(tmp_path: Path) -> tuple[list[Track], dict[str, bytes]]:
    """What a recorder makes that never died."""
    folder = tmp_path / "whole"
    write_journal(folder)()
    return make_all(Making(folder, "L")), files_of(folder)


def test_what_is_made_from_a_checkpoint_is_what_would_have_been_made(
    cut: Path, whole: tuple[list[Track], dict[str, bytes]]
) -> None:
    found = read_checkpoint(cut)
    assert found is not None
    assert found.place.bytes > 100_000
    tracks = make_all(Making(cut, "L"))
    assert tracks == whole[0]
    assert sorted(track.name for track in tracks) == ["camera", "screen", "voice"]
    assert len(tracks[1].sections) == 2
    assert files_of(cut) == whole[1]


def test_it_really_goes_on_from_there(cut: Path) -> None:
    path = cut / "journal" / "000001.lkj"
    data = bytearray(path.read_bytes())
    data[100:200] = bytes(100)  # nobody reads this any more
    path.write_bytes(data)
    making = Making(cut, "L")
    make_all(making)
    assert making.ended
    assert making.damaged == 0


@pytest.mark.parametrize("harm", ["checkpoint", "empty", "file", "short"])
def test_where_it_cannot_be_trusted_the_journal_is_read_from_its_beginning(
    cut: Path, whole: tuple[list[Track], dict[str, bytes]], harm: str
) -> None:
    kept, camera = cut / "journal" / CHECKPOINT, cut / "camera.mp4"
    if harm == "checkpoint":
        data = bytearray(kept.read_bytes())
        data[-20] ^= 1
        kept.write_bytes(data)
    elif harm == "empty":
        kept.write_bytes(b"")
    elif harm == "file":
        data = bytearray(camera.read_bytes())
        at = data.find(b"moof", 20_000)
        data[at : at + 60] = bytes(60)
        camera.write_bytes(data)
    else:
        camera.write_bytes(camera.read_bytes()[:5000])
    tracks = make_all(Making(cut, "L"))
    assert tracks == whole[0]
    assert files_of(cut) == whole[1]


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("run!",)


def test_a_checkpoint_makes_values_and_runs_nothing(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = pickle.dumps(Evil())
    digest = hashlib.sha256(checkpoint._program() + body).digest()
    (cut / "journal" / CHECKPOINT).write_bytes(b"LKC1" + digest + body)
    assert read_checkpoint(cut) is None
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("differs", ["boot_id", "_program"])
def test_a_checkpoint_of_another_boot_or_program_is_not_believed(
    cut: Path, monkeypatch: pytest.MonkeyPatch, differs: str
) -> None:
    assert read_checkpoint(cut) is not None
    monkeypatch.setattr(checkpoint, differs, lambda: b"another")
    assert read_checkpoint(cut) is None


def test_fragments_tell_every_sample(cut: Path) -> None:
    size = (cut / "camera.mp4").stat().st_size
    fragments = list(read_fragments(cut / "camera.mp4", size))
    samples = [sample for fragment in fragments for sample in fragment]
    assert all(abs(sample.ticks / 90_000 - 0.04) < 0.01 or sample.key for sample in samples[:50])
    assert [fragment[0].key for fragment in fragments].count(True) >= 5
    with pytest.raises(BadFragments):
        list(read_fragments(cut / "camera.mp4", size - 10))
