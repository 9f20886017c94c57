"""The session machine of one WebSocket: hello, welcome, messages, heart-beat, the end. Pure.

Bytes come in by `receive`, decisions by `accept` and `refuse`, time by `tick`; each gives effects for the
shell to carry out, in order. `now` is monotonic seconds. The states and what each event leads to
are `TRANSITIONS`; an event without an entry is a fault of whoever caused it and is named with its state.

    EXPECT_HELLO --hello--> DECIDING --accept--> OPEN --(silence, fault, hang up)--> CLOSED
                            |  ^    '--refuse--> CLOSED
                    challenge  proof
                            v  |
                           PROVING
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import msgspec

from server.protocol.devices import Challenge, Proof
from server.protocol.messages import (
    MAX_MESSAGE,
    VERSION,
    FromServer,
    Hello,
    Ping,
    Pong,
    Refused,
    ToServer,
    Welcome,
    Words,
)

HELLO_WITHIN_S = 5.0
RETRY_SLOW_MS = 2_000  # a panel or a line may be that slow once: no page is given up for it
SILENCE_S = 10.0
RATE_PER_S = 40.0  # a page sends about two messages a second
BURST = 200.0


class SessionState(StrEnum):
    EXPECT_HELLO = "expect_hello"
    DECIDING = "deciding"  # the shell asks who the token is
    PROVING = "proving"  # a device's key is to sign our nonce
    OPEN = "open"
    CLOSED = "closed"


class SessionEvent(StrEnum):
    HELLO = "hello"
    MESSAGE = "message"
    CHALLENGE = "challenge"
    PROOF = "proof"
    ACCEPT = "accept"
    CLOSE = "close"


_S, _E = SessionState, SessionEvent

TRANSITIONS: dict[SessionState, dict[SessionEvent, SessionState]] = {
    _S.EXPECT_HELLO: {_E.HELLO: _S.DECIDING, _E.CLOSE: _S.CLOSED},
    _S.DECIDING: {_E.ACCEPT: _S.OPEN, _E.CHALLENGE: _S.PROVING, _E.CLOSE: _S.CLOSED},
    _S.PROVING: {_E.PROOF: _S.DECIDING, _E.CLOSE: _S.CLOSED},
    _S.OPEN: {_E.MESSAGE: _S.OPEN, _E.CLOSE: _S.CLOSED},
    _S.CLOSED: {_E.CLOSE: _S.CLOSED},
}


class CloseCode(IntEnum):
    """WebSocket close codes (RFC 6455, 7.4; 4000 and up are ours)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    TOO_BIG = 1009
    REFUSED = 4000
    SILENT = 4001
    TOO_SLOW = 4002
    NEWER_PAGE = 4003


@dataclass(frozen=True, slots=True)
class Send:
    """Put this message on the wire."""

    message: FromServer


@dataclass(frozen=True, slots=True)
class Decide:
    """Find out who this is, then call `accept` or `refuse`."""

    hello: Hello


@dataclass(frozen=True, slots=True)
class Check:
    """See whether this proves the device's key, then call `accept` or `refuse`."""

    proof: Proof


@dataclass(frozen=True, slots=True)
class Deliver:
    """Give this message to the lesson."""

    message: ToServer


@dataclass(frozen=True, slots=True)
class Close:
    """Hang up after what was sent before."""

    code: CloseCode
    reason: str


Effect = Send | Decide | Check | Deliver | Close

_decoder: msgspec.json.Decoder[ToServer] = msgspec.json.Decoder(ToServer)

FAULTS: dict[str, Words] = {
    "too_big": Words(zh="消息太大。", en="The message is too large."),
    "bad_message": Words(zh="收到了看不懂的消息。", en="The message is not one of this language."),
    "bad_version": Words(zh="页面版本旧了，请刷新。", en="This page is of another version; reload it."),
    "hello_first": Words(zh="请先说明身份，得到答复后再说。", en="Say hello and wait for the welcome first."),
    "hello_twice": Words(zh="已经打过招呼了。", en="Hello was said already."),
    "too_fast": Words(zh="消息太多太快。", en="Too many messages."),
    "too_many": Words(
        zh="打开的页面太多了，稍后自动重试。", en="Too many pages are open; this one tries again soon."
    ),
    "no_hello": Words(zh="线路太慢，正在重试。", en="The line was too slow; trying again."),
}


def fault(code: str, *, retry_after_ms: int = 0) -> Refused:
    """The fatal `Refused` of a protocol fault."""
    return Refused(code=code, words=FAULTS[code], fatal=True, retry_after_ms=retry_after_ms)


