"""A camera's streams found from its address and password: a SOAP server over real sockets, asked as campus
asks it, by the process apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from server.errors import UserFault
from server.ingest import apart
from server.ingest.address import allowed_networks
from server.ingest.onvif_streams import streams
from server.protocol.sources import AskedCamera, Offered
from tests.fakes.listener import listener
from tests.fakes.onvif_camera import OnvifCamera, onvif_camera

HERE = ["127.0.0.1/32"]


async def asked(address: str) -> Offered:
    """As campus does it."""
    said = await apart.found(AskedCamera(address, "admin", "camera-pass"), HERE)
    return msgspec.json.decode(said, type=Offered)


async def test_a_cameras_streams_are_found_though_its_clock_is_wrong_and_its_address_another() -> None:
    camera = OnvifCamera()
    async with onvif_camera(camera) as address:
        found = await asked(address)
    assert found.problem == "", found
    assert found.device == "Village DS-2CD"
    main, sub = found.streams
    assert (main.name, main.codec, main.width, main.height, main.fps) == (
        "mainStream",
        "H264",
        1920,
        1080,
        25,
    )
    assert (main.keyframe_every_s, sub.keyframe_every_s) == (2.0, 10.0)
    assert main.address == "rtsp://127.0.0.1:554/Streaming/Channels/101"
    assert sub.address.endswith("/102")
    assert "GetStreamUri" in camera.asked


async def fault(address: str, networks: list[str]) -> UserFault:
    """Why it finds nothing, asked in this process."""
    with pytest.raises(UserFault) as raised:
        await streams(AskedCamera(address, "admin", "guessed"), allowed_networks(networks))
    assert raised.value.words.zh
    return raised.value


async def test_a_wrong_password_a_web_page_a_closed_port_and_another_network_are_told_apart() -> None:
    camera = OnvifCamera()
    async with onvif_camera(camera) as address:
        wrong = await fault(address, HERE)
        assert wrong.code == "wrong_password"
        assert "ONVIF users" in wrong.words.en
        camera.asked.clear()
        assert (await fault(address, ["10.0.0.0/8"])).code == "network_not_allowed"
        assert camera.asked == []
    assert (await fault(address, HERE)).code == "port_closed"
    for answer in (PAGE, b"RTSP/1.0 400 Bad Request\r\n\r\n"):
        async with answering(answer) as address:
            assert (await fault(address, HERE)).code == "no_onvif"


@asynccontextmanager
async def answering(answer: bytes, *, for_ever: bool = False) -> AsyncIterator[str]:
    """A device that says this to whatever it is asked."""

    async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answer)
        while for_ever:
            writer.write(b"<a>" * 20_000)
            await writer.drain()

    async with listener(said) as port:
        yield f"127.0.0.1:{port}"


PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html><title>NVR</title>"
SOAP = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nConnection: close\r\n\r\n"
ELSEWHERE = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.2:9/\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "for_ever", "problems"),
    [
        (ELSEWHERE, False, {"leads_elsewhere"}),
        (SOAP, True, {"too_much", "no_answer", "no_onvif"}),
    ],
    ids=["elsewhere", "endless"],
)
async def test_what_is_no_camera_is_told_in_words_in_bounded_time(
    answer: bytes, for_ever: bool, problems: set[str]
) -> None:
    async with answering(answer, for_ever=for_ever) as address:
        found = await asked(address)
    assert found.problem in problems
    assert found.words is not None
    assert found.words.zh
