"""Looking at a device in a process of its own: confined to one address, bounded in memory, CPU and time.

Whoever asks (campus, the command line) neither waits for longer than it said nor is hurt by what a device
sends. What is asked goes in by standard input, for others of the machine see command lines.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

import msgspec

from server.protocol.sources import AskedCamera, AskedNetwork

MOST_MEMORY = 4 << 30  # of addresses; a decoder of 4K pictures and its threads need half of it
MOST_FILES = 64
MOST_ANSWER = 4 << 20  # octets; a report with its picture has some 100 kB
CPU_BASE_S = 30
WATCH_S, LONGEST_WATCH_S = 8.0, 120.0
SLACK_S = 20.0  # to start, to open and to judge a source
FIND_S = 30.0  # a camera's streams


Feed = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes what a process is to be told."""


class NoAnswer(Exception):
    """The process ended without a word, or not in time."""


def bound(cpu_s: float, memory: int = MOST_MEMORY) -> None:
    """Bound this process: what a device sends may not fill memory or disk, nor keep a core busy for ever."""
    cpu = CPU_BASE_S + round(cpu_s)
    for limit, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_NOFILE, MOST_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (least, least))


def where(networks: Iterable[str] | None) -> list[str]:
    """Arguments that say where devices may be; None: anywhere."""
    if networks is None:
        return ["--anywhere"]
    return [part for network in networks for part in ("--network", network)]


async def ask(module: str, said: bytes, arguments: Sequence[str], within_s: float) -> bytes:
    """What `python -m module` answers to this. NoAnswer."""

    async def say(into: asyncio.StreamWriter) -> None:
        into.write(said)
        await into.drain()

    return await _answer(module, arguments, say, within_s)


async def probed_pushed(feed: Feed, seconds: float, *, sound_only: bool = False) -> bytes:
    """The probe's `facts.Report` of the FLV that `feed` writes to it, as it comes, as JSON. NoAnswer."""
    arguments = ["--pushed", "--seconds", str(seconds), *(["--sound-only"] if sound_only else [])]
    within_s = min(seconds, LONGEST_WATCH_S) + SLACK_S
    return await _answer("server.ingest.probe", arguments, feed, within_s, waits=True)


async def _answer(
    module: str, arguments: Sequence[str], feed: Feed, within_s: float, *, waits: bool = False
) -> bytes:
    """What a process prints that is fed so; `waits`: not before its first line, an empty one. NoAnswer."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=pipe, stdout=pipe
    )
    assert process.stdin is not None
    assert process.stdout is not None
    feeding: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(within_s):
            if waits:
                await process.stdout.readline()
            feeding = asyncio.create_task(_fed(feed, process.stdin), name=f"feed {module}")
            answer = await _all_of(process.stdout)
            await process.wait()
    except TimeoutError:
        raise NoAnswer(f"{module} took longer than {within_s:.0f} s") from None
    finally:
        if feeding is not None:
            feeding.cancel()
            await asyncio.wait([feeding])
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not answer:
        raise NoAnswer(f"{module} ended with {process.returncode}")
    return answer


async def _fed(feed: Feed, into: asyncio.StreamWriter) -> None:
    """A process that has enough closes its end before ours."""
    try:
        with suppress(ConnectionError):
            await feed(into)
    finally:
        into.close()


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    """Everything to its end. NoAnswer where that is more than any answer."""
    whole = bytearray()
    while piece := await reader.read(1 << 16):
        whole += piece
        if len(whole) > MOST_ANSWER:
            raise NoAnswer("a process says too much")
    return bytes(whole)


async def probed(
    text: str,
    networks: Iterable[str] | None,
    seconds: float,
    *,
    udp: bool = False,
    sound_only: bool = False,
) -> bytes:
    """The probe's `facts.Report` of a source, as JSON. NoAnswer."""
    arguments = ["--seconds", str(seconds), *where(networks), *(["--udp"] if udp else [])]
    arguments += ["--sound-only"] if sound_only else []
    within_s = min(seconds, LONGEST_WATCH_S) + SLACK_S
    return await ask("server.ingest.probe", text.encode(), arguments, within_s)


async def near(asked: AskedNetwork, networks: Iterable[str] | None) -> bytes:
    """The cameras that answer in a network as `FoundCameras`, as JSON. NoAnswer."""
    said = msgspec.json.encode(asked)
    return await ask("server.ingest.discovery", said, where(networks), FIND_S)


async def found(asked: AskedCamera, networks: Iterable[str] | None) -> bytes:
    """A camera's streams as `Offered`, as JSON. NoAnswer."""
    said = msgspec.json.encode(asked)
    return await ask("server.ingest.onvif_streams", said, where(networks), FIND_S)
