"""Campus' side of the publisher's control socket.

Knows nothing of what is to be published: whoever connects it is asked, at each connection, what the rows lack
(`on_connected`), and hears what the publisher says (`on_publishing`, `on_removed`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import msgspec

from recorder.control_link import ControlLink
from recorder.publish.contract import (
    VERSION,
    Command,
    Event,
    Hello,
    Load,
    Publishing,
    Removed,
    Welcome,
)


class PublisherLink:
    """One publisher, for as long as campus runs."""

    def __init__(
        self,
        path: Path,
        on_connected: Callable[[], Awaitable[None]],
        on_publishing: Callable[[Publishing], Awaitable[None]],
        on_removed: Callable[[Removed], Awaitable[None]],
    ) -> None:
        self._link = ControlLink[Command, Event, Welcome](
            path,
            decoder=msgspec.msgpack.Decoder(Event),
            hello=Hello(),
            welcome=Welcome,
            version=VERSION,
            welcomed=self._welcomed,
            heard=self._heard,
        )
        self._on_connected = on_connected
        self._on_publishing = on_publishing
        self._on_removed = on_removed
        self._live: tuple[str, ...] = ()

    @property
    def connected(self) -> bool:
        return self._link.connected

    async def run(self) -> None:
        """Connect and listen, again and again, until cancelled."""
        await self._link.run()

    def say(self, command: Command) -> bool:
        """False where it is not connected: rows say it again."""
        return self._link.say(command)

    def tell_live(self, lessons: Iterable[str]) -> None:
        """Which lessons are live; said where it changed."""
        live = tuple(sorted(lessons))
        if live != self._live:
            self._live = live
            self.say(Load(len(live), list(live)))

    async def _welcomed(self, _welcome: Welcome) -> None:
        self.say(Load(len(self._live), list(self._live)))
        await self._on_connected()

    async def _heard(self, event: Event) -> None:
        if isinstance(event, Publishing):
            await self._on_publishing(event)
        elif isinstance(event, Removed):
            await self._on_removed(event)
