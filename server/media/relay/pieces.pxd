"""The small structs the relay's tables are made of; none of them knows another table."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from server.media.relay.bounds cimport KEPT_SIZE

cdef enum StoredFlag:
    PADDING = 1     # only padding came under this number: nothing to forward
    KEY_START = 2   # first packet of a keyframe
    MARKER = 4
    RECOVERED = 8   # came late, by RTX or out of RED
    LATE = 16       # newer ones had come before

cdef struct Endpoint:
    # A socket and a far address on it: sockaddr_in or sockaddr_in6, unused bytes zero.
    uint8_t sockaddr[28]
    uint32_t length
    int socket

cdef struct Noted:
    # One event before it becomes a Python value; its data lies in the core's event bytes.
    int kind
    int handle
    int value
    uint32_t offset
    uint32_t length
    bint has_address
    Endpoint endpoint

cdef struct Outlet:
    # Bytes waiting for a TCP peer: whole RFC 4571 frames, the first perhaps partly written.
    uint8_t* data
    size_t room
    size_t start
    size_t end
    size_t owed         # octets left of a frame that is partly written, 0 = at a border

cdef struct Stored:
    # One packet of a layer in its ring: where its payload lies, and what a header needs.
    int64_t sequence
    int64_t arrival_ns
    uint64_t position   # of the payload, in bytes ever written into the arena
    uint32_t timestamp
    uint16_t size
    uint16_t primary    # offset of RED's primary block, 0 elsewhere
    uint8_t codec
    uint8_t flags
    uint8_t level       # RFC 6464 byte, 255 = none
    uint8_t padding     # octets that make it as long as its neighbours (UDP GSO wants equal ones)

cdef struct Ring:
    # The newest packets of a layer: payloads in a circular arena, found by sequence number.
    uint8_t* arena
    uint64_t capacity
    uint64_t head       # bytes ever written
    Stored* rows
    uint32_t mask

cdef struct Missing:
    # A packet the publisher is asked for again.
    int64_t sequence
    int64_t noticed_ns
    int64_t asked_ns
    int tries

cdef struct Report:
    # The newest sender report of a layer, as on the wire, and when it came.
    uint64_t ntp
    uint32_t timestamp
    int64_t arrival_ns
    bint known

cdef struct Interval:
    # A piece of a slot's sequence: from `out_first` on, out = in - in_first + out_first.
    uint64_t epoch
    int64_t in_first
    int64_t out_first
    uint32_t timestamp_offset
    uint16_t picture_offset     # VP8 and VP9
    uint8_t tl0_offset

cdef struct Resent:
    int64_t sequence
    int64_t at_ns

cdef struct Kept:
    # A sent audio packet, encrypted, for viewers that ask again without RTX.
    int64_t sequence
    int64_t transport   # its transport-wide number, -1: it has none
    int size
    uint8_t data[KEPT_SIZE]

cdef struct Packet:
    # One incoming RTP packet after decryption, its header read.
    uint8_t* payload
    int size
    uint32_t ssrc
    uint32_t timestamp
    uint16_t sequence
    uint8_t payload_type
    bint marker
    bint recovered
    int64_t arrival_ns
    uint8_t* extensions[16]     # by id, one-byte or two-byte form
    uint8_t extension_sizes[16]
    uint16_t extension_seen     # bit set of ids
