"""One source, opened, watched and judged: `lianke probe`, and the button on a room's page. Blocking.

`python -m server.ingest.probe` takes the address on standard input, or with `--pushed` the stream itself, and
prints the report: a process of its own for whoever must neither wait nor be hurt by what a device sends.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import av
import msgspec
from av.container import InputContainer
from av.error import FFmpegError

from server.errors import UserFault
from server.ingest import apart, reach
from server.ingest.address import MOST_LENGTH, Network, SourceAddress, allowed_networks, parse, resolve
from server.ingest.apart import LONGEST_WATCH_S, WATCH_S
from server.ingest.facts import Report, faulty
from server.ingest.faults import PUSHED, fault_of
from server.ingest.measuring import audio_facts, jpeg, video_facts, watch
from server.ingest.opening import Readable, flv, opened
from server.ingest.telling import told
from server.ingest.verdict import judge

CPU_SHARE = 2.0  # cores that decoding may take


def probe(
    text: str,
    networks: Sequence[Network] | None,
    seconds: float = WATCH_S,
    *,
    udp: bool = False,
    sound_only: bool = False,
) -> Report:
    """What comes from a source and how it can be taught with. Whatever is wrong with the source is in the
    report; BadAddress only where the text is no address at all. `sound_only`: its picture is of no use."""
    address = parse(text)
    try:
        with opened(address, resolve(address, networks), udp=udp) as container:
            return _watched(container, address, seconds, sound_only=sound_only)
    except UserFault as fault:
        return faulty(fault, str(address))


def probe_pushed(file: Readable, seconds: float = WATCH_S, *, sound_only: bool = False) -> Report:
    """The same of what an encoder pushes: FLV, in a file that gives it as it comes."""
    try:
        with flv(file) as container:
            return _watched(container, PUSHED, seconds, sound_only=sound_only)
    except UserFault as fault:
        return faulty(fault)


def _watched(
    container: InputContainer, address: SourceAddress, seconds: float, *, sound_only: bool
) -> Report:
    try:
        video, audio, took = watch(container, min(seconds, LONGEST_WATCH_S), sound_only=sound_only)
    except FFmpegError as error:
        raise fault_of(address, error) from None
    seen = video_facts(video, took) if video else None
    heard = audio_facts(audio, took) if audio else None
    fitness, points = judge(seen, heard, sound_only=sound_only, pushed=address is PUSHED)
    snapshot = jpeg(video.snapshot) if video and video.snapshot else None
    shown = "" if address is PUSHED else str(address)
    lines = told(seen, heard)
    return Report(shown, round(took, 2), fitness, points, seen, heard, "", snapshot, lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m server.ingest.probe", description="judge a source")
    parser.add_argument("--seconds", type=float, default=WATCH_S)
    parser.add_argument(reach.AGAIN, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--network", action="append", default=[], metavar="CIDR")
    parser.add_argument("--anywhere", action="store_true")
    parser.add_argument("--udp", action="store_true")
    parser.add_argument("--sound-only", action="store_true")
    parser.add_argument("--pushed", action="store_true", help="FLV comes by standard input, as it is pushed")
    options = parser.parse_args()
    reach.confine("server.ingest.probe", sys.argv[1:])
    av.logging.set_level(None)  # FFmpeg's own lines have addresses with passwords in them
    apart.bound(CPU_SHARE * min(options.seconds, LONGEST_WATCH_S))
    report = _of_the_pipe(options) if options.pushed else _of_an_address(options)
    sys.stdout.buffer.write(msgspec.json.encode(report))
    return 0


def _of_the_pipe(options: argparse.Namespace) -> Report:
    print(flush=True)  # now, for what is written before we read has no times
    with open(0, "rb", buffering=0) as pipe, reach.only(reach.NOWHERE):
        return probe_pushed(pipe, options.seconds, sound_only=options.sound_only)


def _of_an_address(options: argparse.Namespace) -> Report:
    text = sys.stdin.read(MOST_LENGTH + 1)
    networks = None if options.anywhere else allowed_networks(options.network)
    try:
        return probe(text, networks, options.seconds, udp=options.udp, sound_only=options.sound_only)
    except UserFault as fault:
        return faulty(fault)


if __name__ == "__main__":
    sys.exit(main())
