"""One source, opened, watched and judged: `lianke probe`, and the button on a room's page. Blocking.

`python -m server.ingest.probe` takes the address on standard input and prints the report: a process of its
own for whoever must neither wait nor be hurt by what a device sends.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import av
import msgspec
from av.error import FFmpegError

from server.errors import UserFault
from server.ingest import apart, reach
from server.ingest.address import MOST_LENGTH, Network, SourceAddress, allowed_networks, parse, resolve
from server.ingest.apart import LONGEST_WATCH_S, WATCH_S
from server.ingest.facts import Fitness, Point, Report
from server.ingest.faults import fault_of
from server.ingest.measuring import audio_facts, jpeg, video_facts, watch
from server.ingest.opening import opened
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
        host = resolve(address, networks)
        return _watched(address, host, min(seconds, LONGEST_WATCH_S), udp=udp, sound_only=sound_only)
    except UserFault as fault:
        point = Point(fault.code, Fitness.UNFIT, fault.words)
        return Report(str(address), 0.0, Fitness.UNFIT, [point], problem=fault.code)


def _watched(address: SourceAddress, host: str, seconds: float, *, udp: bool, sound_only: bool) -> Report:
    with opened(address, host, udp=udp) as container:
        try:
            video, audio, took = watch(container, seconds)
        except FFmpegError as error:
            raise fault_of(address, error) from None
        seen = video_facts(video, took) if video else None
        heard = audio_facts(audio, took) if audio else None
        fitness, points = judge(seen, heard, sound_only=sound_only)
        snapshot = jpeg(video.snapshot) if video and video.snapshot else None
    return Report(str(address), round(took, 2), fitness, points, seen, heard, snapshot_jpeg=snapshot)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m server.ingest.probe", description="judge a source")
    parser.add_argument("--seconds", type=float, default=WATCH_S)
    parser.add_argument(reach.AGAIN, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--network", action="append", default=[], metavar="CIDR")
    parser.add_argument("--anywhere", action="store_true")
    parser.add_argument("--udp", action="store_true")
    parser.add_argument("--sound-only", action="store_true")
    options = parser.parse_args()
    reach.confine("server.ingest.probe", sys.argv[1:])
    av.logging.set_level(None)  # FFmpeg's own lines have addresses with passwords in them
    seconds = min(options.seconds, LONGEST_WATCH_S)
    apart.bound(CPU_SHARE * seconds)
    text = sys.stdin.read(MOST_LENGTH + 1)
    networks = None if options.anywhere else allowed_networks(options.network)
    try:
        report = probe(text, networks, seconds, udp=options.udp, sound_only=options.sound_only)
    except UserFault as fault:
        point = Point(fault.code, Fitness.UNFIT, fault.words)
        report = Report("", 0.0, Fitness.UNFIT, [point], problem=fault.code)
    sys.stdout.buffer.write(msgspec.json.encode(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
