"""Why a source could not be opened, in words an IT person can act on."""

from __future__ import annotations

import errno

import av
from av import error as av_error

from server.errors import UserFault
from server.ingest.address import SourceAddress
from server.ingest.contract import NOT_PUSHING, NOT_PUSHING_WORDS

WEB_PORTS = frozenset({80, 443, 8000, 8080})  # 8000 is a maker's own protocol, beside its web page
PUSHED = SourceAddress("rtmp", "push", 1935, "")  # in place of an address, where the encoder comes to us

_WORDS = {  # code: zh, en
    "wrong_password": (
        "用户名或密码不对。多次输错后设备会锁定，请等 30 分钟或重启设备再试。",
        "Wrong user name or password. Devices lock after some tries: wait 30 minutes, or restart.",
    ),
    "wrong_path": (
        "设备在，但没有这个通道或码流。请核对地址中端口后面的部分。",
        "The device is there but has no such channel or stream. Check what follows the port.",
    ),
    "refused": (
        "设备拒绝播放：可能同时观看的人太多（请关闭其他客户端和录像机），或该码流没有启用。",
        "The device refuses: too many may be watching it (close other viewers and recorders), or that stream "
        "is turned off in it.",
    ),
    "leads_elsewhere": (
        "设备把我们转到另一个地址，出于安全没有跟过去。请直接填写码流所在设备的地址。",
        "The device sends us to another address, which is not followed. Enter the address of the device that "
        "has the stream.",
    ),
    "port_closed": (
        "{host} 在，但端口 {port} 没有开放。RTSP 通常在 554，RTMP 在 1935；请在设备上启用该服务。",
        "{host} is there, but port {port} is closed. RTSP is usually on 554, RTMP on 1935; turn the service "
        "on in the device.",
    ),
    "no_answer": (
        "{host} 在限定时间内没有回答。请检查设备是否通电、网线和网段，或防火墙。",
        "{host} did not answer in time. Check that it has power, its cable and network, and firewalls.",
    ),
    "nothing_comes": (
        "UDP 端口 {port} 没有收到码流。请在编码器上把目的地址设为本服务器，端口设为 {port}，格式设为 MPEG-TS"
        "，并检查防火墙。",
        "No stream comes to UDP port {port}. In the encoder, set the destination to this server, the port to "
        "{port} and the format to MPEG-TS; check firewalls.",
    ),
    "not_our_address": (
        "{host} 不是本服务器的地址。udp:// 后面应填写本服务器的地址和端口，由编码器推送到那里。",
        "{host} is no address of this server. After udp:// stands the address and port of this server to "
        "which the encoder sends.",
    ),
    "no_route": (
        "服务器没有到 {host} 所在网段的路由。请检查服务器的网关与交换机的 VLAN 设置。",
        "The server has no route to the network of {host}. Check its gateway, and the switch's VLANs.",
    ),
    "wrong_transport": (
        "设备不支持这种传输方式。请打开或关闭“RTSP 走 UDP”再试。",
        "The device does not send this way. Turn RTSP over UDP on or off, and try again.",
    ),
    "web_page": (
        "这是网页的地址，不是码流。RTSP 通常在 554 端口：rtsp://…:554/…",
        "This is the web page's address, not a stream. RTSP is usually on port 554: rtsp://...:554/...",
    ),
    "no_stream": (
        "那里没有可识别的码流，或它把我们转到别处。请核对地址与端口：RTSP 通常在 554，RTMP 在 1935。",
        "There is no stream that can be read, or it sends us elsewhere. Check address and port: RTSP is "
        "usually on 554, RTMP on 1935.",
    ),
    "push_unreadable": (
        "推来的码流无法识别。请在设备上把编码设为 H.264 和 AAC，然后重新开始推流。",
        "What the encoder pushes cannot be read. Set it to H.264 and AAC, and start it again.",
    ),
    "cannot_connect": (
        "连不上 {host}:{port}（{reason}）。请检查网络。",
        "Cannot connect to {host}:{port} ({reason}). Check the network.",
    ),
}  # fmt: skip
_NUMBERS = {  # of the system, to codes
    errno.EHOSTUNREACH: "no_answer",  # nobody in our own network has that address
    errno.EHOSTDOWN: "no_answer",
    errno.ENETUNREACH: "no_route",
    errno.EADDRNOTAVAIL: "not_our_address",
    errno.EPROTONOSUPPORT: "wrong_transport",
    errno.EIO: "no_stream",
    errno.ECONNRESET: "no_stream",
    errno.EPIPE: "no_stream",
}


class SourceFault(UserFault):
    """A source that cannot be opened or does not go on."""


def not_pushing() -> SourceFault:
    return SourceFault(NOT_PUSHING, zh=NOT_PUSHING_WORDS.zh, en=NOT_PUSHING_WORDS.en)


def push_ended() -> SourceFault:
    return SourceFault(
        "push_ended",
        zh="还没检测完，编码器就停止了推流。请看设备是否重启或断网，让它一直推着，再检测一次。",
        en="The encoder stopped pushing before the probe was done. See whether it restarted or lost its "
        "network, keep it pushing, and probe again.",
    )


def fault_of(address: SourceAddress, error: BaseException) -> SourceFault:
    """The fault behind what the library raised, never with the password in it."""
    code = _code(address, error)
    number = getattr(error, "errno", None) or 0
    reason = errno.errorcode.get(number, error.__class__.__name__)
    zh, en = (each.format(host=address.host, port=address.port, reason=reason) for each in _WORDS[code])
    return SourceFault(code, zh=zh, en=en)


def _code(address: SourceAddress, error: BaseException) -> str:
    match error:
        case OSError() | av.FFmpegError() if address is PUSHED:
            return "push_unreadable"
        case av_error.HTTPUnauthorizedError() | av_error.HTTPForbiddenError():
            return "wrong_password"
        case av_error.HTTPNotFoundError() | av_error.HTTPBadRequestError():
            return "wrong_path"
        case av_error.HTTPOtherClientError() | av_error.HTTPServerError():  # RTSP's 453, 454, 503 and so on
            return "refused"
        case PermissionError():
            return "leads_elsewhere"
        case ConnectionRefusedError():
            return "port_closed"
        case TimeoutError() | av_error.ExitError():
            return "nothing_comes" if address.scheme == "udp" else "no_answer"
        case av_error.InvalidDataError() | av_error.EOFError():
            return "web_page" if _looks_like_web(address) else "no_stream"
        case OSError(errno=errno.EIO) if address.scheme.startswith(
            "http"
        ):  # a redirect, which is not followed
            return "web_page"
        case OSError() | av.FFmpegError():
            return _NUMBERS.get(error.errno or 0, "cannot_connect")
        case _:
            raise error


def _looks_like_web(address: SourceAddress) -> bool:
    return address.port in WEB_PORTS or address.scheme.startswith("http")