@dataclass(slots=True)
class Session:
    """One connection's language. `opened_at` starts the time in which `Hello` must come."""

    opened_at: float
    state: SessionState = SessionState.EXPECT_HELLO
    heard_at: float = field(init=False)
    _tokens: float = field(default=BURST, init=False)
    _tokens_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.heard_at = self.opened_at
        self._tokens_at = self.opened_at

    def receive(self, data: str | bytes, now: float, wall_ms: int = 0) -> list[Effect]:
        """One WebSocket message. Never raises for what a page sends."""
        if self.state is _S.CLOSED:
            return []
        self.heard_at = now
        if not self._may_speak(now):
            return self._fail("too_fast", retry_after_ms=5_000)
        if len(data) > MAX_MESSAGE:
            return self._fail("too_big")
        try:
            message = _decoder.decode(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return self._fail("bad_message")
        return self._said(message, wall_ms)

    def accept(self, welcome: Welcome) -> list[Effect]:
        """The token is good: the session is open."""
        if self.state is _S.CLOSED:
            return []  # it hung up while we asked
        self._to(_E.ACCEPT)
        return [Send(welcome)]

    def challenge(self, challenge: Challenge) -> list[Effect]:
        """The token is a device's: its key must answer within the time of a hello."""
        if self.state is _S.CLOSED:
            return []
        self._to(_E.CHALLENGE)
        return [Send(challenge)]

    def refuse(self, refused: Refused, code: CloseCode = CloseCode.REFUSED) -> list[Effect]:
        """Say why and hang up, in whatever state."""
        if self.state is _S.CLOSED:
            return []
        self._to(_E.CLOSE)
        return [Send(refused), Close(code, refused.code)]

    def hung_up(self) -> None:
        """The other side closed, or the line broke."""
        self._to(_E.CLOSE)

    def deadline(self) -> float | None:
        """When `tick` is due, unless a message comes before."""
        if self.state is _S.CLOSED:
            return None
        if self.state is _S.EXPECT_HELLO:
            return self.opened_at + HELLO_WITHIN_S
        if self.state is _S.PROVING:
            return self.heard_at + HELLO_WITHIN_S
        return self.heard_at + SILENCE_S

    def tick(self, now: float) -> list[Effect]:
        """Hang up on silence."""
        due = self.deadline()
        if due is None or now < due:
            return []
        if self.state is _S.EXPECT_HELLO:
            return self._fail("no_hello", retry_after_ms=RETRY_SLOW_MS, code=CloseCode.SILENT)
        self._to(_E.CLOSE)
        return [Close(CloseCode.SILENT, "silent")]

    def _said(self, message: ToServer, wall_ms: int) -> list[Effect]:
        if isinstance(message, Hello):
            if self.state is not _S.EXPECT_HELLO:
                return self._fail("hello_twice")
            if message.version != VERSION:
                return self._fail("bad_version", retry_after_ms=60_000)
            self._to(_E.HELLO)
            return [Decide(message)]
        if isinstance(message, Proof) and self.state is _S.PROVING:
            self._to(_E.PROOF)
            return [Check(message)]
        if self.state is not _S.OPEN:
            return self._fail("hello_first")
        self._to(_E.MESSAGE)
        if isinstance(message, Proof):
            return self._fail("bad_message")
        if isinstance(message, Ping):
            return [Send(Pong(at=message.at, now=wall_ms))]
        return [Deliver(message)]

    def _may_speak(self, now: float) -> bool:
        """A token bucket: BURST messages at once, RATE_PER_S for long."""
        earned = max(0.0, now - self._tokens_at) * RATE_PER_S
        self._tokens = min(BURST, self._tokens + earned)
        self._tokens_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _fail(
        self, fault_code: str, *, retry_after_ms: int = 0, code: CloseCode = CloseCode.REFUSED
    ) -> list[Effect]:
        if fault_code == "too_big":
            code = CloseCode.TOO_BIG
        return self.refuse(fault(fault_code, retry_after_ms=retry_after_ms), code)

    def _to(self, event: SessionEvent) -> None:
        after = TRANSITIONS[self.state].get(event)
        if after is None:
            raise LocalFault(self.state, event)
        self.state = after


class LocalFault(RuntimeError):
    """Our own shell called the machine out of turn."""

    def __init__(self, state: SessionState, event: SessionEvent) -> None:
        super().__init__(f"a session that is {state} has no {event}")
