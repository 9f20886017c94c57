"""The sources of this process: one thread each that pulls, one connection each to a worker."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

import msgspec
from aiortc.rtcdtlstransport import RTCCertificate

from server.ingest.address import Network
from server.ingest.contract import (
    AUDIO_RATE,
    H264_PT,
    HIGH,
    LOW,
    OPUS_PT,
    RID_EXTENSION,
    VIDEO_RATE,
    Command,
    Event,
    Hello,
    ProbePush,
    Publish,
    PublishFailed,
    PushChanged,
    PushKeys,
    Silence,
    SourceChanged,
    SourceState,
    WantLayers,
    Welcome,
    Withdraw,
)
from server.ingest.outlet import Outlet
from server.ingest.peer import ConnectFailed
from server.ingest.publisher import Publisher
from server.ingest.pulling import Puller, SourceNews
from server.ingest.push_probes import PushProbes
from server.ingest.rtmp.door import RtmpDoor
from server.ingest.rtp import RtpStream, rid_extension
from server.ingest.ticking import Ticker
from server.protocol.parameters import Fingerprint
from server.protocol.words import Words

MOST_SOURCES = 64
END_S = 6.0  # a thread that waits for its source notices within a read's time-out

_log = logging.getLogger("lianke.ingest")


@dataclass(slots=True)
class _Running:
    publish: Publish
    puller: Puller
    publisher: Publisher
    outlet: Outlet
    thread: threading.Thread
    link: asyncio.Task[None] | None = None
    low: Outlet | None = None
    low_puller: Puller | None = None  # while the sub stream is pulled
    low_words: Words | None = None  # why it does not come


@dataclass(slots=True)
class Ingest:
    """`tell` writes an event to campus; everything but the pulling runs on the event loop."""

    networks: Sequence[Network] | None
    tell: Callable[[Event], None] = field(default=lambda event: None)
    boot: str = field(default_factory=lambda: secrets.token_hex(8))
    certificate: RTCCertificate = field(default_factory=RTCCertificate.generateCertificate)
    door: RtmpDoor = field(default_factory=RtmpDoor)
    ticker: Ticker = field(default_factory=Ticker)
    sources: dict[str, _Running] = field(default_factory=dict)
    probes: PushProbes = field(init=False)
    ending: set[threading.Thread] = field(default_factory=set)
    last: dict[str, SourceChanged] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.probes = PushProbes(self.door.slot, lambda answer: self.tell(answer))
        self.door.told = lambda source, pushing: self.tell(PushChanged(source, pushing))

    def welcome(self) -> Welcome:
        prints = [
            Fingerprint(each.algorithm, each.value)
            for each in self.certificate.getFingerprints()
            if each.algorithm == "sha-256"
        ]
        carried = {name: running.publish.peer for name, running in self.sources.items()}
        return Welcome(self.boot, prints, carried, self.door.pushing())

    def handle(self, command: Command) -> Event | None:
        """Carry out a command of campus. What a source does is told as an event later."""
        match command:
            case Hello():
                return None
            case Publish():
                self._publish(command)
                return self.last.get(command.source)
            case Withdraw():
                self._withdraw(command.source)
                return None
            case WantLayers():
                self._want(command)
                return None
            case Silence(source=source, silent=silent):
                if source in self.sources:
                    self.sources[source].outlet.silent = silent
                return None
            case PushKeys():
                self.door.know(command.keys)
                return None
            case ProbePush():
                self.probes.ask(command)
                return None
            case _:
                assert_never(command)

    async def close(self) -> None:
        """End all there is and the door; threads that hang in a read are not waited for longer than END_S."""
        await self.probes.close()
        await self.door.close()
        for source in list(self.sources):
            self._withdraw(source)
        async with asyncio.timeout(END_S):
            for thread in list(self.ending):
                await asyncio.to_thread(thread.join, END_S)

    def _publish(self, publish: Publish) -> None:
        known = self.sources.get(publish.source)
        if known is not None and _is_same_pull(known.publish, publish):
            if known.publish != publish:  # another worker's peer: the pulling goes on
                self._carry_to(known, publish)
            return
        self._withdraw(publish.source)
        self.ending = {thread for thread in self.ending if thread.is_alive()}
        if len(self.sources) >= MOST_SOURCES:
            _log.warning("more than %d sources: %s is not opened", MOST_SOURCES, publish.source)
            self.tell(PublishFailed(publish.source, publish.peer))
            return
        keyframe_wanted = threading.Event()
        high = rid_extension(RID_EXTENSION, HIGH) if publish.low_address else b""
        publisher = Publisher(secrets.token_hex(8).encode(), keyframe_wanted.set)
        outlet = Outlet(
            publisher,
            RtpStream(publish.video_ssrc, H264_PT, VIDEO_RATE, extension=high)
            if publish.video_ssrc
            else None,
            RtpStream(publish.audio_ssrc, OPUS_PT, AUDIO_RATE) if publish.audio_ssrc else None,
        )
        loop = asyncio.get_running_loop()
        puller = Puller(
            publish.address,
            self.networks,
            outlet,
            lambda news: _from_thread(loop, partial(self._news, publisher, publish.source, news)),
            publish.udp,
            slot=self.door.slot,
            keyframe_wanted=keyframe_wanted,
            ticker=self.ticker,
        )
        thread = threading.Thread(target=puller.run, name=f"pull {publish.source}", daemon=True)
        running = _Running(publish, puller, publisher, outlet, thread)
        if publish.low_address:
            low = rid_extension(RID_EXTENSION, LOW)
            stream = RtpStream(publish.low_ssrc, H264_PT, VIDEO_RATE, extension=low)
            running.low = Outlet(publisher, stream, copies_only=True)
            self._pull_low(running, running.low)
        self.sources[publish.source] = running
        self._carry_to(running, publish)
        thread.start()

    def _want(self, wish: WantLayers) -> None:
        """The sub stream is pulled while somebody has a use for it; the main one, with its sound, always."""
        running = self.sources.get(wish.source)
        if running is None or running.low is None:
            return
        running.outlet.wanted = HIGH in wish.rids
        if LOW in wish.rids and running.low_puller is None:
            self._pull_low(running, running.low)
        elif LOW not in wish.rids and running.low_puller is not None:
            running.low_puller.stop.set()
            running.low_puller = None

    def _pull_low(self, running: _Running, low: Outlet) -> None:
        publish, loop = running.publish, asyncio.get_running_loop()
        puller = Puller(
            publish.low_address,
            self.networks,
            low,
            lambda news: _from_thread(loop, partial(self._low_news, running, news)),
            publish.udp,
            ticker=self.ticker,
        )
        running.low_puller = puller
        thread = threading.Thread(target=puller.run, name=f"pull {publish.source} low", daemon=True)
        self.ending = {each for each in self.ending if each.is_alive()} | {thread}
        thread.start()

    def _carry_to(self, running: _Running, publish: Publish) -> None:
        if running.link is not None:
            running.link.cancel()
        running.publish = publish
        carry = self._carry(publish, running.publisher)
        running.link = asyncio.get_running_loop().create_task(carry, name=f"carry {publish.source}")

    def _withdraw(self, source: str) -> None:
        running = self.sources.pop(source, None)
        self.last.pop(source, None)
        if running is not None:
            running.puller.stop.set()
            if running.low_puller is not None:
                running.low_puller.stop.set()
            if running.link is not None:
                running.link.cancel()
            running.publisher.close()
            self.ending.add(running.thread)

    async def _carry(self, publish: Publish, publisher: Publisher) -> None:
        """Connect to the worker's peer and keep it; campus is told where that fails."""
        try:
            await publisher.connect(self.certificate, publish.ufrag, publish.pwd, publish.transport)
            await publisher.keep()
        except (ConnectFailed, OSError) as error:
            _log.warning("%s: no connection to its worker: %s", publish.source, error)
            self.tell(PublishFailed(publish.source, publish.peer))

    def _news(self, publisher: Publisher, source: str, news: SourceNews) -> None:
        running = self.sources.get(source)
        if running is None or running.publisher is not publisher:
            return  # the word of a thread that is ending
        self._changed(
            SourceChanged(
                source,
                news.state,
                news.problem,
                news.words,
                news.transcoded,
                news.retry_in_s,
                running.low_words,
            )
        )

    def _low_news(self, running: _Running, news: SourceNews) -> None:
        """Of a sub stream only what is wrong with it is told, with the last word on its main stream."""
        source = running.publish.source
        said = news.state in (SourceState.LIVE, SourceState.RETRYING)
        if not said or self.sources.get(source) is not running:
            return
        running.low_words = news.words
        last = self.last.get(source)
        if last is not None and last.low_words != news.words:
            self._changed(msgspec.structs.replace(last, low_words=news.words))

    def _changed(self, changed: SourceChanged) -> None:
        self.last[changed.source] = changed
        self.tell(changed)


def _is_same_pull(before: Publish, now: Publish) -> bool:
    return _pulled(before) == _pulled(now)


def _pulled(publish: Publish) -> tuple[str, bool, int, int, str]:
    return publish.address, publish.udp, publish.video_ssrc, publish.audio_ssrc, publish.low_address


def _from_thread(loop: asyncio.AbstractEventLoop, tell: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody listens any more
        loop.call_soon_threadsafe(tell)
