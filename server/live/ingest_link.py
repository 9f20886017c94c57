"""Campus' side of the ingest process: what it pulls and where that goes, said again whenever it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from recorder.control_link import ControlLink
from server.errors import UserFault
from server.ids import random_word
from server.ingest.contract import (
    PROBE_SLACK_S,
    VERSION,
    Command,
    Event,
    Hello,
    ProbePush,
    Publish,
    PublishFailed,
    PushChanged,
    PushKeys,
    PushProbed,
    Silence,
    SourceChanged,
    WantLayers,
    Welcome,
    Withdraw,
)
from server.protocol.parameters import Fingerprint, Source
from server.store.records import BoxSource, digest_of

ASK_LETTERS = 16


class IngestLink:
    """One ingest process, for as long as campus runs. Satisfies `live.ports.BoxPort`. `knows(lesson)`:
    whether a lesson is there whose sources may go on."""

    def __init__(self, path: Path, knows: Callable[[str], bool]) -> None:
        self._link = ControlLink[Command, Event, Welcome](
            path,
            decoder=msgspec.msgpack.Decoder(Event),
            hello=Hello(),
            welcome=Welcome,
            version=VERSION,
            welcomed=self._welcomed,
            heard=self._heard,
            lost=self._lost,
        )
        self._knows = knows
        self._wanted: dict[str, Publish] = {}
        self._silent: dict[str, bool] = {}  # by source, as told
        self._carried: set[str] = set()  # peers by which a source comes, as far as is known
        self._boot = ""
        self._configured: dict[str, list[BoxSource]] = {}  # by room
        self._by_whip: dict[str, BoxSource] = {}  # by the SHA-256 of its key
        self._knocked_at: dict[str, int] = {}  # the same key: ms since 1970
        self._asked: dict[str, asyncio.Future[PushProbed]] = {}  # probes that go on
        self.fingerprints: list[Fingerprint] = []
        self.states: dict[str, SourceChanged] = {}  # by source
        self.pushing: set[str] = set()  # "room/camera" of encoders that push now

    def configure(self, boxes: Iterable[BoxSource]) -> None:
        self._configured.clear()
        self._by_whip.clear()
        for box in boxes:
            self._configured.setdefault(box.room, []).append(box)
            if box.by_whip:
                self._by_whip[digest_of(box.key)] = box
        self._knocked_at = {key: at for key, at in self._knocked_at.items() if key in self._by_whip}
        self._link.say(self._keys())

    def _keys(self) -> PushKeys:
        boxes = [box for room in self._configured.values() for box in room if box.pushes]
        return PushKeys({digest_of(box.key): box.name for box in boxes})

    def holder(self, key: str) -> BoxSource | None:
        """The encoder whose key for the WHIP door this is."""
        return self._by_whip.get(digest_of(key))

    def knocked(self, box: BoxSource, at: int) -> None:
        """It came to the WHIP door with its key, and no lesson was prepared."""
        self._knocked_at[digest_of(box.key)] = at

    def knocked_at(self, box: BoxSource) -> int:
        """When it last did so, 0: not since campus began."""
        return self._knocked_at.get(digest_of(box.key), 0) if box.by_whip else 0

    def boxes(self, room: str) -> list[BoxSource]:
        return self._configured.get(room, [])

    def state(self, source: str) -> SourceChanged | None:
        return self.states.get(source)

    def lost(self, peer: str) -> bool:
        """While the process is away it may yet come back with all it has."""
        return self._link.connected and peer not in self._carried

    @property
    def connected(self) -> bool:
        return self._link.connected

    async def run(self) -> None:
        """Connect and listen, again and again, until cancelled."""
        await self._link.run()

    def publish(self, publish: Publish) -> None:
        """Pull this source and send it to a worker's peer."""
        self._wanted[publish.source] = publish
        self._carried.add(publish.peer)
        self._silent.pop(publish.source, None)
        self._link.say(publish)

    def want_layers(self, source: str, rids: list[str]) -> None:
        """Somebody has a use for these layers of a source that is pulled."""
        self._link.say(WantLayers(source, rids))

    def silence(self, source: str, silent: bool) -> None:
        """Silence in place of its sound, or its sound again."""
        if self._link.connected and self._silent.get(source) is not silent:
            self._silent[source] = silent
            self._link.say(Silence(source, silent))

    async def probed(self, box: BoxSource, seconds: float) -> bytes:
        """What a pushed source's encoder sends, watched for so long: `facts.Report` as JSON. UserFault where
        it could not be looked at, for no fault of its own."""
        ask, sound_only = random_word(ASK_LETTERS), box.source is Source.VOICE
        answer: asyncio.Future[PushProbed] = asyncio.get_running_loop().create_future()
        self._asked[ask] = answer
        try:
            if not self._link.say(ProbePush(ask, box.name, seconds, sound_only)):
                raise _away()
            async with asyncio.timeout(seconds + PROBE_SLACK_S):
                probed = await answer
        except TimeoutError:
            raise probe_failed() from None
        finally:
            del self._asked[ask]
        if not probed.report:
            raise probe_busy() if probed.busy else probe_failed()
        return probed.report

    def withdraw(self, source: str) -> None:
        """The source is no longer wanted, by whomever campus was before too."""
        self._wanted.pop(source, None)
        self._silent.pop(source, None)
        self.states.pop(source, None)
        self._link.say(Withdraw(source))

    def _welcomed(self, welcome: Welcome) -> None:
        """Another process has another certificate: what it was to send is opened anew, by its lesson."""
        if welcome.boot != self._boot:
            self._wanted.clear()
            self.states.clear()
        self._silent.clear()  # each lesson says it again
        self._boot, self.fingerprints = welcome.boot, welcome.fingerprints
        self.pushing = set(welcome.pushing)
        self._link.say(self._keys())
        self._carried = {*welcome.sources.values(), *(publish.peer for publish in self._wanted.values())}
        for publish in self._wanted.values():
            self._link.say(publish)
        for source in welcome.sources:
            if not self._knows(source.partition("/")[0]):
                self.withdraw(source)

    def _heard(self, event: Event) -> None:
        match event:
            case SourceChanged():
                self.states[event.source] = event
            case PublishFailed():
                self._carried.discard(event.peer)
            case PushChanged(source=source, pushing=pushing):
                (self.pushing.add if pushing else self.pushing.discard)(source)
            case PushProbed(ask=ask):
                answer = self._asked.get(ask)
                if answer is not None and not answer.done():
                    answer.set_result(event)
            case Welcome():
                pass

    def _lost(self) -> None:
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(_away())


def probe_busy() -> UserFault:
    return UserFault(
        "probe_busy", zh="正在检测其他设备，请稍后再试。", en="Other devices are being probed; try again."
    )


def probe_failed() -> UserFault:
    return UserFault(
        "probe_failed", zh="检测程序出错了，请看日志。", en="The probe itself failed; see the log."
    )


def _away() -> UserFault:
    return UserFault(
        "ingest_away",
        zh="接入进程刚刚中断，正在重新启动。请过几秒再检测；若反复出现，请看日志。",
        en="The process that takes in cameras and encoders is away and starts again. Probe again in some "
        "seconds; if that goes on, see the log.",
    )
