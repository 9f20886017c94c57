"""A whole lesson without a camera or a browser: `lianke drill`.

A synthetic main classroom publishes numbered pictures and a voice, rooms watch and each hums its own
tone; the first raises its hand and is called on, the last is cut and comes back; the lesson ends and the
recording is read back. All through the doors our pages use, from outside.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import msgspec
from aiortc.mediastreams import MediaStreamTrack

from recorder.archive.layout import MULTIVARIANT, media_file
from server.drill import figures
from server.drill.boxes import box, networks_of, operator_door
from server.drill.classroom import Classroom
from server.drill.figures import DrillFigures, PointFigures, PublishedFigures, RecordingFigures, Watched
from server.drill.lessonkit.media import Camera, Tone, Voice, plan_lesson
from server.drill.lessonkit.report import report
from server.drill.own_server import own_server, sample_rooms
from server.drill.published import NotPublished, fetch_published, read_published
from server.drill.replay import NoReplay, cookie_jar, fetch_recording
from server.drill.sources import PictureTrack, SoundTrack, StartTime
from server.protocol import messages as ws
from server.protocol.parameters import Source
from server.protocol.resources import Demo, Replay

WIDTH, HEIGHT, FPS = 640, 360, 15  # an IDR picture stays far below the 128 packets of aiortc's jitter buffer
FIRST_TONE_HZ, TONE_STEP_HZ = 420.0, 90.0
PATIENCE_S = 15.0
OPENING_S = 45.0  # a box is started, opened, and opened again where it was not ready
LEAST_SECONDS = 12.0

Progress = Callable[[str], None]


class DrillFailed(Exception):
    """The lesson could not be held at all; the words say how far it came."""


@dataclass(slots=True)
class Point:
    """One receiving room of the drill."""

    name: str
    room: str
    tone_hz: float
    classroom: Classroom
    knocked_at: float = 0.0
    cut_at: float | None = None
    restored_at: float | None = None
    back_at: float | None = None
    joined_s: float | None = None


@dataclass(slots=True)
class Lesson:
    """The drill's state while it runs."""

    studio: Classroom
    points: list[Point]
    sent_at: dict[int, float] | None  # number -> when it went to the encoder; None: pictures have no number
    started_at: float = 0.0
    ended_at: float = 0.0
    call_heard_s: float | None = None
    id: str = ""

    @property
    def numbered(self) -> bool:
        """Whether the main room's pictures are our own: a real device's tell neither delay nor step."""
        return self.sent_at is not None


async def drill(
    points: int,
    seconds: float,
    server: str | None = None,
    out: Path | None = None,
    progress: Progress = print,
    source: str = "",
) -> tuple[DrillFigures, list[str]]:
    """Hold the lesson and judge it: the figures, and what a teacher would notice.

    `server`: the address of an installation with the demo on, else an own one is started. `source`: the main
    room is taught by a box, "rtsp" or "rtmp" of our own or a device's address, on a server of our own. The
    recording is left in `out` (a new temporary folder). DrillFailed where no lesson came about;
    ServerFailed, NoSender, BoxRefused."""
    async with AsyncExitStack() as stack:
        own = None
        if server is None:
            progress("starting a server")
            extra = networks_of(source) if source else ""
            own = await stack.enter_async_context(own_server(sample_rooms(points), extra=extra))
            server = own.url
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=cookie_jar()))
        demo, plan = await _demo(http, server), plan_lesson(seconds=60)
        devices = Camera(plan, WIDTH, HEIGHT, FPS), Voice(plan)
        lesson = _invite(http, server, demo, points, None if source else devices)
        if source:
            if own is None:
                raise DrillFailed("--source is drilled on a server of its own: leave --server out")
            door = operator_door(http, server, own.folder / "run")
            work = box(source, door, demo.studio.room, *devices, (WIDTH, HEIGHT))
            lesson.sent_at = await stack.enter_async_context(work)
        async with asyncio.TaskGroup() as group:
            rooms = [group.create_task(lesson.studio.run(), name="studio")]
            try:
                await _hold(group, rooms, lesson, max(seconds, LEAST_SECONDS), progress)
            finally:
                for room in rooms:
                    room.cancel()
        folder = (
            Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="lianke-drill-")) if out is None else out
        )
        progress("reading the recording")
        try:
            replay = await fetch_recording(http, server, lesson.id, folder / lesson.id)
        except NoReplay as error:
            progress(str(error))
            return _judge(lesson, None, None)
        place, published = folder / lesson.id, None
        try:
            took_s = await fetch_published(http, server, replay, place, progress)
            published = await asyncio.to_thread(read_published, place, took_s, numbered=lesson.numbered)
        except NotPublished as error:
            progress(str(error))
    if not lesson.numbered:
        progress("delay and step of sound and picture are not measured: a device's pictures bear no numbers")
    recording = await asyncio.to_thread(
        _read_recording, place, replay, _view(lesson), numbered=lesson.numbered
    )
    return _judge(lesson, recording, published)


