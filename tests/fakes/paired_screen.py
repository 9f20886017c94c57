"""A room's screen without a browser: its key, its six digits, its way into the WebSocket."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from aiohttp import ClientSession, ClientWebSocketResponse
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from server.protocol import messages as m
from server.protocol.devices import Challenge, Proof


class Screen:
    """`key` lives as long as this object: a new object is a wiped browser."""

    def __init__(self, http: ClientSession) -> None:
        self.http = http
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.pairing: dict[str, Any] = {}
        self.token = ""

    @property
    def public(self) -> str:
        form = serialization.PublicFormat.UncompressedPoint
        point = self.key.public_key().public_bytes(serialization.Encoding.X962, form)
        return base64.urlsafe_b64encode(point).decode().rstrip("=")

    def sign(self, device: str, nonce: str) -> str:
        text = f"lianke device v1\n{device}\n{nonce}".encode()
        r, s = decode_dss_signature(self.key.sign(text, ec.ECDSA(hashes.SHA256())))
        return base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()

    async def ask(self) -> str:
        """The six digits on it."""
        reply = await self.http.post("/api/v1/pairings", json={"key": self.public, "browser": "test"})
        assert reply.status == 201, await reply.text()
        self.pairing = await reply.json()
        return str(self.pairing["code"])

    async def look(self) -> bool:
        """Whether it is paired by now."""
        reply = await self.http.get(f"/api/v1/pairings/{self.pairing['pairing']}")
        if reply.status == 200:
            self.pairing = await reply.json()
            self.token = self.pairing["token"]
        return self.token != ""

    async def restore(self, device: str, secret: str) -> int:
        body = {"device": device, "secret": secret, "key": self.public}
        reply = await self.http.post("/api/v1/devices/restore", json=body)
        if reply.status == 200:
            self.token = (await reply.json())["token"]
        return reply.status

    async def enter(self, token: str | None = None) -> tuple[ClientWebSocketResponse, m.FromServer]:
        """Hello, the proof where it is asked for, and what campus says to that."""
        socket = await self.http.ws_connect("/ws")
        hello = m.Hello(token=self.token if token is None else token, browser="test browser")
        await socket.send_str(msgspec.json.encode(hello).decode())
        said = await heard(socket)
        if isinstance(said, Challenge):
            proof = Proof(self.sign(said.device, said.nonce))
            await socket.send_str(msgspec.json.encode(proof).decode())
            said = await heard(socket)
        return socket, said


async def heard(socket: ClientWebSocketResponse) -> m.FromServer:
    return msgspec.json.decode(await socket.receive_str(timeout=10), type=m.FromServer)


async def paired(admin: ClientSession, room: str, **options: Any) -> Screen:
    """A screen that is this room. `options`: of the admin's requests (the bearer)."""
    screen = Screen(admin)
    code = await screen.ask()
    reply = await admin.post(f"/api/v1/rooms/{room}/devices", json={"code": code}, **options)
    assert reply.status == 201, await reply.text()
    assert await screen.look()
    return screen
