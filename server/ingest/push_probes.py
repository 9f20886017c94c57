"""Probes of what encoders push: each a process of its own, fed with what comes while it comes.

A probe reads beside whoever else does, and nothing is decoded here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from server.errors import UserFault
from server.ingest import apart
from server.ingest.contract import ProbePush, PushProbed
from server.ingest.facts import faulty
from server.ingest.faults import not_pushing, push_ended
from server.ingest.rtmp.slot import READ_S, PushReader, PushSlot

AT_ONCE = 2

_log = logging.getLogger("lianke.ingest")


@dataclass(slots=True)
class PushProbes:
    """On the event loop. `told` is called with each answer."""

    slot: Callable[[str], PushSlot]
    told: Callable[[PushProbed], None]
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def ask(self, asked: ProbePush) -> None:
        """Begin; the answer comes by `told`."""
        if len(self._tasks) >= AT_ONCE:
            self.told(PushProbed(asked.ask, busy=True))
            return
        task = asyncio.get_running_loop().create_task(self._answer(asked), name=f"probe {asked.source}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End every probe and its process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, asked: ProbePush) -> None:
        try:
            report = await self._report(asked)
        except UserFault as fault:
            report = msgspec.json.encode(faulty(fault))
        except (apart.NoAnswer, OSError) as error:  # the latter: no process could be made
            _log.warning("a probe of what is pushed as %s failed: %s", asked.source, error)
            report = b""
        self.told(PushProbed(asked.ask, report))

    async def _report(self, asked: ProbePush) -> bytes:
        """NoAnswer; SourceFault where the encoder does not push, or not to the end."""
        slot = self.slot(asked.source)
        if not slot.pushing:
            raise not_pushing()
        reading = _Reading(slot)
        report = await apart.probed_pushed(reading.feed, asked.seconds, sound_only=asked.sound_only)
        if reading.crowded:
            raise apart.NoAnswer("it is read by too many already")
        if reading.ended:
            raise push_ended()
        return report


@dataclass(slots=True)
class _Reading:
    """What a probe is fed with. `ended`: the encoder went, or stood still, before the probe had enough."""

    slot: PushSlot
    ended: bool = False
    crowded: bool = False

    async def feed(self, into: asyncio.StreamWriter) -> None:
        woken = asyncio.Event()
        reader = PushReader(at_once=True, woken=woken.set)
        if not self.slot.joined(reader):
            self.crowded = True
            return
        try:
            while piece := await self._next(reader, woken):
                into.write(piece)
                await into.drain()
            self.ended = True
        finally:
            self.slot.left(reader)

    async def _next(self, reader: PushReader, woken: asyncio.Event) -> bytes:
        """Some bytes; b"" where it ended, or stood still for READ_S."""
        while not (piece := self.slot.taken(reader)):
            if reader.over:
                return b""
            woken.clear()
            try:
                async with asyncio.timeout(READ_S):
                    await woken.wait()
            except TimeoutError:
                return b""
        return piece