async def _demo(http: aiohttp.ClientSession, server: str) -> Demo:
    async with http.get(f"{server}/api/v1/demo") as answer:
        if answer.status != 200:
            raise DrillFailed(f"{server} gives no sample rooms ({answer.status}): switch its demo on")
        return msgspec.json.decode(await answer.read(), type=Demo)


def _invite(
    http: aiohttp.ClientSession, server: str, demo: Demo, points: int, devices: tuple[Camera, Voice] | None
) -> Lesson:
    """Everybody's classroom; `devices` are the main room's browser's, None where a box teaches."""
    if len(demo.rooms) < points:
        raise DrillFailed(f"{server} has {len(demo.rooms)} receiving rooms, not {points}")
    url, clock = f"{server}/ws", StartTime()
    sources: dict[Source, MediaStreamTrack] = {}
    sent_at: dict[int, float] = {}
    if devices is not None:
        camera = PictureTrack(devices[0], clock)
        sources, sent_at = (
            {Source.CAMERA: camera, Source.VOICE: SoundTrack(devices[1], clock)},
            camera.sent_at,
        )
    studio = Classroom(http, url, demo.studio.token, sources)
    invited = []
    for k, room in enumerate(demo.rooms[:points]):
        tone = FIRST_TONE_HZ + k * TONE_STEP_HZ
        classroom = Classroom(http, url, room.token, {Source.VOICE: SoundTrack(Tone(tone), StartTime())})
        invited.append(Point(room.name.en, room.room, tone, classroom))
    return Lesson(studio, invited, sent_at)


async def _hold(
    group: asyncio.TaskGroup,
    rooms: list[asyncio.Task[None]],
    lesson: Lesson,
    seconds: float,
    progress: Progress,
) -> None:
    await _start(lesson, progress)
    for point in lesson.points:
        point.classroom.sight("stage").numbered = lesson.numbered
        point.knocked_at = time.monotonic()
        rooms.append(group.create_task(point.classroom.run(), name=point.room))
        await asyncio.sleep(0.1)
    await _everybody_sees(lesson, progress)
    await _until(lesson, seconds * 0.25)
    await _call_on(lesson, progress)
    await _until(lesson, seconds * 0.5)
    await _unplug(lesson, min(max(seconds * 0.15, 3.0), 10.0), progress)
    await _until(lesson, seconds)
    progress("End")
    lesson.ended_at = time.monotonic()
    await lesson.studio.say(ws.End())
    await _wait(lesson.studio, "the lesson to end", lambda: _state(lesson) is ws.LessonState.ENDED)
    await _wait(lesson.studio, "the replay", lambda: _view(lesson).replay_ready)


async def _start(lesson: Lesson, progress: Progress) -> None:
    studio = lesson.studio
    await _wait(studio, "the studio's lesson", lambda: studio.lesson is not None)
    await _wait(studio, "the studio's picture", lambda: len(_view(lesson).main_sends) == 2, OPENING_S)
    progress("Start")
    await studio.say(ws.Start())
    await _wait(studio, "the lesson to be live", lambda: _state(lesson) is ws.LessonState.LIVE)
    lesson.started_at, lesson.id = time.monotonic(), _view(lesson).id


async def _everybody_sees(lesson: Lesson, progress: Progress) -> None:
    for point in lesson.points:
        sight = point.classroom.sight("stage")
        try:
            await point.classroom.until(lambda sight=sight: bool(sight.seen), PATIENCE_S)  # type: ignore[misc]
            progress(
                f"{point.name} sees the lesson, {sight.seen[0].at - point.knocked_at:.2f} s after its knock"
            )
        except TimeoutError:
            progress(f"{point.name} sees nothing")
        if point.classroom.joined_at is not None:
            point.joined_s = point.classroom.joined_at - point.knocked_at


async def _call_on(lesson: Lesson, progress: Progress) -> None:
    """The first room raises its hand and is called on; another room (or the studio) hears its tone."""
    called, listener = (
        lesson.points[0],
        lesson.points[1].classroom if len(lesson.points) > 1 else lesson.studio,
    )
    await called.classroom.say(ws.Hand(up=True))

    def hand_is_seen() -> bool:
        return any(seat.room == called.room and seat.hand_since for seat in _view(lesson).seats)

    await _wait(lesson.studio, "the raised hand", hand_is_seen)
    heard = listener.sound("called")
    heard.listen_for(called.tone_hz)
    asked = time.monotonic()
    await lesson.studio.say(ws.CallOn(room=called.room))
    try:
        await listener.until(lambda: called.tone_hz in heard.heard, PATIENCE_S)
        lesson.call_heard_s = heard.heard[called.tone_hz] - asked
        progress(f"{called.name} speaks, heard after {lesson.call_heard_s:.2f} s")
    except TimeoutError:
        progress(f"{called.name} was called on and not heard")
    await asyncio.sleep(1.0)
    await lesson.studio.say(ws.CallOn(room=None))


