"""The relay's door. One thread calls it; it waits for nothing (but 0.2 ms for the rest of a picture),
and never logs or decides.

Handles are small non-negative integers, given by `add_*` and never reused within 30 s of removal.
All times inside are CLOCK_MONOTONIC nanoseconds. Every method raises KeyError for an unknown
handle and ValueError for a row that does not fit (with words); packets from the network never raise.
"""

from pylibsrtp import Session

from server.media.relay.tables import (
    Address,
    DownFigures,
    DownRow,
    Event,
    Join,
    LayerFigures,
    PeerFigures,
    UpRow,
)

class Relay:
    def __init__(self) -> None: ...

    # sockets
    def adopt(self, fd: int) -> int:
        """Take over a bound, non-blocking UDP socket (sets buffers, SO_TIMESTAMPNS; opens a second file on
        its port for what `tick` reads: transport-wide feedback, reports alone, checks that are held) or a
        listening TCP socket, whose connections (RFC 4571 frames) the relay accepts and owns; its number."""

    def watched(self, socket: int) -> int:
        """The file to wait on before `receive`: the UDP socket itself, an epoll for a TCP one."""

    def receive(self, socket: int, budget: int = 512) -> list[Event]:
        """Read up to `budget` datagrams (frames) in batches, forward media, return what Python must see.
        Where the end of a picture has not come it is waited for once, 0.2 ms."""

    def tick(self) -> list[Event]:
        """Read what waited (viewers' transport-wide feedback and reports, held checks), and run the timers:
        NACKs, transport-wide feedback to publishers, paced joins. Call every 10 ms while `pressing`, else
        every 50 to 100 ms; `receive` runs the timers too, where that was 10 ms ago."""

    def hold_checks(self, hold: bool) -> None:
        """Whether STUN requests by UDP wait for `tick` too (at first they do not)."""

    def pressing(self) -> bool:
        """Whether a joiner is fed from a ring, a line probed, or a publisher to be asked for lost packets."""

    # peers
    def add_peer(self, ufrag: bytes) -> int:
        """A new peer, found by `ufrag` (our local one) in STUN USERNAMEs."""

    def add_ufrag(self, peer: int, ufrag: bytes) -> None:
        """ICE restart: the peer is found by this one too; the newest two are kept."""

    def remove_peer(self, peer: int) -> None:
        """Forget the peer, its tracks, slots, addresses and SRTP."""

    def validate(self, peer: int, socket: int, address: Address) -> bool:
        """Packets from this address are the peer's from now on (the newest 8 addresses are kept). False
        where it stands for a TCP connection that has ended."""

    def aim(self, peer: int, socket: int, address: Address) -> None:
        """Send to this validated address (the last USE-CANDIDATE)."""

    def secure(self, peer: int, inbound: Session, outbound: Session) -> None:
        """The peer's two SRTP sessions, once; used by the relay alone. ValueError the second time.

        Made with `allow_repeat_tx` False and a `window_size` of 1,024 each way: repaired packets come and
        go late, under their own numbers.
        """

    def send_stun(self, socket: int, address: Address, data: bytes) -> bool: ...
    def send_dtls(self, peer: int, data: bytes) -> bool:
        """To the aimed (else newest validated) address; False where there is none."""

    def send_rtcp(self, peer: int, data: bytes) -> bool:
        """Encrypt and send a compound RTCP packet (at most 1,200 bytes)."""

    # tables
    def add_up(self, peer: int, row: UpRow) -> int:
        """At most 16 a peer, 4 layers each; an SSRC of another track of the peer is refused."""
    def remove_up(self, up: int) -> None:
        """Slots pointed at it point at nothing."""

    def add_down(self, peer: int, row: DownRow) -> int:
        """At most 64 a peer; an SSRC the peer's slots had before is refused, even after `remove_down`."""
    def add_tap_down(self, tap: int, track: int, video: bool) -> int:
        """A slot that writes into a tap's ring instead of a peer: RED unwrapped, no SRTP."""

    def remove_down(self, down: int) -> None: ...
    def point(self, down: int, up: int, layer: int = 0, join: Join = ...) -> bool:
        """Forward this layer; `up` -1: nothing, at once. False where the slot has no codec for it.

        Sound changes at once. A picture goes on with the old layer until the new one has a keyframe
        (`Join.RING`: until now). Numbers and times go on; the same again changes nothing.
        """

    def showing(self, down: int, up: int) -> tuple[int, int]:
        """Which layer of `up` the slot forwards, and which one it waits for; -1: none."""

    def still(self, down: int, up: int, layer: int, bitrate_bps: int) -> bool:
        """Show the layer's newest keyframe alone, out of the ring, paced at this rate; said again every few
        seconds, a newer one replaces it. `point` ends it. False where no whole keyframe is there."""

    def set_round_trip(self, peer: int, microseconds: int) -> None:
        """Gate for answering the same NACK twice (50,000 before the first report; then by reports)."""

    def repeat_sound(self, peer: int, depth: int) -> None:
        """Each of a viewer's sound packets carries the `depth` before it again (RED, RFC 2198), as far as
        they came; at most 4. 0: as the publisher sent it. Where a slot has no RED nothing changes."""

    def take_bursts(self, peer: int) -> bytes:
        """What became of the packets sent to a viewer, since last asked: records of `tables.BURST`, oldest
        first, at most 255. Empty for a peer whose slots have no transport-wide numbers."""

    def rest(self, peer: int, milliseconds: int) -> None:
        """Send no picture's packet again for that long: the line is full, what is lost best forgotten."""

    def probe(self, peer: int, bitrate_bps: int, milliseconds: int) -> None:
        """For that long (at most 1,000 ms) send to the peer at this rate in all, filled up with RTX of what
        it was sent, else padding; 0 ends it. Needs `tick` every 10 ms while `pressing`."""

    # taps
    def add_tap(self, fd: int, size: int) -> int:
        """Map a memfd as a ring (layout: recorder/contract.py); size includes the header page."""

    def remove_tap(self, tap: int) -> None: ...
    def tap_write(self, tap: int, kind: int, track: int, data: bytes) -> None:
        """One record made in Python (a track note, the end mark)."""

    # reading
    def layer_figures(self, up: int, layer: int = 0) -> LayerFigures: ...
    def down_figures(self, down: int) -> DownFigures: ...
    def peer_figures(self, peer: int) -> PeerFigures: ...
    def totals(self) -> dict[str, int]:
        """Counters since start, by name: received, sent, dropped_unknown_address, ... (all bounded)."""

class Sender:
    """What a publisher of ours sends by: a batch is sealed and handed to the kernel in one call, a picture's
    packets of one length as a run that it cuts (UDP GSO). One thread at a time calls it."""

    def __init__(self, fd: int, outbound: Session) -> None:
        """Over a connected, non-blocking UDP socket, which stays its maker's and is widened; ValueError for
        another file."""

    def send(self, packets: list[bytes]) -> int:
        """RTP packets, sealed in order; how many of them the kernel or libsrtp did not take. ValueError, and
        nothing sent, where one is shorter than a header or longer than 1,500 octets."""

def check_libsrtp() -> None:
    """Raise ImportError with words where pylibsrtp's private names or C types are not as pinned."""
