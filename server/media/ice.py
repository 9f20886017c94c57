"""The ICE-lite agent of one peer (RFC 8445): STUN binding requests in, replies and decisions out. Pure.

It knows credentials and nothing of open sockets, clocks or addresses' use. A request that does not prove
knowledge of our password gets no reply at all: nothing is ever reflected to a forged address. (RFC 8489
would have 400 and 401 there; a browser drops a whole connection on the former.)
"""

from __future__ import annotations

import hmac
import secrets
import socket
import struct
import zlib
from dataclasses import dataclass, field
from enum import StrEnum

from aioice import stun

Address = tuple[str, int]

KEPT_GENERATIONS = 2

_COOKIE = bytes.fromhex("2112a442")
_HEAD = struct.Struct("!HH4s12s")
_MAPPED = struct.Struct("!HHxBH")
_FINGERPRINT = struct.Struct("!HHI")


class Dropped(StrEnum):
    """Why a message got no reply: names of counters."""

    UNREADABLE = "stun_unreadable"
    NO_REQUEST = "stun_no_request"
    UNKNOWN_USER = "stun_unknown_user"
    BAD_INTEGRITY = "stun_bad_integrity"
    TOO_MANY = "stun_too_many"
    ENDED = "stun_connection_ended"


@dataclass(frozen=True, slots=True)
class Check:
    """An authenticated request. `valid`: its address is the peer's; `nominated`: send there."""

    reply: bytes
    valid: bool
    nominated: bool


@dataclass(frozen=True, slots=True)
class Credentials:
    ufrag: str
    pwd: str


def new_credentials() -> Credentials:
    """Random ones (RFC 8445, 5.3), in ICE's alphabet: 48 bits of user fragment, 144 of password."""
    return Credentials(secrets.token_hex(6), secrets.token_hex(18))


@dataclass(slots=True)
class IceLite:
    """Our credentials, newest last, and the peer's user fragments, newest last (empty: not yet told)."""

    local: list[Credentials]
    remote: list[str] = field(default_factory=list)
    _nominated_generation: str = ""

    def restart(self, credentials: Credentials) -> None:
        """New local credentials; the ones before stay valid until the peer has moved."""
        self.local = [*self.local, credentials][-KEPT_GENERATIONS:]

    def set_remote(self, ufrag: str) -> None:
        if ufrag not in self.remote:
            self.remote = [*self.remote, ufrag][-KEPT_GENERATIONS:]

    def receive(self, data: bytes, address: Address) -> Check | Dropped:
        """Judge one STUN message that came from `address`."""
        try:
            message = stun.parse_message(data)
        except (ValueError, struct.error):
            return Dropped.UNREADABLE
        if message.message_class != stun.Class.REQUEST or message.message_method != stun.Method.BINDING:
            return Dropped.NO_REQUEST
        credentials = self._credentials(message.attributes.get("USERNAME", ""))
        if credentials is None:
            return Dropped.UNKNOWN_USER
        key = credentials.pwd.encode()
        if not message.check_message_integrity(key):
            return Dropped.BAD_INTEGRITY
        if "ICE-CONTROLLED" in message.attributes:
            # We are lite, hence never controlling: the peer has to change its role (RFC 8445, 7.3.1.1).
            reply = _error(message, 487, "Role Conflict", key)
            return Check(reply, valid=False, nominated=False)
        nominated = "USE-CANDIDATE" in message.attributes and self._may_nominate(credentials)
        return Check(_success(message, address, key), valid=True, nominated=nominated)

    def _credentials(self, username: str) -> Credentials | None:
        ours, _, theirs = username.partition(":")
        if self.remote and theirs not in self.remote:
            return None
        return next((each for each in self.local if each.ufrag == ours), None)

    def _may_nominate(self, credentials: Credentials) -> bool:
        """After a restart the older credentials keep a path alive but choose none."""
        newest = self.local[-1].ufrag
        if credentials.ufrag != newest and self._nominated_generation == newest:
            return False
        self._nominated_generation = credentials.ufrag
        return True


def _success(request: stun.Message, address: Address, key: bytes) -> bytes:
    """A success response (RFC 8489, 5, 14.2, 14.5, 14.7), in one go: every viewer asks every 2.5 s."""
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    packed = socket.inet_pton(family, host)
    mask = (_COOKIE + request.transaction_id)[: len(packed)]
    hidden = int.from_bytes(packed, "big") ^ int.from_bytes(mask, "big")
    mapped = _MAPPED.pack(
        0x0020, 4 + len(packed), 2 if family == socket.AF_INET6 else 1, port ^ 0x2112
    ) + hidden.to_bytes(len(packed), "big")
    head = _HEAD.pack(0x0101, len(mapped) + 24, _COOKIE, request.transaction_id)
    integrity = b"\x00\x08\x00\x14" + hmac.digest(key, head + mapped, "sha1")
    reply = _HEAD.pack(0x0101, len(mapped) + 32, _COOKIE, request.transaction_id) + mapped + integrity
    return reply + _FINGERPRINT.pack(0x8028, 4, zlib.crc32(reply) ^ 0x5354554E)


def _error(request: stun.Message, code: int, reason: str, key: bytes) -> bytes:
    reply = stun.Message(stun.Method.BINDING, stun.Class.ERROR, request.transaction_id)
    reply.attributes["ERROR-CODE"] = (code, reason)
    reply.add_message_integrity(key)
    return bytes(reply)
