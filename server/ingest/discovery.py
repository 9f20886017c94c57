"""Which cameras stand in a network (WS-Discovery, as ONVIF devices answer it).

`python -m server.ingest.discovery` takes an `AskedNetwork` as JSON on standard input and prints
`FoundCameras`: by multicast where this machine itself stands, and each address of a network that is given by
itself, for multicast does not pass a router. A process of its own, for it reads what anybody there cares to
send.
"""

from __future__ import annotations

import argparse
import ipaddress
import select
import socket
import sys
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
from lxml import etree

from server.errors import UserFault
from server.ingest import apart
from server.ingest.address import Network, allowed_networks, is_within
from server.protocol.sources import AskedNetwork, FoundCamera, FoundCameras

PORT, GROUP = 3702, "239.255.255.250"
TIMES, WAIT_S = 2, 1.5  # a datagram may be lost: all are asked twice
MOST_ASKED, MOST_FOUND = 1024, 256
MOST_DATAGRAM = 16 << 10
MOST_MEMORY = 1 << 30
MOST_TEXT = 60
_PROBE = """<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"
 xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:n="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>uuid:{id}</w:MessageID>
<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>
<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>
<e:Body><d:Probe><d:Types>n:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"""
_SCOPE = "onvif://www.onvif.org/"


def asked_addresses(text: str, networks: Sequence[Network] | None) -> list[str]:
    """Each address of the network that is to be asked; none for "". UserFault where it is no network, too
    large, or not allowed."""
    if not text.strip():
        return []
    try:
        network = ipaddress.IPv4Network(text.strip(), strict=False)
    except ValueError:
        raise UserFault(
            "bad_network",
            zh="这不是一个网段，应类似 192.168.1.0/24。",
            en="This is no network. It should look like 192.168.1.0/24.",
        ) from None
    if network.num_addresses > MOST_ASKED:
        raise UserFault(
            "network_too_large",
            zh=f"网段太大，一次最多 {MOST_ASKED} 个地址（例如 /22）。",
            en=f"That network is too large: at most {MOST_ASKED} addresses at once (such as /22).",
        )
    inside = networks is None or any(
        isinstance(each, ipaddress.IPv4Network) and network.subnet_of(each) for each in networks
    )
    if not inside:
        raise UserFault(
            "network_not_allowed",
            zh="该网段不在允许的范围内。请在配置 [ingest] networks 中加入摄像机的网段。",
            en="That network is not allowed. Add the cameras' network to `networks` of [ingest] in the "
            "configuration.",
        )
    return [str(each) for each in (network.hosts() if network.num_addresses > 2 else network)]


def cameras(
    addresses: Iterable[str], own: Iterable[str], networks: Sequence[Network] | None, port: int = PORT
) -> list[FoundCamera]:
    """Who answers, by address. `own`: this machine's addresses, from which a group is asked."""
    message = _PROBE.format(id=uuid.uuid4()).encode()
    found: dict[str, FoundCamera] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        for _ in range(TIMES):
            _ask(link, message, addresses, own, port)
            until = time.monotonic() + WAIT_S
            while (left := until - time.monotonic()) > 0 and len(found) < MOST_FOUND:
                if not select.select([link], [], [], left)[0]:
                    break
                data, (host, *_) = link.recvfrom(MOST_DATAGRAM)
                camera = answered(data, host) if networks is None or is_within(host, networks) else None
                if camera is not None:
                    found[camera.address] = camera
    return sorted(found.values(), key=lambda camera: ipaddress.ip_address(camera.address.partition(":")[0]))


def _ask(
    link: socket.socket, message: bytes, addresses: Iterable[str], own: Iterable[str], port: int
) -> None:
    for address in own:
        with suppress(OSError):  # an interface without multicast
            link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
            link.sendto(message, (GROUP, port))
    for address in addresses:
        with suppress(OSError):  # nobody's address, or no road there
            link.sendto(message, (address, port))


def answered(data: bytes, host: str) -> FoundCamera | None:
    """The camera that a datagram from `host` tells of: there, whatever address it believes to have. None for
    what is no answer."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        tree = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return None
    match = tree.find(".//{*}ProbeMatch")
    if match is None:
        return None
    scopes = (match.findtext("{*}Scopes") or "").split()
    ports = [_port(place) for place in (match.findtext("{*}XAddrs") or "").split()]
    port = next(filter(None, ports), 80)
    return FoundCamera(f"{host}:{port}", _scope(scopes, "name"), _scope(scopes, "hardware"))


def _port(place: str) -> int:
    try:
        parts = urlsplit(place)
        return (parts.port or 80) if parts.scheme == "http" else 0
    except ValueError:
        return 0


def _scope(scopes: Iterable[str], what: str) -> str:
    start = f"{_SCOPE}{what}/"
    text = next((each.removeprefix(start) for each in scopes if each.startswith(start)), "")
    return "".join(char for char in unquote(text) if char.isprintable())[:MOST_TEXT]


def own_addresses(networks: Sequence[Network] | None) -> list[str]:
    """This machine's addresses in those networks."""
    lines = Path("/proc/net/fib_trie").read_text().splitlines()
    local = {
        before.rpartition(" ")[2] for before, line in pairwise(lines) if line.strip() == "/32 host LOCAL"
    }
    return sorted(each for each in local if networks is None or is_within(each, networks))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m server.ingest.discovery", description="find cameras")
    parser.add_argument("--network", action="append", default=[], metavar="CIDR")
    parser.add_argument("--anywhere", action="store_true")
    parser.add_argument("--port", type=int, default=PORT)
    options = parser.parse_args()
    apart.bound(TIMES * WAIT_S, MOST_MEMORY)
    networks = None if options.anywhere else allowed_networks(options.network)
    try:
        asked = msgspec.json.decode(sys.stdin.buffer.read(), type=AskedNetwork)
        addresses = asked_addresses(asked.network, networks)
        found = FoundCameras(cameras(addresses, own_addresses(networks), networks, options.port))
    except UserFault as fault:
        found = FoundCameras([], fault.code, fault.words)
    sys.stdout.buffer.write(msgspec.json.encode(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
