"""Campus' side of a media worker's control socket: connect, come back, ask, be told.

`WorkerLink` is all campus holds of a worker. It satisfies `live.ports.WorkerPort`. Events come by
callbacks on the event loop, in order, and must not block (`recorder.control_link`).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

import msgspec

from recorder.control_link import ControlLink
from server.media.contract import VERSION, Command, Done, Event, Hello, Welcome

REQUEST_TIMEOUT_S = 5.0


class WorkerLost(ConnectionError):
    """The worker is not connected, hung up before it answered, or did not answer in time."""


class WorkerLink:
    """One worker, for as long as campus runs.

    `on_welcome(welcome, new_boot)` at every connection: `new_boot` is True for a process not seen before
    (its peers are gone), False where the same process was found again. `on_lost()` when the
    connection ended after a welcome. `on_event` gets every other event except the answers.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        on_welcome: Callable[[Welcome, bool], None],
        on_event: Callable[[Event], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._link = ControlLink[Command, Event, Welcome](
            path,
            decoder=msgspec.msgpack.Decoder(Event),
            hello=Hello(),
            welcome=Welcome,
            version=VERSION,
            welcomed=self._welcomed,
            heard=self._heard,
            lost=self._ended,
        )
        self._on_welcome = on_welcome
        self._on_event = on_event
        self._on_lost = on_lost
        self._welcome: Welcome | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Done]] = {}

    @property
    def connected(self) -> bool:
        return self._link.connected

    @property
    def boot(self) -> str:
        """The random name of the process last seen; "" before the first welcome."""
        return self._welcome.boot if self._welcome else ""

    @property
    def tap_socket(self) -> str:
        return self._welcome.tap_socket if self._welcome else ""

    async def run(self) -> None:
        """Connect and serve, again and again, until cancelled."""
        await self._link.run()

    async def request(self, command: Command) -> Done:
        """Send a command that has a `request` field (whatever number it carries is replaced) and wait.

        The answer's `problem` may name a refusal. WorkerLost where no answer can be had.
        """
        number = next(self._numbers)
        future: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            if not self._link.say(msgspec.structs.replace(command, request=number)):
                raise WorkerLost("the worker is not connected")
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                return await future
        except TimeoutError:
            raise WorkerLost("the worker did not answer in time") from None
        finally:
            del self._waiting[number]

    def send(self, command: Command) -> None:
        """Send a command that has no answer; lost where the worker is lost."""
        self._link.say(command)

    def _welcomed(self, welcome: Welcome) -> None:
        new_boot = welcome.boot != self.boot
        self._welcome = welcome
        self._on_welcome(welcome, new_boot)

    def _heard(self, event: Event) -> None:
        if isinstance(event, Done):
            future = self._waiting.get(event.request)
            if future is not None and not future.done():
                future.set_result(event)
        else:
            self._on_event(event)

    def _ended(self) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(WorkerLost("the worker hung up"))
        self._on_lost()
