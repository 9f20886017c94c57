"""The relay's tables in memory: every struct, its owner and its bounds.

All of them hang on one `Core`, which one `Relay` owns and one thread touches; their small parts stand
in `pieces.pxd`. Times are CLOCK_MONOTONIC nanoseconds; sequence numbers are extended to 64 bits once inside.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from server.media.relay.bounds cimport *
from server.media.relay.pieces cimport *
from server.media.relay.sent cimport *
from server.media.relay.system cimport iovec, mmsghdr

cdef enum SlotState:
    IDLE = 0        # forwards nothing (it may wait for the first keyframe of `next`)
    REPLAYING = 1   # is sent the ring's newest GOP, paced
    LIVE = 2        # is sent what comes
    HELD = 3        # was sent a still picture, answers NACKs about it

# Named by each other below.
cdef struct Peer
cdef struct Up
cdef struct Down
cdef struct Tap
cdef struct Stream

cdef struct Path:
    # A validated address of a peer; lives in the core's hash and in its peer's list.
    Endpoint endpoint
    uint32_t hash
    Peer* peer
    Stream* stream      # NULL for UDP
    Path* next

cdef struct Ufrag:
    # A local ufrag of a peer, in the core's hash.
    uint8_t text[MAX_UFRAG]
    int length
    uint32_t hash
    Peer* peer
    Ufrag* next

cdef struct Socket:
    # An adopted UDP socket with the batches going through it, or a TCP listener.
    int fd
    int lane            # a second file on the port, read by timers: what may wait (lanes.pxi); -1: none
    int family
    int number
    int queued
    bint listens        # TCP (RFC 6544): its streams and itself are watched by `epoll`
    int epoll
    int64_t deaf_until_ns       # no file descriptor was left: accept again from then on, 0 = listening
    mmsghdr incoming[BATCH]
    iovec incoming_vectors[BATCH]
    Endpoint incoming_from[BATCH]
    uint8_t incoming_control[BATCH][64]
    uint8_t incoming_data[BATCH][DATAGRAM_ROOM]
    bint segments       # the kernel takes runs of equal datagrams to one address (UDP GSO)
    Endpoint* outgoing_to[BATCH]
    iovec outgoing_vectors[BATCH]
    mmsghdr outgoing[BATCH]     # made of the above by `flush`: one or a run each
    uint8_t outgoing_control[BATCH][32]
    uint8_t outgoing_data[BATCH][DATAGRAM_ROOM]

cdef struct Stream:
    # One accepted TCP connection of a peer, or of somebody who has still to prove to be one.
    Endpoint endpoint   # the far address, on its listener's socket number
    Socket* listener
    Path* path          # NULL until a check was authenticated
    int fd
    int index           # its place in the core's list
    bint named          # its first message was a STUN request that named a peer
    bint dead           # closed at the next `reap_streams`
    bint dirty          # in the core's list of what `flush_all` writes
    bint blocked        # epoll tells when there is room again
    int64_t opened_ns
    int64_t moved_ns    # when something could last be written, or nothing waited
    Stream* next_dirty
    Outlet urgent       # sound, reports, DTLS, STUN
    Outlet video
    int partial_size
    uint8_t partial[FRAME_ROOM]

cdef struct Layer:
    # One encoding of an up track: its stream's state, its ring, and the slots it goes to.
    Up* up
    int number
    uint64_t epoch      # changes when the stream begins anew under another SSRC
    uint32_t ssrc
    uint32_t rtx_ssrc
    bint has_ssrc
    bint has_rtx_ssrc
    int64_t first
    int64_t highest     # -1: nothing yet
    int64_t unique      # different numbers that came since `first`
    int64_t lost_before # lost under earlier SSRCs
    int64_t last_ns
    int codec
    Ring ring
    int64_t gop_start   # -1: no keyframe yet
    int64_t gop_ns
    int64_t gop_received
    uint32_t gop_timestamp
    int64_t wanted_ns   # when KEYFRAME_WANTED was last told for lost packets
    Missing missing[MAX_MISSING]
    int missing_count
    Report report
    uint64_t packets
    uint64_t octets
    uint64_t recovered
    uint64_t red_recovered
    uint64_t keyframes
    uint32_t transit
    bint has_transit
    uint32_t jitter16   # times 16
    uint8_t loudest     # RFC 6464: 0 loudest, 127 silence
    Stored* fresh[FRESH]        # came in this batch, not yet forwarded
    int fresh_count
    uint64_t fresh_octets
    Down** slots
    int slot_count
    int slot_room

cdef struct Up:
    # An up track: what was negotiated for it, and its layers.
    int handle
    Peer* peer
    bint video
    bint live
    uint8_t mid[MAX_MID]
    int mid_length
    uint8_t codec_of[128]       # payload type -> codec number, 0 = not negotiated
    uint8_t base_of_rtx[128]    # RTX payload type -> its media payload type, 255 = none
    uint8_t nack_of[CODECS]
    int clock_rate
    int mid_id
    int rid_id
    int repaired_rid_id
    int audio_level_id
    int transport_cc_id
    uint8_t rids[MAX_LAYERS][MAX_MID]
    int rid_lengths[MAX_LAYERS]
    int layer_count
    Layer* layers[MAX_LAYERS]

cdef struct SsrcRow:
    # An SSRC of a peer that authenticated at least once, and the layer it belongs to.
    uint32_t ssrc
    bint rtx
    Layer* layer        # NULL: admitted, but nobody's

cdef struct Feedback:
    # Arrival times of transport-wide sequence numbers, for the next feedback to a publisher.
    int64_t base        # first number not yet told, -1: none came
    int64_t highest
    int64_t due_ns
    uint32_t media_ssrc
    uint8_t count
    int64_t arrivals[ARRIVALS]

cdef struct Peer:
    # One connection: its addresses, SRTP, tracks and slots.
    int handle
    void* inbound       # libsrtp sessions, kept alive by Relay._sessions
    void* outbound
    Path* paths[MAX_PATHS]      # oldest first
    int path_count
    Path* aimed
    Ufrag* ufrags[MAX_UFRAGS]
    int ufrag_count
    int64_t round_trip_ns       # gate for answering a NACK again
    int64_t trips[TRIPS]
    uint32_t trip_count
    int64_t heard_ns
    int64_t transport_sequence  # the newest transport-wide number
    Sent* sent_rows     # NULL: no slot of it numbers its packets
    int64_t probe_bps   # 0: no probe is on
    int64_t probe_from_ns
    int64_t probe_until_ns
    uint64_t probe_octets
    int redundancy      # sound packets carried again in each; 0: as they came
    int64_t rest_until_ns       # until then lost pictures are not sent again: the line is full
    Up* ups[MAX_UPS]
    int up_count
    Down* downs[MAX_DOWNS]
    int down_count
    SsrcRow ssrcs[MAX_SSRCS]
    int ssrc_count
    uint32_t spent_ssrcs[4 * MAX_DOWNS]     # SSRCs our slots ever had
    int spent_count
    Feedback* feedback
    uint8_t cname[CNAME_LENGTH]
    uint64_t ntp_offset         # our NTP time minus the peer's, constant once known
    bint has_ntp_offset
    uint64_t received
    uint64_t sent
    uint64_t sent_octets
    uint64_t srtp_failures
    uint64_t replayed

cdef struct Down:
    # A slot: what it shows, how numbers are mapped, and what it sent.
    int handle
    Peer* peer          # NULL for a slot of a tap
    Tap* tap
    int track
    bint video
    SlotState state
    Layer* layer        # what it forwards
    Layer* next         # what it will forward from a keyframe on
    bint announced      # SLOT_STARTED was told since `point`
    uint32_t ssrc
    uint32_t rtx_ssrc
    uint8_t payload_of[CODECS]  # codec -> payload type, 255 = none
    uint8_t rtx_of[CODECS]      # codec -> RTX payload type, 0 = none
    uint8_t nack_of[CODECS]
    uint8_t mid[MAX_MID]
    int mid_length
    int mid_id
    int audio_level_id
    int transport_cc_id
    int abs_send_time_id
    int clock_rate
    Interval intervals[MAX_INTERVALS]
    uint32_t interval_count     # ever made; the newest is at (count - 1) % MAX_INTERVALS
    int64_t last_in     # newest number of the source that was sent or skipped
    int64_t last_out    # -1: nothing sent yet
    int64_t given_up    # a picture's packets up to this number are not sent again: nothing follows from them
    uint32_t last_timestamp
    int64_t last_ns
    int64_t wanted_ns   # when its viewer's wish for a keyframe was last told
    int64_t cursor      # REPLAYING: next number to send
    int64_t replay_start_ns
    int64_t replay_first
    int64_t replay_step_ns
    bint still          # shows single pictures: no live packet is forwarded
    bint still_asked    # its viewer wished for the picture again
    int64_t still_last  # number of the picture's last packet
    uint16_t rtx_sequence
    int probe_back      # how far behind the newest number the last probe's packet was
    int resend_tokens
    uint16_t last_picture       # VP8 and VP9, as sent
    uint8_t last_tl0
    Resent* resent
    Kept* kept
    uint64_t packets
    uint64_t octets
    uint64_t resent_count
    uint64_t nacked
    uint64_t dropped
    uint32_t frame_timestamp    # TCP: the frame that is being queued, whole or not at all
    bint frame_refused
    uint32_t sr_ntp_mid
    int64_t sr_sent_ns
    uint8_t loss        # as its viewer reports it, in 1/256
    int64_t trip_ns     # round trip of its newest report, -1: none yet

cdef struct Tap:
    # A memfd ring the recorder reads (layout: recorder/contract.py).
    int handle
    uint8_t* map
    uint64_t size
    uint64_t capacity
    uint64_t head
    uint64_t tail
    uint64_t records

cdef struct Core:
    # Everything one relay has.
    int64_t now_ns
    int64_t wall_offset_ns      # CLOCK_REALTIME - CLOCK_MONOTONIC
    uint32_t abs_send_time
    uint32_t hash_seed
    uint64_t epochs
    int replaying               # slots in REPLAYING
    int probing                 # peers whose line is being probed
    bint missing                # a layer waits for packets it asked for, or will
    int64_t ticked_ns           # when timers were last run
    bint checks_wait            # STUN requests come by the lanes
    Layer* touched[TOUCHED]     # layers with fresh packets
    int touched_count
    Socket* sockets[MAX_SOCKETS]
    int socket_count
    Stream* streams[MAX_STREAMS]
    int stream_count
    int dead_streams
    Stream* dirty
    uint64_t waiting_octets     # in all streams' outlets
    int64_t streams_watched_ns
    uint8_t* stream_data        # what was just read of one stream
    Path* paths[BUCKETS]
    Ufrag* ufrags[BUCKETS]
    Totals totals
    Noted events[EVENTS]
    int event_count
    uint8_t* event_data
    uint32_t event_used

cdef struct Table:
    # Handles: index -> pointer, NULL where free.
    void** items
    int count
    int room


cdef class Relay:
    cdef Core* core
    cdef Table peers
    cdef Table ups
    cdef Table downs
    cdef Table taps
    cdef dict _sessions     # peer -> its two pylibsrtp sessions, kept alive
    cdef dict _resting      # table -> handles given back, with the time
    cdef Peer* _peer(self, int handle) except NULL
    cdef Up* _up(self, int handle) except NULL
    cdef Down* _down(self, int handle) except NULL
    cdef Tap* _tap(self, int handle) except NULL
    cdef Socket* _socket(self, int number) except NULL


cdef class Sender:
    cdef Core* _core        # for what its batches count
    cdef Socket* _sock
    cdef Endpoint _connected    # of no length: the socket itself knows where to
    cdef void* _outbound
    cdef object _session    # keeps it alive
    cdef void _seal(self, bytes packet) noexcept
