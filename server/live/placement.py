"""Which lesson lives on which media worker. A lesson is pinned to one worker until that is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from server.live.connections import peer_parts
from server.live.inbox import WorkerUp
from server.live.ports import WorkerPort
from server.media.client import WorkerLink
from server.media.contract import (
    CloseRoom,
    Event,
    Figures,
    LayersWanted,
    Levels,
    PeerChanged,
    PeerSnapshot,
    TapSnapshot,
    TrackChanged,
    Welcome,
    WorkerFigures,
)


class WorkerListener(Protocol):
    """Who is told; called on the event loop, must not block."""

    def knows(self, lesson: str) -> bool: ...

    def worker_up(self, lesson: str | None, message: WorkerUp) -> None:
        """`lesson` None: to every lesson, it has nothing of anybody."""
        ...

    def worker_gone(self, worker: str) -> None: ...

    def worker_said(self, worker: str, lesson: str, event: Event) -> None: ...


class Workers:
    """Links to every worker of this machine, by name."""

    def __init__(self, sockets: Mapping[str, Path], listener: WorkerListener) -> None:
        self._listener = listener
        self._links = {name: self._link(name, path) for name, path in sockets.items()}
        self._pins: dict[str, str] = {}
        self._totals: dict[str, dict[str, float]] = {}

    async def run(self) -> None:
        """Connect to all, and again, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, link in self._links.items():
                group.create_task(link.run(), name=f"worker link {name}")

    @property
    def connected(self) -> int:
        return sum(link.connected for link in self._links.values())

    def totals(self) -> dict[str, float]:
        """Every worker's totals, summed by metric name."""
        summed: Counter[str] = Counter()
        for totals in self._totals.values():
            summed.update(totals)
        return dict(summed)

    def place(self, lesson: str) -> tuple[str, WorkerPort] | None:
        """The lesson's worker: the one it is on, else the connected one with the fewest lessons."""
        pinned = self._pins.get(lesson)
        if pinned is not None and self._links[pinned].connected:
            return pinned, self._links[pinned]
        living = [name for name, link in self._links.items() if link.connected]
        if not living:
            return None
        load = Counter(self._pins.values())
        chosen = min(living, key=lambda name: load[name])
        self._pins[lesson] = chosen
        return chosen, self._links[chosen]

    def release(self, lesson: str) -> None:
        self._pins.pop(lesson, None)

    def _link(self, name: str, path: Path) -> WorkerLink:
        return WorkerLink(
            path,
            on_welcome=lambda welcome, _new_boot: self._welcomed(name, welcome),
            on_event=lambda event: self._said(name, event),
            on_lost=lambda: self._lost(name),
        )

    def _welcomed(self, name: str, welcome: Welcome) -> None:
        """Its peers go to their lessons; what belongs to no lesson of ours is closed."""
        peers: dict[str, list[PeerSnapshot]] = {}
        for peer in welcome.peers:
            peers.setdefault(peer.room, []).append(peer)
        taps: dict[str, TapSnapshot] = {tap.room: tap for tap in welcome.taps}
        for lesson in {*peers, *taps}:
            if not self._listener.knows(lesson) or self._pins.setdefault(lesson, name) != name:
                self._links[name].send(CloseRoom(room=lesson))
                continue
            message = WorkerUp(name, peers.get(lesson, []), taps.get(lesson))
            self._listener.worker_up(lesson, message)
        self._listener.worker_up(None, WorkerUp(name, [], None))

    def _lost(self, name: str) -> None:
        self._pins = {lesson: worker for lesson, worker in self._pins.items() if worker != name}
        self._listener.worker_gone(name)

    def _said(self, name: str, event: Event) -> None:
        match event:
            case WorkerFigures(totals=totals):
                self._totals[name] = totals
            case Figures(room=room) | Levels(room=room):
                self._listener.worker_said(name, room, event)
            case PeerChanged(peer=peer):
                self._tell_owner(name, peer, event)
            case TrackChanged(track=track) | LayersWanted(track=track):
                self._tell_owner(name, track.peer, event)
            case _:
                pass

    def _tell_owner(self, name: str, peer: str, event: Event) -> None:
        try:
            lesson, _, _ = peer_parts(peer)
        except ValueError:
            return
        self._listener.worker_said(name, lesson, event)
