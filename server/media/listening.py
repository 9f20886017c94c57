"""The worker's sockets: UDP and, on the same port number, TCP; and the candidates that name them."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Sequence

import ifaddr

from server.protocol.parameters import Candidate

BACKLOG = 512
TRIES = 16  # for one free number in both protocols, where any will do

_log = logging.getLogger("lianke.media")


def bind(listen: str, *, tcp: bool = True) -> list[socket.socket]:
    """Non-blocking sockets on "ADDR:PORT" or "[ADDR]:PORT" (port 0: a free one): UDP, and TCP behind it.

    Where another program has the TCP port, UDP is served alone and the log says so: a lesson needs it
    more. OSError where UDP cannot be had.
    """
    host, _, port = listen.rpartition(":")
    address = ipaddress.ip_address(host.strip("[]"))
    for _ in range(TRIES):
        found = [_bound(address, socket.SOCK_DGRAM, int(port))]
        if not tcp:
            return found
        try:
            found.append(_bound(address, socket.SOCK_STREAM, found[0].getsockname()[1]))
        except OSError as error:
            if int(port) == 0:
                found[0].close()
                continue
            _log.error("TCP port %s is taken (%s): rooms behind a firewall cannot join", port, error.strerror)
        return found
    raise OSError(f"no port of {host} is free for both UDP and TCP")


def _bound(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, kind: socket.SocketKind, port: int
) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    found = socket.socket(family, kind)
    try:
        found.setblocking(False)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((str(address), port))
        if kind == socket.SOCK_STREAM:
            found.listen(BACKLOG)
    except OSError:
        found.close()
        raise
    return found


def candidates(sockets: Sequence[socket.socket], announce: Sequence[str]) -> list[Candidate]:
    """Host candidates, UDP first: announced addresses, else each socket's own, else this machine's."""
    found: list[Candidate] = []
    for each in sorted(sockets, key=_is_tcp):
        name = each.getsockname()
        bound, port = ipaddress.ip_address(name[0]), int(name[1])
        if announce:
            addresses = [a for a in announce if ipaddress.ip_address(a).version == bound.version]
        elif bound.is_unspecified:
            addresses = _machine_addresses(bound.version)
        else:
            addresses = [str(bound)]
        found += [Candidate(address, port, _is_tcp(each)) for address in addresses]
    return list(dict.fromkeys(found))


def _is_tcp(each: socket.socket) -> bool:
    return each.type == socket.SOCK_STREAM


def _machine_addresses(version: int) -> list[str]:
    """This machine's addresses; loopback last, for a browser on the same machine without a network."""
    plain = [str(ip.ip) if version == 4 else str(ip.ip[0]) for ip in _adapter_ips(version)]
    found = [ipaddress.ip_address(each) for each in plain]
    usable = [each for each in found if not each.is_link_local]
    return [str(each) for each in sorted(usable, key=lambda each: each.is_loopback)][:8]


def _adapter_ips(version: int) -> list[ifaddr.IP]:
    return [
        ip
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if (ip.is_IPv4 if version == 4 else ip.is_IPv6)
    ]
