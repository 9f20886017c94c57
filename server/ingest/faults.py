"""Why a source could not be opened, in words an IT person can act on."""

from __future__ import annotations

import av
from av import error as av_error

from server.errors import UserFault
from server.ingest.address import SourceAddress

WEB_PORTS = frozenset({80, 443, 8000, 8080})  # 8000 is a maker's own protocol, beside its web page


class SourceFault(UserFault):
    """A source that cannot be opened or does not go on."""


def fault_of(address: SourceAddress, error: BaseException) -> SourceFault:
    """The fault behind what the library raised, never with the password in it."""
    match error:
        case av_error.HTTPUnauthorizedError() | av_error.HTTPForbiddenError():
            return SourceFault(
                "wrong_password",
                zh="用户名或密码不对。多次输错后设备会锁定，请等 30 分钟或重启设备再试。",
                en="Wrong user name or password. Devices lock after some tries: wait 30 minutes, or restart.",
            )
        case av_error.HTTPNotFoundError() | av_error.HTTPBadRequestError() | av_error.HTTPOtherClientError():
            return SourceFault(
                "wrong_path",
                zh="设备在，但没有这个通道或码流。请核对地址中端口后面的部分。",
                en="The device is there but has no such channel or stream. Check what follows the port.",
            )
        case PermissionError():
            return SourceFault(
                "leads_elsewhere",
                zh="设备把我们转到另一个地址，出于安全没有跟过去。请直接填写码流所在设备的地址。",
                en="The device sends us to another address, which is not followed. Enter the address of the "
                "device that has the stream.",
            )
        case ConnectionRefusedError():
            return _closed_port(address)
        case TimeoutError() | av_error.ExitError():
            return SourceFault(
                "no_answer",
                zh=f"{address.host} 在限定时间内没有回答。请检查设备是否通电、网线和网段，或防火墙。",
                en=f"{address.host} did not answer in time. Check that it has power, its cable and network, "
                "and firewalls.",
            )
        case av_error.InvalidDataError() | av_error.EOFError() if _looks_like_web(address):
            return SourceFault(
                "web_page",
                zh="这是网页的地址，不是码流。RTSP 通常在 554 端口：rtsp://…:554/…",
                en="This is the web page's address, not a stream. RTSP is usually on port 554: rtsp://...:554/...",
            )
        case av_error.InvalidDataError() | av_error.EOFError() | av_error.HTTPServerError():
            return SourceFault(
                "no_stream",
                zh="那里没有可识别的码流，或它把我们转到别处。请核对地址与端口。",
                en="There is no stream that can be read, or it sends us elsewhere. Check address and port.",
            )
        case OSError() | av.FFmpegError():
            return SourceFault(
                "cannot_connect",
                zh=f"连不上 {address.host}:{address.port}（{error.__class__.__name__}）。请检查网络。",
                en=f"Cannot connect to {address.host}:{address.port} ({error.__class__.__name__}). Check the "
                "network.",
            )
        case _:
            raise error


def _looks_like_web(address: SourceAddress) -> bool:
    return address.port in WEB_PORTS or address.scheme.startswith("http")


def _closed_port(address: SourceAddress) -> SourceFault:
    return SourceFault(
        "port_closed",
        zh=f"{address.host} 在，但端口 {address.port} 没有开放。RTSP 通常在 554，RTMP 在 1935；"
        "请在设备上启用该服务。",
        en=f"{address.host} is there, but port {address.port} is closed. RTSP is usually on 554, RTMP on "
        "1935; turn the service on in the device.",
    )
