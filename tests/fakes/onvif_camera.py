"""A small ONVIF camera: SOAP over real sockets, WS-Security digests checked by its own (wrong) clock.

Its answers are what the ONVIF WSDLs ask for (Device and Media, ver10); the client that reads them validates
them by those WSDLs.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web

ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema"
 xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl">
<s:Body>{body}</s:Body></s:Envelope>"""
NOT_AUTHORIZED = """<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>
<s:Value xmlns:ter="http://www.onvif.org/ver10/error">ter:NotAuthorized</s:Value></s:Subcode></s:Code>
<s:Reason><s:Text xml:lang="en">Sender not Authorized</s:Text></s:Reason></s:Fault>"""
PROFILE = """<trt:Profiles token="{token}" fixed="true"><tt:Name>{name}</tt:Name>
<tt:VideoEncoderConfiguration token="v{token}"><tt:Name>video</tt:Name><tt:UseCount>1</tt:UseCount>
<tt:Encoding>{codec}</tt:Encoding>
<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>
<tt:Quality>4</tt:Quality><tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit>
<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>3072</tt:BitrateLimit></tt:RateControl>
<tt:H264><tt:GovLength>{interval}</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>
<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>
<tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>
<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration></trt:Profiles>"""
CLOCK_TOLERANCE = timedelta(seconds=10)


@dataclass
class OnvifCamera:
    """What it is and says. `clock_off`: how far its clock is from ours; `inner`: the address it believes to
    have, as behind another one; `asked`: the operations it was asked for."""

    user: str = "admin"
    password: str = "camera-pass"
    clock_off: timedelta = timedelta(days=-400)
    inner: str = "192.168.1.64"
    stream: str = "rtsp://192.168.1.64:554/Streaming/Channels/{token}"
    asked: list[str] = field(default_factory=list)

    def answer(self, operation: str, request: str) -> tuple[int, str]:
        self.asked.append(operation)
        if operation == "GetSystemDateAndTime":
            return 200, self._time()
        if not self._knows(request):
            return 400, NOT_AUTHORIZED
        token = re.search(r"ProfileToken>(\w+)<", request)
        answers = {
            "GetServices": self._services,
            "GetDeviceInformation": self._about,
            "GetProfiles": self._profiles,
            "GetStreamUri": lambda: self._uri(token.group(1) if token else ""),
        }
        return 200, answers[operation]()

    def _knows(self, request: str) -> bool:
        """WS-Security UsernameToken Profile 1.0: Base64(SHA-1(nonce + created + password))."""
        found = [
            re.search(rf"<(?:[\w-]+:)?{name}\b[^>]*>([^<]*)<", request)
            for name in ("Username", "Password", "Nonce", "Created")
        ]
        if not all(found):
            return False
        user, digest, nonce, created = [one.group(1) for one in found if one]
        wanted = hashlib.sha1(base64.b64decode(nonce) + created.encode() + self.password.encode()).digest()
        age = abs(self._now() - datetime.fromisoformat(created))
        return user == self.user and base64.b64decode(digest) == wanted and age < CLOCK_TOLERANCE

    def _now(self) -> datetime:
        return datetime.now(UTC) + self.clock_off

    def _time(self) -> str:
        now = self._now()
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
            "<tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
            f"<tt:UTCDateTime><tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
            f"<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year>"
            f"<tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime>"
            "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _services(self) -> str:
        rows = "".join(
            f"<tds:Service><tds:Namespace>http://www.onvif.org/ver10/{name}/wsdl</tds:Namespace>"
            f"<tds:XAddr>http://{self.inner}/onvif/{name}_service</tds:XAddr>"
            "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
            for name in ("device", "media")
        )
        return f"<tds:GetServicesResponse>{rows}</tds:GetServicesResponse>"

    def _about(self) -> str:
        return (
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>Village</tds:Manufacturer>"
            "<tds:Model>DS-2CD</tds:Model><tds:FirmwareVersion>5.5</tds:FirmwareVersion>"
            "<tds:SerialNumber>1</tds:SerialNumber><tds:HardwareId>88</tds:HardwareId>"
            "</tds:GetDeviceInformationResponse>"
        )

    def _profiles(self) -> str:
        main = PROFILE.format(
            token="101", name="mainStream", codec="H264", width=1920, height=1080, interval=50
        )
        sub = PROFILE.format(token="102", name="subStream", codec="H264", width=640, height=360, interval=250)
        return f"<trt:GetProfilesResponse>{main}{sub}</trt:GetProfilesResponse>"

    def _uri(self, token: str) -> str:
        return (
            f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{self.stream.format(token=token)}</tt:Uri>"
            "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
            "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout>"
            "</trt:MediaUri></trt:GetStreamUriResponse>"
        )


@asynccontextmanager
async def onvif_camera(camera: OnvifCamera) -> AsyncIterator[str]:
    """Its "host:port" for the length of the block."""

    async def said(request: web.Request) -> web.Response:
        text = await request.text()
        operation = re.search(r"<(?:[\w-]+:)?Body[^>]*>\s*<(?:[\w-]+:)?(\w+)", text)
        status, body = camera.answer(operation.group(1) if operation else "", text)
        return web.Response(
            status=status, text=ENVELOPE.format(body=body), content_type="application/soap+xml"
        )

    app = web.Application()
    app.add_routes([web.post("/onvif/{service}", said)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
