"""One WebRTC connection: its ICE, its DTLS and its life. Owns nothing of the tables.

The life is TRANSITIONS; `moment` moves along it by what was heard. Silence counts from the last
authenticated check or packet: 8 s make it AWAY, 30 s end it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from pylibsrtp import Session

from server.media.allowance import Allowance
from server.media.contract import PeerState
from server.media.dtls import Certificate, Dtls
from server.media.ice import Address, Check, Dropped, IceLite, new_credentials
from server.media.relay.relay import Relay
from server.protocol.parameters import Candidate, LocalTransport, RemoteTransport

AWAY_AFTER_S = 8.0
GONE_AFTER_S = 30.0
CHECKS = (200, 100)
DATAGRAMS = (100, 50)
"""Checks and DTLS datagrams at once and a second: what a browser sends, many times over. Each costs
Python and cryptography; whoever sends more has only itself dropped."""
STALE_AIM_S = 4.0  # browsers check the path in use at least every 2.5 s


class Moment(StrEnum):
    """What happens to a connection."""

    CHECKED = "checked"  # an authenticated check, and the other side's parameters are known
    SECURED = "secured"
    REFUSED = "refused"
    SILENT = "silent"
    HEARD = "heard"
    EXPIRED = "expired"
    CLOSED = "closed"


TRANSITIONS: dict[PeerState, dict[Moment, PeerState]] = {
    PeerState.NEW: {
        Moment.CHECKED: PeerState.CONNECTING,
        Moment.EXPIRED: PeerState.GONE,
        Moment.CLOSED: PeerState.GONE,
    },
    PeerState.CONNECTING: {
        Moment.SECURED: PeerState.CONNECTED,
        Moment.REFUSED: PeerState.FAILED,
        Moment.EXPIRED: PeerState.GONE,
        Moment.CLOSED: PeerState.GONE,
    },
    PeerState.CONNECTED: {
        Moment.SILENT: PeerState.AWAY,
        Moment.EXPIRED: PeerState.GONE,
        Moment.CLOSED: PeerState.GONE,
    },
    PeerState.AWAY: {
        Moment.HEARD: PeerState.CONNECTED,
        Moment.EXPIRED: PeerState.GONE,
        Moment.CLOSED: PeerState.GONE,
    },
    PeerState.GONE: {},
    PeerState.FAILED: {},
}


class Peer:
    """A connection named by campus. `changed(peer, reason)` is called after each change of `state`."""

    def __init__(
        self,
        name: str,
        room: str,
        relay: Relay,
        certificate: Certificate,
        candidates: list[Candidate],
        changed: Callable[[Peer, str], None],
        now: float,
    ) -> None:
        self.name = name
        self.room = room
        self.state = PeerState.NEW
        self.remote: RemoteTransport | None = None
        self.ice = IceLite([new_credentials()])
        self.handle = relay.add_peer(self.ice.local[-1].ufrag.encode())
        self.dtls: Dtls | None = None
        self._checks, self._datagrams = Allowance(*CHECKS), Allowance(*DATAGRAMS)
        self._relay = relay
        self._certificate = certificate
        self._candidates = candidates
        self._changed = changed
        self._heard_at = now
        self._checked = self._dropped = False
        self._aimed: tuple[int, Address] | None = None
        self._aimed_at = now

    @property
    def transport(self) -> LocalTransport:
        local = self.ice.local[-1]
        return LocalTransport(local.ufrag, local.pwd, self._certificate.fingerprints(), self._candidates)

    def set_remote(self, remote: RemoteTransport) -> bool:
        """The other side's parameters. False where they would need another DTLS association."""
        before = self.remote
        if before is not None and before.fingerprints != remote.fingerprints:
            return False
        self.ice.set_remote(remote.ufrag)
        self.remote = remote
        self._maybe_connect()
        return True

    def restart_ice(self) -> None:
        credentials = new_credentials()
        self.ice.restart(credentials)
        self._relay.add_ufrag(self.handle, credentials.ufrag.encode())

    def on_stun(self, socket: int, address: Address, data: bytes, now: float) -> Dropped | None:
        """A STUN message that named us. The name of a counter where it was not answered."""
        if not self._checks.take(now):
            return Dropped.TOO_MANY
        check = self.ice.receive(data, address)
        if not isinstance(check, Check):
            return check
        if check.valid and not self._relay.validate(self.handle, socket, address):
            return Dropped.ENDED
        self._relay.send_stun(socket, address, check.reply)
        if check.valid:
            self._aim(socket, address, check.nominated, now)
            self._heard_at, self._checked = now, True
            self._maybe_connect()
        return None

    def on_dtls(self, data: bytes, now: float) -> bool:
        """A DTLS datagram from a validated address; kept (a few) until the handshake begins. False where
        there are too many."""
        taken = self._datagrams.take(now)
        if taken:
            self.association().carrier.feed(data)
        return taken

    def association(self) -> Dtls:
        """The DTLS association, made at first need."""
        if self.dtls is None:
            self.dtls = Dtls(self._certificate, self._send_dtls)
        return self.dtls

    def drop(self) -> None:
        """Leave the relay for good."""
        self._dropped = True
        self._relay.remove_peer(self.handle)

    def _send_dtls(self, data: bytes) -> bool:
        return not self._dropped and self._relay.send_dtls(self.handle, data)

    def secured(self, inbound: Session, outbound: Session) -> None:
        self._relay.secure(self.handle, inbound, outbound)
        self.moment(Moment.SECURED)

    def check_silence(self, now: float) -> None:
        """Move by how long nothing was heard."""
        silent = now - self._heard_at
        figures = self._relay.peer_figures(self.handle)
        if figures.last_heard_us >= 0:
            silent = min(silent, figures.last_heard_us / 1e6)
        if silent >= GONE_AFTER_S:
            self.moment(Moment.EXPIRED, "silent")
        elif silent >= AWAY_AFTER_S:
            self.moment(Moment.SILENT)
        elif self.state is PeerState.AWAY:
            self.moment(Moment.HEARD)

    def moment(self, moment: Moment, reason: str = "") -> bool:
        """Move along the table; a moment without an entry changes nothing (False)."""
        state = TRANSITIONS[self.state].get(moment)
        if state is None:
            return False
        self.state = state
        self._changed(self, reason)
        return True

    def _aim(self, socket: int, address: Address, nominated: bool, now: float) -> None:
        """Send to the last nominated address; to another valid one where that has fallen silent, for
        not every client nominates again after its address changed behind a NAT."""
        path = (socket, address)
        if path == self._aimed:
            self._aimed_at = now
        elif nominated or (self._aimed is not None and now - self._aimed_at > STALE_AIM_S):
            self._relay.aim(self.handle, socket, address)
            self._aimed, self._aimed_at = path, now

    def _maybe_connect(self) -> None:
        if self._checked and self.remote is not None:
            self.moment(Moment.CHECKED)
