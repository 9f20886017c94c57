"""A relay whose socket is full, in a network of its own (test_full_socket.py): figures on standard output.

The kernel keeps what goes to a neighbour that never answers in the sender's buffer; on loopback
that buffer never fills, for a packet is the receiver's at once.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time

from tests.unit.media.relay.loopback import Camera, Wire, video_down, video_up

NOBODY = ("192.0.2.2", 9)
PACKETS = 200


def ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True)


class OpenWire(Wire):
    """A wire whose door is open to every network."""

    def __init__(self) -> None:
        super().__init__()
        self.open = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.open.bind(("0.0.0.0", 0))
        self.number = self.relay.adopt(self.open.fileno())
        self.door, self.address = self.open, ("127.0.0.1", self.open.getsockname()[1])


def main() -> None:
    for words in (
        "link set lo up",
        "link add v0 type veth peer name v1",
        "addr add 192.0.2.1/24 dev v0",
        "link set v0 up",
        "link set v1 up",
    ):
        ip(words)
    wire = OpenWire()
    wire.open.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_608)
    sender, near, far = wire.far(), wire.far(), wire.far()
    wire.relay.validate(far.handle, wire.number, NOBODY)
    wire.relay.aim(far.handle, wire.number, NOBODY)
    up = wire.relay.add_up(sender.handle, video_up())
    for peer in (far, near):
        wire.relay.point(wire.relay.add_down(peer.handle, video_down()), up)
    camera = Camera(sender)
    slowest = 0.0
    for index in range(PACKETS):
        camera.send(1, key=index == 0)
        began = time.monotonic()
        wire.run()
        slowest = max(slowest, time.monotonic() - began)
    full = wire.relay.totals()["send_full"]
    before = len(near.packets())
    ip("link del v0")
    camera.send(3)
    wire.run()
    print(json.dumps({"full": full, "before": before, "after": len(near.packets()), "slowest_s": slowest}))


if __name__ == "__main__":
    main()
