"""What only the recorder has lost is ended by a keyframe that it asks for, through campus and the worker."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from recorder.archive.manifest import BadManifest, Gap, GapCause, Track, read_manifest
from recorder.journal import EntryKind, read_entries
from server.drill.classroom import Classroom
from server.drill.lessonkit.stamps import Picture
from server.drill.own_server import OwnServer
from server.drill.sources import PictureTrack, StartTime
from server.protocol import messages as m
from server.protocol.messages import LessonState
from server.protocol.parameters import Source
from tests.peers.lessons import Holding, holding, on_air, view
from tests.peers.workers import holds

pytestmark = pytest.mark.asyncio(loop_scope="session")


class StillPage:
    """A page of courseware at 10 pictures a second: its encoder makes a keyframe every 25 s by itself."""

    fps = 10

    def frame(self, number: int) -> Picture:
        return np.full((240, 320, 3), 128, np.uint8)


def enter(held: Holding) -> Classroom:
    """A studio that sends its screen alone."""
    studio = held.demo.studio
    page = Classroom(
        held.http,
        f"{held.server.url}/ws",
        studio.token,
        {Source.SCREEN: PictureTrack(StillPage(), StartTime())},
    )
    held.tasks[page] = asyncio.create_task(page.run(), name=studio.room)
    return page


def damage(journal: Path) -> None:
    """As a bad sector does: one entry's checksum does not fit any more. Not the newest entry: that one would
    be read from the ring again."""
    path = max(journal.glob("*.lkj"))
    ends = [end for entry, end in read_entries(path.read_bytes()) if entry.kind is EntryKind.SPAN]
    with path.open("r+b") as file:
        file.seek(ends[-5] - 50)
        byte = file.read(1)
        file.seek(ends[-5] - 50)
        file.write(bytes([byte[0] ^ 0xFF]))


async def test_a_screen_whose_journal_is_damaged_goes_on_in_the_recording_within_seconds(
    installation: OwnServer,
) -> None:
    async with holding(installation) as held:
        studio = enter(held)
        await studio.until(lambda: studio.lesson is not None, 10)
        await studio.say(m.Start())
        await studio.until(lambda: on_air(studio), 5)
        await studio.say(m.Courseware(on=True))
        folder = held.server.archive / view(studio).id

        def screen() -> Track | None:
            try:
                return next((t for t in read_manifest(folder).tracks if t.name == "screen"), None)
            except BadManifest:
                return None

        await holds(lambda: (track := screen()) is not None and track.samples > 20, 20)
        (folder / "journal" / "checkpoint").unlink(missing_ok=True)  # the damaged part is read again
        damage(folder / "journal")
        held.kill("recorder")

        def holes() -> list[Gap]:
            """Those that a picture has ended."""
            track = screen()
            return [gap for gap in track.gaps if gap.cause is GapCause.LOSS] if track is not None else []

        await holds(holes, 10)
        hole = holes()[0]
        print(f"lost in the journal: pictures again after {hole.end_s - hole.start_s:.1f} s")
        await studio.say(m.End())
        await studio.until(lambda: view(studio).state is LessonState.ENDED, 5)
