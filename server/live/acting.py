"""The process of a rehearsal's acting rooms: started, told what to do, and ended.

At most MOST_AT_ONCE of them; each ends when its standard input does, so it never outlives campus.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence

import msgspec

from server.errors import UserFault
from server.protocol.rehearsing import Actor, Cast, Cue

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 2
PROCESS = "server.drill.acting"
ENDS_WITHIN_S = 3.0


class TooManyRehearsals(UserFault):
    """Others rehearse already."""

    def __init__(self) -> None:
        super().__init__(
            "too_many_rehearsals",
            zh="已有两位老师在排练，请过几分钟再试。",
            en="Two others rehearse at this moment. Try again in some minutes.",
        )


class Troupe:
    """`passes`: a token for an acting room (its id, its lesson). `url`: campus' own WebSocket, known once it
    listens."""

    def __init__(self, passes: Callable[[str, str], str]) -> None:
        self.url = ""
        self._passes = passes
        self._playing: dict[str, asyncio.subprocess.Process] = {}

    def check(self) -> None:
        """TooManyRehearsals where no other one can begin."""
        if len(self._playing) >= MOST_AT_ONCE:
            raise TooManyRehearsals

    async def play(self, lesson: str, rooms: Sequence[str]) -> None:
        """The rooms come into this lesson. TooManyRehearsals; OSError where no process can be made."""
        self.check()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", PROCESS, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
        )
        self._playing[lesson] = process
        self._say(lesson, Cast(self.url, [Actor(room, self._passes(room, lesson)) for room in rooms]))

    def cue(self, lesson: str, cue: Cue) -> None:
        """A room acts; nothing happens where its process is gone."""
        self._say(lesson, cue)

    async def end(self, lesson: str) -> None:
        """The rooms leave. Said twice it changes nothing."""
        process = self._playing.pop(lesson, None)
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(ENDS_WITHIN_S):
                code = await process.wait()
        except TimeoutError:
            process.kill()
            code = await process.wait()
        if code != 0:
            logger.warning("the acting rooms of %s ended with %d", lesson, code)

    def _say(self, lesson: str, line: msgspec.Struct) -> None:
        process = self._playing.get(lesson)
        if process is not None and process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(msgspec.json.encode(line) + b"\n")
