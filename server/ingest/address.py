"""A source's address: which kinds there are, where they may lead, and how one is shown (without password).

A source is pulled by the server, so its address could be used to look at what only the server can reach.
Only networks of the configuration are opened, by the address that was checked and not by a name that may
mean another one a moment later.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from server.errors import UserFault

PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "http": 80, "https": 443, "udp": 0}
MOST_LENGTH = 1024

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadAddress(UserFault):
    """An address that is none, of a kind we do not open, or one that leads where none may."""


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """Where a source is. Its text has no password in it, so it may be logged and shown."""

    scheme: str
    host: str
    port: int
    path: str  # with its query
    user: str = ""
    password: str = ""

    def __str__(self) -> str:
        return urlunsplit((self.scheme, f"{_bracketed(self.host)}:{self.port}", self.path, "", ""))

    def __repr__(self) -> str:
        return f"SourceAddress({self})"

    def url(self, host: str) -> str:
        """The address to open, with its password, at the address that `host` was found to be."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        return urlunsplit((self.scheme, f"{login}{_bracketed(host)}:{self.port}", self.path, "", ""))


def parse(text: str) -> SourceAddress:
    """The address that the text is. BadAddress says what is wrong with it."""
    text = text.strip()
    if len(text) > MOST_LENGTH or any(ord(char) < 0x21 for char in text):
        raise BadAddress(
            "bad_address",
            zh=f"地址太长（最多 {MOST_LENGTH} 字）或中间有空格；确有空格时写成 %20。",
            en=f"The address is too long (at most {MOST_LENGTH}) or has blanks; write a blank as %20.",
        )
    try:
        parts = urlsplit(_with_login_quoted(text))
        port = parts.port
    except ValueError as error:
        raise _no_address() from error
    if parts.scheme not in PORTS:
        raise BadAddress(
            "unknown_scheme",
            zh=f"地址应以 {'、'.join(f'{each}://' for each in PORTS)} 开头（半角字符），"
            "例如 rtsp://192.168.1.64:554/…",
            en=f"The address must begin with {', '.join(f'{each}://' for each in PORTS)}, such as "
            "rtsp://192.168.1.64:554/...",
        )
    if not parts.hostname or (port is None and not PORTS[parts.scheme]):
        raise _no_address()
    return SourceAddress(
        parts.scheme,
        parts.hostname,
        PORTS[parts.scheme] if port is None else port,
        parts.path + (f"?{parts.query}" if parts.query else ""),
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def camera_address(text: str) -> SourceAddress:
    """A camera's own address: a host, host:port or http:// URL. BadAddress."""
    text = text.strip()
    return parse(text if "://" in text else f"http://{text}")


def allowed_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks of the configuration. ValueError for a text that is none."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def resolve(address: SourceAddress, networks: Sequence[Network] | None) -> str:
    """The numeric address to connect to; blocking. `networks` None: wherever it leads. BadAddress where the
    name means nothing, or any of what it means is outside the allowed networks."""
    try:
        answers = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BadAddress(
            "unknown_host",
            zh=f"找不到主机“{address.host[:80]}”，请检查地址，最好填写 IP 地址。",
            en=f'There is no host "{address.host[:80]}". Check it, or better write its IP address.',
        ) from error
    found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if networks is not None and not all(is_within(each, networks) for each in found):
        raise BadAddress(
            "network_not_allowed",
            zh=f"{address.host[:80]} 不在允许的网段内。请在配置 [ingest] networks 中加入摄像机的网段。",
            en=f"{address.host[:80]} is outside the allowed networks. Add the cameras' network to `networks` "
            "of [ingest] in the configuration.",
        )
    return found[0]


def is_within(text: str, networks: Sequence[Network]) -> bool:
    """Whether a numeric address is in one of these networks."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)


def _with_login_quoted(text: str) -> str:
    """The address with `/`, `?` and `#` of its password written as an address wants them: people type a
    password as it is, and what stands behind such a sign would be shown as a path."""
    scheme, mark, rest = text.partition("://")
    login, at, place = rest.rpartition("@")
    signs = [sign for sign in "/?#" if sign in login]
    is_path = "#" not in login and (_names_a_place(rest) or not _names_a_place(place))
    if not at or is_path:
        return text
    for sign in signs:
        login = login.replace(sign, quote(sign, safe=""))
    return f"{scheme}{mark}{login}@{place}"


def _names_a_place(rest: str) -> bool:
    """Whether what stands before the path is an address, or a name in a domain."""
    host = re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return "." in host.partition(":")[0] or host.startswith("[")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _no_address() -> BadAddress:
    return BadAddress(
        "bad_address",
        zh="这不是一个完整的地址，应类似 rtsp://192.168.1.64:554/…",
        en="This is no complete address. It should look like rtsp://192.168.1.64:554/...",
    )
