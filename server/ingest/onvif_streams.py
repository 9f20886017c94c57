"""Which streams a camera says it has (ONVIF), found from its address and password.

`python -m server.ingest.onvif_streams` takes an `AskedCamera` as JSON on standard input and prints `Offered`:
a process of its own, for the SOAP library reads answers of any size and sets up logging when it is imported.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from lxml.etree import LxmlError
from onvif import ONVIFCamera, ONVIFError
from onvif.util import is_auth_error
from zeep import exceptions as soap

from server.errors import UserFault
from server.ingest import apart, reach
from server.ingest.address import PORTS, Network, SourceAddress, allowed_networks, camera_address, resolve
from server.protocol.sources import AskedCamera, Offered, StreamOffer

FIND_S = 12.0
MOST_PROFILES = 16
MOST_MEMORY = 1 << 30  # of addresses; the library alone has a third of it
MOST_TEXT = 120
FAULTS = (
    *(OSError, TimeoutError, MemoryError, UserFault),
    *(ONVIFError, soap.Error, LxmlError, aiohttp.ClientError),
    *(AttributeError, TypeError, ValueError),  # an answer without what it must have
)
RTP_OVER_TCP = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}


async def streams(asked: AskedCamera, networks: tuple[Network, ...] | None) -> Offered:
    """Every stream of the camera, with its address but without the password. UserFault says what is wrong."""
    address = camera_address(asked.address)
    host = await asyncio.to_thread(resolve, address, networks)
    with reach.only(host):
        try:
            async with asyncio.timeout(FIND_S):
                return await _asked(address, host, asked)
        except FAULTS as error:
            raise fault_of(address, error) from None  # its text may have what the password was sent in


async def _asked(address: SourceAddress, host: str, asked: AskedCamera) -> Offered:
    camera = ONVIFCamera(
        host, address.port, asked.user, asked.password,
        no_cache=True, adjust_time=True, nat_override=True,
    )  # fmt: skip
    try:
        await camera.update_xaddrs()
        about = await (await camera.create_devicemgmt_service()).GetDeviceInformation()
        media = await camera.create_media_service()
        offers = []
        for profile in (await media.GetProfiles())[:MOST_PROFILES]:
            uri = await media.GetStreamUri({"StreamSetup": RTP_OVER_TCP, "ProfileToken": profile.token})
            if (offer := _offer(address, profile, str(uri.Uri))) is not None:
                offers.append(offer)
        return Offered(f"{about.Manufacturer} {about.Model}"[:MOST_TEXT], offers)
    finally:
        await camera.close()


def _offer(address: SourceAddress, profile: Any, uri: str) -> StreamOffer | None:
    """A profile as a page shows it; None for an address that is none of ours. A camera behind another address
    tells its own: what counts is where it was found."""
    parts = urlsplit(uri)
    if parts.scheme not in PORTS:
        return None
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    there = SourceAddress(parts.scheme, address.host, parts.port or PORTS[parts.scheme], path)
    encoder = profile.VideoEncoderConfiguration
    sound = profile.AudioEncoderConfiguration is not None
    name = str(profile.Name)[:MOST_TEXT]
    if encoder is None:
        return StreamOffer(name, str(there), sound=sound)
    rate = encoder.RateControl.FrameRateLimit if encoder.RateControl else 0
    interval = encoder.H264.GovLength if encoder.H264 else 0
    return StreamOffer(
        name,
        str(there),
        str(encoder.Encoding)[:MOST_TEXT],
        encoder.Resolution.Width if encoder.Resolution else 0,
        encoder.Resolution.Height if encoder.Resolution else 0,
        float(rate or 0),
        round(interval / rate, 1) if interval and rate else 0.0,
        sound,
    )


def fault_of(address: SourceAddress, error: BaseException) -> UserFault:
    """What went wrong with a camera (one of FAULTS), in words."""
    match error:
        case UserFault():
            return error
        case soap.Fault() if is_auth_error(error):
            return UserFault(
                "wrong_password",
                zh="用户名或密码不对。很多摄像机要单独添加 ONVIF 用户：设备网页 → 网络 → 集成协议。",
                en="Wrong user name or password. Many cameras have ONVIF users of their own: add one on the "
                "device's page (Network, Integration protocol).",
            )
        case aiohttp.ClientConnectorError() if isinstance(error.os_error, ConnectionRefusedError):
            return UserFault(
                "port_closed",
                zh=f"{address.host} 在，但端口 {address.port} 没有开放。ONVIF 通常在 80，也可能在 8000、"
                "8080 或 8899；请在设备上启用 ONVIF。",
                en=f"{address.host} is there, but port {address.port} is closed. ONVIF is usually on 80, or "
                "8000, 8080, 8899; turn ONVIF on in the device.",
            )
        case PermissionError() | aiohttp.ClientConnectorError(os_error=PermissionError()):
            return UserFault(
                "leads_elsewhere",
                zh="设备把我们转到另一个地址，出于安全没有跟过去。请直接填写摄像机自己的地址。",
                en="The device sends us to another address, which is not followed. Enter the camera's own.",
            )
        case TimeoutError() | aiohttp.ClientConnectorError() | aiohttp.ServerTimeoutError():
            return UserFault(
                "no_answer",
                zh=f"{address.host} 没有回答。请检查地址、网线和网段。",
                en=f"{address.host} does not answer. Check the address, its cable and network.",
            )
        case MemoryError():
            return UserFault(
                "too_much", zh="设备的回答太大，已停止读取。", en="The device's answer is too big to be read."
            )
        case _:
            return UserFault(
                "no_onvif",
                zh="那里有设备，但它不用 ONVIF 回答。请在设备上启用 ONVIF，或直接填写 rtsp:// 地址。",
                en="There is a device, but it does not answer by ONVIF. Turn ONVIF on in the device, or "
                "enter the rtsp:// address.",
            )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m server.ingest.onvif_streams", description="ask a camera")
    parser.add_argument(reach.AGAIN, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--network", action="append", default=[], metavar="CIDR")
    parser.add_argument("--anywhere", action="store_true")
    options = parser.parse_args()
    reach.confine("server.ingest.onvif_streams", sys.argv[1:])
    logging.disable(logging.CRITICAL)  # the library tells what it sends
    apart.bound(FIND_S, MOST_MEMORY)
    loop = asyncio.new_event_loop()  # `asyncio.run` starts a thread at its end: no memory may be left for it
    networks = None if options.anywhere else allowed_networks(options.network)
    try:
        asked = msgspec.json.decode(sys.stdin.buffer.read(), type=AskedCamera)
        found = loop.run_until_complete(streams(asked, networks))
    except UserFault as fault:
        found = Offered("", [], fault.code, fault.words)
    sys.stdout.buffer.write(msgspec.json.encode(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
