"""A server and a room in networks of their own, with a router between them that drops what it is told to.

Made with `unshare` and `ip` alone, no firewall program needed: a policy rule of the router sends what a
test wants blocked into a black hole, silently, as a school's firewall does. Everything ends with it.
"""

from __future__ import annotations

import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVER, SERVER_6 = "10.77.1.2", "fd77:1::2"
ROOM, ROOM_6 = "10.77.2.2", "fd77:2::2"
WHY_NOT = "this machine lets us make no network namespace"

_MAKE = """
set -e
mount -t tmpfs tmpfs /run
mkdir /run/netns
for each in server router room; do ip netns add $each; ip -n $each link set lo up; done
ip link add s0 netns server type veth peer name s1 netns router
ip link add c0 netns room type veth peer name c1 netns router
while read where device address address6; do
  ip -n $where addr add $address/24 dev $device
  ip -n $where addr add $address6/64 dev $device nodad
  ip -n $where link set $device up
done <<END
server s0 10.77.1.2 fd77:1::2
router s1 10.77.1.1 fd77:1::1
router c1 10.77.2.1 fd77:2::1
room c0 10.77.2.2 fd77:2::2
END
ip -n server route add default via 10.77.1.1; ip -n server -6 route add default via fd77:1::1
ip -n room route add default via 10.77.2.1; ip -n room -6 route add default via fd77:2::1
ip netns exec router sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward;
  echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
echo ready
exec cat
"""


@dataclass(frozen=True)
class Town:
    """Three networks held by one process."""

    holder: int

    def inside(self, where: str, command: Sequence[str]) -> list[str]:
        """The command line that runs `command` in the network of "server", "router" or "room"."""
        process = Path("/proc", str(self.holder))
        enter = ["nsenter", f"--user={process / 'ns/user'}", "--preserve-credentials"]
        return [*enter, f"--net={process / 'root' / 'run/netns' / where}", *command]

    def program(self, where: str, executable: str, folder: Path) -> Path:
        """A file that starts `executable` there, with whatever arguments it is given."""
        script = folder / f"{Path(executable).name}-in-{where}"
        script.write_text(f'#!/bin/sh\nexec {" ".join(self.inside(where, [executable]))} "$@"\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return script

    def block(self, protocol: str, ports: str = "1-65534") -> None:
        """Let the router drop what the room sends by this protocol ("udp", "tcp") to these ports."""
        self._rules("add", protocol, ports)

    def open(self, protocol: str, ports: str = "1-65534") -> None:
        self._rules("del", protocol, ports)

    def _rules(self, verb: str, protocol: str, ports: str) -> None:
        for family in ("-4", "-6"):
            rule = ["ip", family, "rule", verb, "iif", "c1", "ipproto", protocol, "dport", ports, "blackhole"]
            subprocess.run(self.inside("router", rule), check=True)


@contextmanager
def town() -> Iterator[Town | None]:
    """The networks, or None where this machine gives us no right to make them."""
    needed = ("unshare", "nsenter", "ip")
    if any(shutil.which(each) is None for each in needed):
        yield None
        return
    command = ["unshare", "--map-root-user", "--net", "--mount", "sh", "-c", _MAKE]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            yield Town(holder.pid) if holder.stdout.readline() == "ready\n" else None
        finally:
            holder.stdin.close()
            holder.wait(10)
