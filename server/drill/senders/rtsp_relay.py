"""A camera's RTSP server for drills: FFmpeg pushes packets in (RECORD), who has the login pulls them (PLAY).

Everything goes over the one TCP connection of each (RFC 2326, 10.12), and packets leave as they came: with
the sender's own times, reports and marks, held back by nothing. Digest authentication as in RFC 2617.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import md5
from urllib.parse import quote, urlsplit

PATH, REALM = "/live", "camera"
MOST_BODY = 1 << 16
MOST_UNSENT = 4 << 20  # a puller further behind than that is closed
DESCRIBE_S = 20.0  # so long a puller waits for FFmpeg to start
_TRACK = re.compile(r"streamid=(\d{1,2})$")
_CHANNELS = re.compile(r"interleaved=(\d{1,3})-(\d{1,3})")
_PAIR = re.compile(r'(\w+)="([^"]*)"')
_WORDS = {
    200: "OK",
    401: "Unauthorized",
    404: "Not Found",
    461: "Unsupported Transport",
    501: "Not Implemented",
}

Part = tuple[int, int]  # a track, and 0 for its RTP or 1 for its RTCP


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, eq=False)
class _Peer:
    """One connection: its channels by what they carry, and which way it goes."""

    writer: asyncio.StreamWriter
    channels: dict[Part, int] = field(default_factory=dict)
    pushes: bool = False


@dataclass(slots=True)
class RtspRelay:
    """Its event loop's alone. `user` "": nobody is asked for a login."""

    user: str = ""
    password: str = ""
    push_path: str = field(default_factory=lambda: f"/{secrets.token_hex(8)}")
    _sdp: bytes = b""
    _described: asyncio.Event = field(default_factory=asyncio.Event)
    _pulling: set[_Peer] = field(default_factory=set)
    _serving: dict[asyncio.Task[None], _Peer] = field(default_factory=dict)
    _reports: dict[Part, bytes] = field(default_factory=dict)  # the last of each: where its times stand
    _nonce: str = field(default_factory=lambda: secrets.token_hex(16))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        peer, task = _Peer(writer), asyncio.current_task()
        assert task is not None
        self._serving[task] = peer
        with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError):
            await self._converse(peer, reader)  # until it goes, or speaks something else
        self._pulling.discard(peer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()  # `close` ends one that takes no more
        del self._serving[task]

    async def close(self) -> None:
        """End every connection."""
        for peer in self._serving.values():
            peer.writer.transport.abort()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _converse(self, peer: _Peer, reader: asyncio.StreamReader) -> None:
        while True:
            first = await reader.readexactly(1)
            if first == b"$":
                channel, size = struct.unpack("!BH", await reader.readexactly(3))
                self._take(peer, channel, await reader.readexactly(size))
                continue
            request = await _read(first, reader)
            peer.writer.write(await self._answer(peer, request))
            if request.method == "PLAY":
                self._begin(peer)
            elif request.method == "TEARDOWN":
                return

    def _take(self, peer: _Peer, channel: int, data: bytes) -> None:
        if not peer.pushes:  # what a puller reports on its reception: nobody needs it
            return
        part = next((part for part, taken in peer.channels.items() if taken == channel), None)
        if part is None:
            return
        if part[1]:
            self._reports[part] = data
        for each in list(self._pulling):
            self._send(each, part, data)

    def _begin(self, peer: _Peer) -> None:
        """Tell where both streams' times stand before anything of them comes."""
        for part, data in self._reports.items():
            self._send(peer, part, data)
        self._pulling.add(peer)

    def _send(self, peer: _Peer, part: Part, data: bytes) -> None:
        if part not in peer.channels:
            return
        if peer.writer.transport.get_write_buffer_size() > MOST_UNSENT:
            peer.writer.transport.abort()
            self._pulling.discard(peer)
            return
        peer.writer.write(struct.pack("!cBH", b"$", peer.channels[part], len(data)) + data)

    async def _answer(self, peer: _Peer, request: _Request) -> bytes:
        path = urlsplit(request.url).path
        peer.pushes = peer.pushes or path == self.push_path
        if not peer.pushes and request.method != "OPTIONS":
            if not path.startswith(PATH):
                return _reply(request, 404)
            if not self._may(request):
                ask = f'Digest realm="{REALM}", nonce="{self._nonce}"'
                return _reply(request, 401, {"WWW-Authenticate": ask})
        match request.method:
            case "ANNOUNCE" if peer.pushes:
                self._sdp = request.body
                self._described.set()
            case "DESCRIBE":
                async with asyncio.timeout(DESCRIBE_S):
                    await self._described.wait()
                return _reply(request, 200, {"Content-Base": f"{request.url.rstrip('/')}/"}, self._sdp)
            case "SETUP":
                return _set_up(peer, request)
            case "OPTIONS" | "RECORD" | "PLAY" | "GET_PARAMETER" | "SET_PARAMETER" | "TEARDOWN":
                pass
            case _:
                return _reply(request, 501)
        return _reply(request, 200)

    def _may(self, request: _Request) -> bool:
        if not self.user:
            return True
        said = dict(_PAIR.findall(request.headers.get("authorization", "")))
        who = _md5(f"{self.user}:{REALM}:{self.password}")
        what = _md5(f"{request.method}:{said.get('uri', '')}")
        right = _md5(f"{who}:{self._nonce}:{what}")
        return said.get("username") == self.user and secrets.compare_digest(said.get("response", ""), right)


def _set_up(peer: _Peer, request: _Request) -> bytes:
    track, transport = _TRACK.search(request.url.rstrip("/")), request.headers.get("transport", "")
    channels = _CHANNELS.search(transport)
    if track is None or channels is None:
        return _reply(request, 461)
    for rtcp in (0, 1):
        peer.channels[int(track[1]), rtcp] = int(channels[1 + rtcp])
    return _reply(request, 200, {"Transport": transport})


async def _read(first: bytes, reader: asyncio.StreamReader) -> _Request:
    """ValueError for what is no request."""
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *others = head.strip().split("\r\n")
    method, url, _ = line.split(" ", 2)
    pairs = (other.partition(":") for other in others)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    size = int(headers.get("content-length", "0"))
    if not 0 <= size <= MOST_BODY:
        raise ValueError("a body of that size is none of ours")
    return _Request(method, url, headers, await reader.readexactly(size))


def _reply(request: _Request, status: int, more: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    fields = {"CSeq": request.headers.get("cseq", "0"), "Session": "1;timeout=60", **(more or {})}
    if request.method == "OPTIONS":
        fields["Public"] = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
    if body:
        fields.update({"Content-Type": "application/sdp", "Content-Length": str(len(body))})
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"RTSP/1.0 {status} {_WORDS[status]}\r\n{head}\r\n".encode() + body


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class RelayedCamera:
    """`url` has the login in it; FFmpeg sends to `push_url`."""

    url: str
    push_url: str

    @property
    def output(self) -> tuple[str, ...]:
        """FFmpeg's options and address: each sound in a packet of its own, nothing waits for the next."""
        return "-f", "rtsp", "-rtsp_transport", "tcp", "-muxdelay", "0", self.push_url


@asynccontextmanager
async def rtsp_relay(login: tuple[str, str] = ("", "")) -> AsyncIterator[RelayedCamera]:
    """Serve until the end of the block, on a free port of this machine."""
    relay = RtspRelay(*login)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0, limit=MOST_BODY)
    port = server.sockets[0].getsockname()[1]
    words = f"{':'.join(quote(word, safe='') for word in login)}@" if login[0] else ""
    try:
        yield RelayedCamera(
            f"rtsp://{words}127.0.0.1:{port}{PATH}", f"rtsp://127.0.0.1:{port}{relay.push_path}"
        )
    finally:
        server.close()
        await relay.close()
