"""One source, for as long as a lesson lasts: opened, read, sent on, opened again. A plain thread function.

What can go through is copied; what cannot is decoded and encoded at a bounded cost, and told. A source that
closes, hangs or sends rubbish is opened again with back-off, for ever.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from fractions import Fraction

from av.audio.frame import AudioFrame
from av.codec.context import Flags2
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from server.errors import UserFault
from server.ingest.address import Network, SourceAddress, parse, resolve
from server.ingest.contract import AUDIO_RATE, PUSH, SourceState
from server.ingest.faults import PUSHED, fault_of
from server.ingest.opening import READ_S, opened, pushed
from server.ingest.outlet import Outlet
from server.ingest.picture import PictureEncoder, decode_alone
from server.ingest.rtmp.slot import PushSlot
from server.ingest.rtp import continues, is_keyframe, joined, nals_of, parameter_sets, with_parameter_sets
from server.ingest.sound import OpusEncoder, channels_of
from server.ingest.ticking import Ticker
from server.ingest.timing import PICTURE, SOUND
from server.ingest.verdict import COPIED_PROFILES, LONGEST_KEYFRAME_S, NO_PICTURE, READABLE_PIXELS
from server.protocol.messages import Words

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
STEADY_S = 30.0  # a source that lasted so long starts its back-off anew
MOST_REFUSALS = 3  # of a login; devices lock after some, and with it whatever else we pull from them
LOCKED_PAUSE_S = 300.0
HOLD_S = 0.3  # how long the first packets are looked at together
MOST_HELD = 400
ALMOST_S = 0.1  # by which the library's clock may differ from ours
BLIND_S = 5.0  # without a picture, though its packets come
NO_KEYFRAME = Words(
    zh="视频来了，但没有关键帧，画面出不来。请关闭“智能编码/H.264+”，并把 I 帧间隔设为 2 秒。",
    en="Video comes, but no keyframe, so there is no picture. Turn off Smart Codec/H.264+ and set the "
    "I-frame interval to 2 s.",
)
BROKEN_LIMIT = 200  # packets in a row that nothing can be made of: it is no stream


@dataclass(frozen=True, slots=True)
class SourceNews:
    """What became of a source. `transcoded`: "" or why its picture cannot be copied (a verdict's code)."""

    state: SourceState
    problem: str = ""
    words: Words | None = None
    transcoded: str = ""
    retry_in_s: float = 0.0


@dataclass(slots=True)
class Puller:
    """One source's thread. `tell` is called in that thread; `stop` ends it within a read's time-out."""

    address: str
    networks: Sequence[Network] | None
    outlet: Outlet
    tell: Callable[[SourceNews], None]
    udp: bool = False
    most_pixels: int = 1280 * 720
    slot: Callable[[str], PushSlot] = field(default=lambda source: PushSlot())  # where pushes arrive
    ticker: Ticker = field(default_factory=Ticker)  # one for all sources of a process
    stop: threading.Event = field(default_factory=threading.Event)
    keyframe_wanted: threading.Event = field(default_factory=threading.Event)
    must_transcode: str = ""  # found out while reading, kept over reconnections

    def run(self) -> None:
        """Until `stop` is set."""
        with self.ticker.serving(self.outlet.tick):
            self._pull()

    def _pull(self) -> None:
        pause, refusals = FIRST_PAUSE_S, 0
        while not self.stop.is_set():
            began = time.monotonic()
            self.tell(SourceNews(SourceState.OPENING))
            try:
                self._once()
                problem = UserFault("source_ended", zh="码流结束了。", en="The stream ended.")
            except UserFault as fault:
                problem = fault
            if self.stop.is_set():
                break
            if time.monotonic() - began > STEADY_S:
                pause = FIRST_PAUSE_S
            refusals = refusals + 1 if problem.code == "wrong_password" else 0
            wait = (LOCKED_PAUSE_S if refusals >= MOST_REFUSALS else pause) * random.uniform(0.8, 1.2)
            self.tell(
                SourceNews(SourceState.RETRYING, problem.code, problem.words, retry_in_s=round(wait, 1))
            )
            self.stop.wait(wait)
            pause = FIRST_PAUSE_S if problem.code == "not_pushing" else min(LONGEST_PAUSE_S, pause * 2)
        self.tell(SourceNews(SourceState.CLOSED))

    def _once(self) -> None:
        """From opening to its end. UserFault says why it could not be opened or went."""
        with self._opened() as container:
            self.outlet.clock.restarted()
            road = _Road(self, container)
            self.tell(SourceNews(SourceState.LIVE, transcoded=road.transcoded))
            try:
                for packet, arrived in self._settled(container, road):
                    if self.stop.is_set():
                        return
                    road.take(packet, arrived)
            except FFmpegError as error:
                raise fault_of(self._place(), error) from None

    def _settled(self, container: InputContainer, road: _Road) -> Iterator[tuple[Packet[Stream], float]]:
        """The source's packets, each with its arrival. The first ones are looked at together: what waited in
        the device says nothing of its clock, what came last does."""
        held: list[tuple[Packet[Stream], float]] = []
        settled, seen_at = False, time.monotonic()
        for packet in self._heard(container.demux(*road.streams())):
            now = time.monotonic()
            if not packet.size:
                continue
            if road.number(packet) == PICTURE or not road.has_picture:
                seen_at = now
            elif now - seen_at > READ_S:
                raise _picture_stopped()
            if settled:
                yield packet, now
                continue
            held.append((packet, now))
            if now - held[0][1] >= HOLD_S or len(held) >= MOST_HELD:
                self.outlet.begin([(road.number(each), road.own_time(each), at) for each, at in held])
                yield from held
                held, settled = [], True
        yield from held

    def _heard(self, packets: Iterator[Packet[Stream]]) -> Iterator[Packet[Stream]]:
        """What comes in time. Where a read times out, the library first hands out what it had kept: to read
        on would be to wait as long again."""
        while True:
            asked = time.monotonic()
            packet = next(packets, None)
            if packet is None:
                return
            if time.monotonic() - asked >= READ_S - ALMOST_S:
                raise fault_of(self._place(), TimeoutError())
            yield packet

    def _place(self) -> SourceAddress:
        """What words about a fault name."""
        return PUSHED if self.address.startswith(PUSH) else parse(self.address)

    def _opened(self) -> AbstractContextManager[InputContainer]:
        if self.address.startswith(PUSH):
            return pushed(self.slot(self.address.removeprefix(PUSH)), self.stop.is_set)
        address = parse(self.address)
        return opened(address, resolve(address, self.networks), udp=self.udp)


class _Road:
    """What one opening of a source needs: how each of its streams is carried."""

    def __init__(self, puller: Puller, container: InputContainer) -> None:
        self._puller = puller
        self._outlet = puller.outlet
        pictures = container.streams.video if self._outlet.video is not None else ()
        self._video = pictures[0] if pictures else None
        self._audio = container.streams.audio[0] if container.streams.audio else None
        if self._video is None and self._audio is None:
            raise _nothing(sound_only=self._outlet.video is None)
        if self._video is not None:
            decode_alone(self._video)
        if self._video is not None and self._video.codec_context.name == "h264":
            self._video.codec_context.flags2 |= Flags2.chunks  # over RTSP each slice may come as a packet
        self._sets, self._length_size = _sets_of(self._video)
        self._keyframe_at: float | None = None
        self._held: tuple[list[bytes], float] | None = None  # a keyframe of which more may come
        self._in_parts: bool | None = None  # some send a keyframe in parts, each with its parameter sets
        self._since_keyframe: list[Packet[Stream]] = []  # what a decoder needs to go on from here
        self._broken = 0
        self._blind_since: float | None = None  # nothing could be decoded from then on
        self._blind_told = False
        self._fps = round(float(self._video.average_rate or 25)) if self._video is not None else 25
        self._pictures = PictureEncoder(puller.most_pixels, min(max(self._fps, 5), 30))
        self._opus = OpusEncoder(channels_of(self._audio)) if self._audio is not None else None
        self._is_opus = self._audio is not None and self._audio.codec_context.name in ("opus", "libopus")
        self._units = {each.index: float(each.time_base or 0) for each in self.streams()}
        self.transcoded = puller.must_transcode or _why_transcoded(self._video)
        self._must_copy()

    def _must_copy(self) -> None:
        """A sub stream is there to save work: one that would have to be transcoded is not used."""
        if self.transcoded and self._outlet.copies_only:
            raise UserFault(
                "low_unfit",
                zh="子码流不能直接转发，请设为 H.264、B 帧 0、I 帧间隔 2 秒。",
                en="The sub stream cannot be copied. Set it to H.264, B-frames 0, an I-frame each 2 s.",
            )

    def streams(self) -> list[Stream]:
        return [stream for stream in (self._video, self._audio) if stream is not None]

    @property
    def has_picture(self) -> bool:
        return self._video is not None

    def number(self, packet: Packet[Stream]) -> int:
        return PICTURE if packet.stream is self._video else SOUND

    def own_time(self, packet: Packet[Stream]) -> float | None:
        """A packet's time on its device's clock, s; None where it has none."""
        stamp, unit = packet.dts, self._units[packet.stream_index]
        if stamp is None:
            stamp = packet.pts
        return stamp * unit if stamp is not None and unit else None

    def take(self, packet: Packet[Stream], arrived: float) -> None:
        """Send on what came. UserFault where nothing can be made of it for long."""
        number = self.number(packet)
        media = self._outlet.clock.media(self.own_time(packet), arrived, number)
        try:
            if number == SOUND:
                self._take_sound(packet, media)
            elif self.transcoded:
                self._transcode(packet, media)
            else:
                self._copy(packet, media)
            self._broken = 0
        except (FFmpegError, ValueError):
            self._broken += 1
            if self._broken > BROKEN_LIMIT:
                raise UserFault(
                    "rubbish", zh="码流无法解码。", en="Nothing of the stream can be decoded."
                ) from None

    def _copy(self, packet: Packet[Stream], media: float) -> None:
        nals = with_parameter_sets(nals_of(bytes(packet), self._length_size), self._sets)
        self._remember(packet, begins=is_keyframe(nals) and not (self._held and continues(nals)))
        if self._held is not None:
            held, at = self._held
            if continues(nals):
                self._held, self._in_parts = (joined(held, nals), at), True
                return
            self._outlet.picture(held, at)
            self._held, self._in_parts = None, bool(self._in_parts)
        if is_keyframe(nals) and self._in_parts is not False:
            self._held, self._keyframe_at = (nals, media), media
            return
        if is_keyframe(nals):
            self._keyframe_at = media
        elif self._keyframe_at is None:
            self._keyframe_at = media  # counts from the first picture, which nobody can see before a keyframe
        elif media - self._keyframe_at > LONGEST_KEYFRAME_S + 1:
            self._change("long_keyframes")
            return
        self._outlet.picture(nals, media)

    def _transcode(self, packet: Packet[Stream], media: float) -> None:
        if self._puller.keyframe_wanted.is_set():
            self._puller.keyframe_wanted.clear()
            self._pictures.keyframe_wanted = True
        frames = [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
        self._look(bool(frames), media)
        for frame in frames:
            for nals, at in self._pictures.encode(frame, _shown_at(frame, packet, media)):
                self._outlet.picture(nals, at)

    def _look(self, decoded: bool, media: float) -> None:
        """Tell where no keyframe comes to begin with, and when one came. It is not opened anew for that: the
        next one may be minutes off."""
        if decoded:
            if self._blind_told:
                self._puller.tell(SourceNews(SourceState.LIVE, transcoded=self.transcoded))
            self._blind_since, self._blind_told = None, False
        elif self._blind_since is None:
            self._blind_since = media
        elif media - self._blind_since > BLIND_S and not self._blind_told:
            self._blind_told = True
            self._puller.tell(SourceNews(SourceState.LIVE, "no_keyframe", NO_KEYFRAME, self.transcoded))

    def _take_sound(self, packet: Packet[Stream], media: float) -> None:
        if self._audio is None or self._opus is None:
            return
        if self._is_opus:
            self._outlet.sound(bytes(packet), media)
            return
        at = media
        for frame in packet.decode():
            if isinstance(frame, AudioFrame):
                seconds = frame.samples / (frame.sample_rate or AUDIO_RATE)
                for opus, moment in self._opus.encode(frame, at):
                    self._outlet.sound(opus, moment)
                at += seconds

    def _remember(self, packet: Packet[Stream], *, begins: bool) -> None:
        if begins or len(self._since_keyframe) >= MOST_HELD:
            self._since_keyframe = [packet] if begins else []
        elif self._since_keyframe:
            self._since_keyframe.append(packet)

    def _change(self, why: str) -> None:
        """Found out while it runs: from here on it is transcoded. What came since the last keyframe is
        decoded now, for the next one may be minutes off."""
        self.transcoded = self._puller.must_transcode = why
        self._must_copy()
        for packet in self._since_keyframe:
            with suppress(FFmpegError):
                packet.decode()
        self._since_keyframe = []
        self._puller.tell(SourceNews(SourceState.LIVE, transcoded=why))


def _nothing(*, sound_only: bool) -> UserFault:
    if sound_only:
        return UserFault(
            "no_audio",
            zh="那里没有声音。请在设备上打开音频，或把“视频流”改为“复合流”。",
            en='There is no sound. Turn audio on in the device, or set its stream to "video and audio".',
        )
    return UserFault("no_stream", zh="没有音视频流。", en="There is neither picture nor sound.")


def _picture_stopped() -> UserFault:
    return UserFault(
        "picture_stopped",
        zh="设备只发声音，画面停了。正在重新打开；若反复出现，请重启设备。",
        en="Sound comes, but no picture any more. It is opened again; if that goes on, restart the device.",
    )


def _why_transcoded(video: Stream | None) -> str:
    """Why a picture cannot be copied, as far as its opening tells; "" where it can."""
    if video is None:
        return ""
    context = video.codec_context
    width, height = getattr(context, "width", 0), getattr(context, "height", 0)
    if not width or not height:
        raise UserFault("no_picture_decoded", zh=NO_PICTURE.zh, en=NO_PICTURE.en)
    if width * height > READABLE_PIXELS:
        raise UserFault(
            "too_big",
            zh=f"画面 {width}×{height} 无法使用，请把分辨率设为 1920×1080。",
            en=f"A picture of {width}x{height} cannot be used. Set the resolution to 1920x1080.",
        )
    if context.name != "h264":
        return f"codec_{context.name}"[:32]
    if (context.profile or "") not in COPIED_PROFILES:
        return "h264_profile"
    if getattr(context, "has_b_frames", False):
        return "b_frames"
    return "over_1080p" if width * height > 1920 * 1088 else ""


def _sets_of(video: Stream | None) -> tuple[list[bytes], int]:
    if video is None or video.codec_context.name != "h264":
        return [], 0
    try:
        return parameter_sets(video.codec_context.extradata or b"")
    except (ValueError, IndexError):
        return [], 0


def _shown_at(frame: VideoFrame, packet: Packet[Stream], media: float) -> float:
    """The media time at which a decoded picture is shown: B-frames come out in another order."""
    if frame.pts is None or packet.dts is None or packet.time_base is None:
        return media
    return media + float((frame.pts - packet.dts) * Fraction(packet.time_base))
