"""The bounds of every table of the relay, and what it counts."""

from libc.stdint cimport uint64_t

cdef enum:
    BATCH = 64              # datagrams a system call
    DATAGRAM_MAX = 1500     # longer ones are dropped and counted
    DATAGRAM_ROOM = 2048    # DATAGRAM_MAX + our header extensions + libsrtp's largest trailer (144)
    RTP_LEAST = 12          # octets of a header without CSRCs
    RTCP_MAX = 1200
    MAX_SOCKETS = 16
    MAX_STREAMS = 4096      # TCP connections
    MAX_HALF_OPEN = 512     # of them without an authenticated check; the oldest gives way
    HALF_OPEN_EACH = 64     # of one IPv4 address or IPv6 /64
    FIRST_MESSAGE_S = 5     # a connection that said nothing of ours by then is closed
    PROVE_S = 10            # and one without an authenticated check
    STALLED_S = 10          # and one that took nothing of what waits for it
    STREAM_READ = 32 << 10  # octets read of one connection at a time
    FRAME_ROOM = 1502       # an RFC 4571 frame: two octets of length and at most DATAGRAM_MAX
    URGENT_MOST = 64 << 10  # octets of sound and reports that wait for one TCP peer
    VIDEO_START = 192 << 10 # no frame of video begins to wait behind more
    VIDEO_MOST = 1 << 20
    WAITING_MOST = 128 << 20    # octets that wait for all TCP peers together
    MAX_PEERS = 8192
    MAX_TAPS = 256
    MAX_UPS = 16            # up tracks of one peer
    MAX_DOWNS = 64          # slots of one peer
    MAX_PATHS = 8           # addresses of one peer
    MAX_UFRAGS = 2
    MAX_UFRAG = 64
    MAX_SSRCS = 128         # SSRCs one peer may ever use (libsrtp keeps a stream for each)
    MAX_LAYERS = 4
    MAX_MID = 16            # the longest value of a one-byte header extension
    MAX_MISSING = 512       # packets of one layer asked again at the same time
    MAX_REDUNDANCY = 4      # sound packets that one carries again
    RED_MAX = 1000          # octets of sound in a packet that carries others again
    MAX_INTERVALS = 32      # pieces of a slot's sequence that can still be mapped back
    RESENT_ROWS = 256       # remembers when a slot's packet was last resent
    KEPT_ROWS = 64          # audio packets kept as ciphertext by a slot without RTX
    KEPT_SIZE = 768
    CNAME_LENGTH = 16
    TRIPS = 8               # round trips a peer's gate is made of
    ARRIVALS = 1024         # transport-wide sequence numbers between two feedbacks
    SENT_ROWS = 2048        # packets on their way to one viewer that feedback can still name
    BURSTS = 256            # bursts of one viewer that wait for Python
    BUCKETS = 4096
    FRESH = BATCH           # packets of a layer that wait for their slots within one batch
    TOUCHED = 256           # layers with such packets
    EVENTS = 4096
    EVENT_BYTES = 1 << 20
    CODECS = 7

cdef struct Totals:
    # Counters since start; the names are the metrics' names.
    uint64_t received
    uint64_t received_octets
    uint64_t sent
    uint64_t sent_octets
    uint64_t forwarded
    uint64_t resent
    uint64_t events
    uint64_t dropped_unknown_ufrag
    uint64_t dropped_unknown_address
    uint64_t dropped_unknown_protocol
    uint64_t dropped_oversized
    uint64_t dropped_malformed
    uint64_t dropped_insecure
    uint64_t dropped_srtp
    uint64_t dropped_replayed
    uint64_t dropped_ssrc_limit
    uint64_t dropped_unknown_ssrc
    uint64_t dropped_unknown_payload
    uint64_t dropped_duplicate
    uint64_t dropped_old
    uint64_t dropped_padding
    uint64_t dropped_events
    uint64_t refused_ssrc
    uint64_t nacks_sent
    uint64_t nacks_received
    uint64_t nacks_unanswered
    uint64_t feedback_sent
    uint64_t feedback_received
    uint64_t probed
    uint64_t unrepaired
    uint64_t recovered_rtx
    uint64_t recovered_red
    uint64_t send_full
    uint64_t send_failed
    uint64_t protect_failed
    uint64_t slot_dropped
    uint64_t streams_accepted
    uint64_t streams_refused
    uint64_t streams_closed
    uint64_t streams_stalled
    uint64_t stream_dropped
    uint64_t tap_records
    uint64_t tap_octets
