"""What a forwarded packet costs inside the relay: CPU microseconds for each packet to each viewer.

    python tests/bench/relay_forward.py --viewers 40 --packets 4000 [--burst 8] [--profile gcm] [--json]

One process: a publisher's encrypted packets come through a loopback socket in bursts, as frames do (sizes n,
then n + 1, as Chromium makes them); the relay forwards each to N viewers. With --burst 1 nothing can be sent
together: that is the floor's case; with --pps the bursts come at their rate, into caches that other work has
taken meanwhile. Only the CPU time of `Relay.receive` is counted: receiving, decrypting,
storing, rewriting, encrypting, sending. Nobody reads the viewers' sockets: they drop what they cannot hold.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import struct
import time

from pylibsrtp import Policy, Session

from server.media.relay.relay import Relay
from server.media.relay.tables import CodecNumber, CodecRow, DownRow, UpRow

PROFILES = {
    "gcm": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    "sha1": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
}


def session_pair(profile: str) -> tuple[Session, Session]:
    """A sending and a receiving session of one key."""
    kind, length = PROFILES[profile]
    key = os.urandom(length)
    out = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=kind))
    return out, Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=kind))


def loopback(buffer: int = 0) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    if buffer:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    return made


def join(relay: Relay, number: int, far: socket.socket, ufrag: bytes, profile: str) -> tuple[int, Session]:
    """A peer at `far`'s address; its handle and the session it encrypts with."""
    peer = relay.add_peer(ufrag)
    sends, receives = session_pair(profile)
    relay.validate(peer, number, far.getsockname())
    relay.secure(peer, receives, session_pair(profile)[0])
    return peer, sends


def packet(sequence: int, frame: int, size: int) -> bytes:
    first = b"\x65" if sequence == 1 else b"\x41"
    header = struct.pack("!BBHII", 0x80, 96, sequence & 0xFFFF, frame * 360, 7)
    return header + first + bytes(size - 13)


def measure(
    viewers: int, packets: int, profile: str, burst: int = 8, pps: int = 0, size: int = 1200
) -> dict[str, float]:
    relay = Relay()
    door = loopback()
    number = relay.adopt(door.fileno())
    publisher = loopback()
    peer, sends = join(relay, number, publisher, b"publisher", profile)
    codecs = (CodecRow(CodecNumber.H264, 96, 97, True),)
    up = relay.add_up(peer, UpRow(True, b"0", codecs, ssrcs=((0, 7, 8),)))
    far = []
    for i in range(viewers):
        far.append(loopback(4096))
        viewer, _ = join(relay, number, far[-1], b"viewer-%d" % i, profile)
        row = DownRow(True, b"0", codecs, 100 + i, 1000 + i, mid_id=1, abs_send_time_id=2)
        relay.point(relay.add_down(viewer, row), up)
    spent, wall = 0.0, []
    for start in range(1, packets + 1, burst):
        for sequence in range(start, start + burst):
            longer = (sequence - start) * 2 // burst
            publisher.sendto(sends.protect(packet(sequence, start, size + longer)), door.getsockname())
        if pps:
            time.sleep(burst / pps)
        began, began_wall = time.thread_time(), time.perf_counter()
        relay.receive(number)
        spent += time.thread_time() - began
        wall.append(time.perf_counter() - began_wall)
    totals = relay.totals()
    wall.sort()
    return {
        "viewers": viewers,
        "forwarded": totals["forwarded"],
        "lost": -(-packets // burst) * burst * viewers - totals["forwarded"],
        "us_per_forward": round(spent / max(totals["forwarded"], 1) * 1e6, 3),
        "p99_batch_ms": round(wall[int(len(wall) * 0.99)] * 1e3, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--viewers", type=int, default=40)
    parser.add_argument("--packets", type=int, default=4000)
    parser.add_argument("--burst", type=int, default=8, help="packets that arrive together")
    parser.add_argument("--pps", type=int, default=0, help="packets a second (0: as fast as they go)")
    parser.add_argument("--profile", choices=PROFILES, default="gcm")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures = {
        "profile": asked.profile,
        "burst": asked.burst,
        **measure(asked.viewers, asked.packets, asked.profile, asked.burst, asked.pps),
    }
    print(json.dumps(figures) if asked.json else "\n".join(f"{k:16} {v}" for k, v in figures.items()))


if __name__ == "__main__":
    main()
