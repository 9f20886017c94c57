"""Looking at a device in a process of its own: confined to one address, bounded in memory, CPU and time.

Whoever asks (campus, the command line) neither waits for longer than it said nor is hurt by what a device
sends. What is asked goes in by standard input, for others of the machine see command lines.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Iterable, Sequence

import msgspec

from server.protocol.sources import AskedCamera, AskedNetwork

MOST_MEMORY = 4 << 30  # of addresses; a decoder of 4K pictures and its threads need half of it
MOST_FILES = 64
CPU_BASE_S = 30
WATCH_S, LONGEST_WATCH_S = 8.0, 120.0
SLACK_S = 20.0  # to start, to open and to judge a source
FIND_S = 30.0  # a camera's streams


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
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=pipe, stdout=pipe
    )
    try:
        async with asyncio.timeout(within_s):
            answer, _ = await process.communicate(said)
    except TimeoutError:
        raise NoAnswer(f"{module} took longer than {within_s:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not answer:
        raise NoAnswer(f"{module} ended with {process.returncode}")
    return answer


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