async def _unplug(lesson: Lesson, seconds: float, progress: Progress) -> None:
    """The last room's line is cut for a while."""
    point = lesson.points[-1]
    progress(f"{point.name} is unplugged for {seconds:.0f} s")
    point.cut_at = time.monotonic()
    await point.classroom.cut()
    await asyncio.sleep(seconds)
    point.restored_at = restored = time.monotonic()
    point.classroom.restore()
    sight = point.classroom.sight("stage")
    try:
        await point.classroom.until(lambda: sight.first_after(restored) is not None, PATIENCE_S)
        back = sight.first_after(restored)
        point.back_at = back.at if back else None
        progress(f"{point.name} is back after {(point.back_at or 0) - restored:.2f} s")
    except TimeoutError:
        progress(f"{point.name} did not come back")


def _read_recording(
    folder: Path, replay: Replay, view: ws.LessonView, *, numbered: bool
) -> RecordingFigures | None:
    """The camera's and the voice's file; None where one of them was not recorded."""
    if not {"camera", "voice"} <= {track.name for track in replay.tracks}:
        return None
    found = report(folder / media_file("camera"), folder / media_file("voice"))
    ready = view.replay_after_ms / 1000 if view.replay_after_ms is not None else replay.ready_after_s
    gaps = sum(len(track.gaps) for track in replay.tracks)
    ratio, path = round(found.distinct_ratio, 4) if numbered else None, str(folder / MULTIVARIANT)
    return RecordingFigures(ready, found.seconds, ratio, found.av_offset_ms, gaps, path)


def _judge(
    lesson: Lesson, recording: RecordingFigures | None, published: PublishedFigures | None
) -> tuple[DrillFigures, list[str]]:
    sent_at = lesson.sent_at or {}
    watched = [_watched(point, lesson) for point in lesson.points]
    points = [_point(point, span, sent_at) for point, span in zip(lesson.points, watched, strict=True)]
    delays = [
        ms for p in lesson.points for ms in figures.latencies_ms(p.classroom.sight("stage").seen, sent_at)
    ]
    latency = round(statistics.median(delays), 1) if delays else None
    seconds = lesson.ended_at - lesson.started_at
    noticed = figures.notice(
        points,
        watched,
        len(sent_at),
        seconds,
        latency,
        lesson.call_heard_s,
        recording,
        published,
        numbered=lesson.numbered,
    )
    heard = round(lesson.call_heard_s, 3) if lesson.call_heard_s is not None else None
    return DrillFigures(not noticed, points, latency, heard, recording, published), noticed


def _watched(point: Point, lesson: Lesson) -> Watched:
    first = point.classroom.sight("stage").first_after(point.knocked_at)
    cut = None
    if point.cut_at is not None and point.restored_at is not None:
        cut = (point.cut_at, point.back_at or lesson.ended_at)
    return Watched(first.at if first else point.knocked_at, lesson.ended_at, cut)


def _point(point: Point, watched: Watched, sent_at: dict[int, float]) -> PointFigures:
    seen = [one for one in point.classroom.sight("stage").seen if one.at <= watched.end]
    spans = watched.plugged_in()
    back = None
    if point.back_at is not None and point.restored_at is not None:
        back = round(point.back_at - point.restored_at, 3)
    return PointFigures(
        name=point.name,
        joined_s=round(point.joined_s, 3) if point.joined_s is not None else None,
        first_frame_s=round(seen[0].at - point.knocked_at, 3) if seen else None,
        received_s=figures.seconds_received(seen),
        freezes=sum(figures.count_freezes(seen, sent_at, span) for span in spans),
        lost=sum(figures.count_lost(seen, sent_at, span) for span in spans),
        back_after_s=back,
    )


def _view(lesson: Lesson) -> ws.LessonView:
    if lesson.studio.lesson is None:
        raise DrillFailed("the studio has no lesson any more")
    return lesson.studio.lesson


def _state(lesson: Lesson) -> ws.LessonState:
    return _view(lesson).state


async def _until(lesson: Lesson, at_s: float) -> None:
    await asyncio.sleep(max(lesson.started_at + at_s - time.monotonic(), 0))


async def _wait(
    classroom: Classroom, what: str, fact: Callable[[], bool], patience_s: float = PATIENCE_S
) -> None:
    try:
        await classroom.until(fact, patience_s)
    except TimeoutError:
        refused = ", ".join(one.code for one in classroom.refusals)
        raise DrillFailed(
            f"waited {patience_s:.0f} s in vain for {what} ({refused or 'nothing refused'})"
        ) from None
