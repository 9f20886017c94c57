"""Cameras of a network answer WS-Discovery, by multicast and address by address; nobody else is believed."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from server.errors import UserFault
from server.ingest import apart
from server.ingest.address import allowed_networks
from server.ingest.discovery import GROUP, MOST_ASKED, answered, asked_addresses
from server.protocol.sources import AskedNetwork, FoundCamera, FoundCameras

ANSWER = """<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Body><d:ProbeMatches><d:ProbeMatch>
<d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Hall%20one
 onvif://www.onvif.org/hardware/DS-2CD</d:Scopes>
<d:XAddrs>http://192.168.1.64:8000/onvif/device_service</d:XAddrs>
</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"""
BOMB = '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><d:ProbeMatch xmlns:d="d"><XAddrs>&c;</XAddrs>'


def answer(link: socket.socket) -> None:
    """A device answers every probe, and says some rubbish first."""
    data, asker = link.recvfrom(4096)
    if b"NetworkVideoTransmitter" in data:
        for said in (b"\x00\x01", BOMB.encode(), b"<a/>", ANSWER.encode()):
            link.sendto(said, asker)


@asynccontextmanager
async def device(address: str, port: int = 0, group: str = "") -> AsyncIterator[int]:
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    link.bind((group or address, port))
    if group:
        both = socket.inet_aton(group) + socket.inet_aton(address)
        link.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, both)
    link.setblocking(False)
    loop = asyncio.get_running_loop()
    loop.add_reader(link, answer, link)
    try:
        yield link.getsockname()[1]
    finally:
        loop.remove_reader(link)
        link.close()


async def near(network: str, port: int) -> FoundCameras:
    """As campus asks it, at another port."""
    arguments = [*apart.where(["127.0.0.0/8"]), "--port", str(port)]
    said = msgspec.json.encode(AskedNetwork(network))
    return msgspec.json.decode(
        await apart.ask("server.ingest.discovery", said, arguments, 60), type=FoundCameras
    )


async def test_cameras_answer_by_multicast_and_by_their_own_address() -> None:
    async with device("127.0.0.7") as port, device("127.0.0.1", port, GROUP):
        found = await near("127.0.0.6/31", port)
    assert FoundCamera("127.0.0.7:8000", "Hall one", "DS-2CD") in found.cameras, found
    assert "127.0.0.1:8000" in {camera.address for camera in found.cameras}, "there, whatever it believes"


def test_only_small_networks_of_the_configuration_are_asked() -> None:
    allowed = allowed_networks(["10.1.0.0/24", "10.1.2.0/24"])
    assert asked_addresses("", allowed) == []
    assert len(asked_addresses("10.1.2.0/24", allowed)) == 254
    assert asked_addresses("10.1.2.9", allowed) == ["10.1.2.9"]
    for text, code in (
        ("10.1.0.0/22", "network_not_allowed"),
        ("10.1.0.0/8", "network_too_large"),
        ("camera", "bad_network"),
        ("fd00::/126", "bad_network"),
    ):
        with pytest.raises(UserFault) as raised:
            asked_addresses(text, allowed)
        assert raised.value.code == code
        assert raised.value.words.zh
    assert ipaddress.IPv4Network("10.0.0.0/22").num_addresses == MOST_ASKED


def test_what_is_no_answer_is_none() -> None:
    for said in (b"", b"<a", b"\xff" * 99, BOMB.encode(), b"<a/>"):
        assert answered(said, "10.1.0.9") is None
