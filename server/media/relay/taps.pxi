# Taps: the memfd rings the recorder reads (layout and rules: recorder/contract.py).

cdef enum:
    TAP_HEADER = 4096
    TAP_RECORD = 16
    TAP_PAD = 0
    TAP_RTP = 1
    TAP_SENDER_REPORT = 2


cdef void write_tap_header(Core* core, Tap* tap) noexcept nogil:
    """An empty ring; a ring id that is there already stays. The magic comes last."""
    cdef uint64_t none = 0
    cdef uint32_t version = 1
    cdef uint64_t monotonic = clock_ns(CLOCK_MONOTONIC), wall = clock_ns(CLOCK_REALTIME)
    cdef uint8_t zero[16]
    memset(zero, 0, 16)
    memset(tap.map, 0, 40)
    memcpy(tap.map + 8, &version, 4)
    memcpy(tap.map + 16, &tap.capacity, 8)
    if memcmp(tap.map + 40, zero, 16) == 0:
        getrandom(tap.map + 40, 16, 0)
    memcpy(tap.map + 56, &wall, 8)
    memcpy(tap.map + 64, &monotonic, 8)
    memcpy(tap.map + 72, &none, 8)
    full_fence()
    memcpy(tap.map, <const char*>b"LKRING\x00\x01", 8)


cdef inline uint64_t padded(uint64_t size) noexcept nogil:
    return (size + 7) & ~<uint64_t>7


cdef void make_way(Tap* tap, uint64_t need) noexcept nogil:
    """Move the tail beyond every record that the next `need` bytes overwrite, before they do."""
    cdef uint32_t length
    cdef uint64_t tail = tap.tail
    while tap.head + need - tail > tap.capacity:
        memcpy(&length, tap.map + TAP_HEADER + tail % tap.capacity, 4)
        tail += padded(length)
    if tail != tap.tail:
        tap.tail = tail
        store_release(<uint64_t*>(tap.map + 32), tail)
        full_fence()


cdef uint8_t* open_record(Tap* tap, int kind, int flags, int track, int64_t arrival_ns, uint32_t size) noexcept nogil:
    """Room for `size` bytes of data of a new record in one piece (NULL: longer than an eighth of the
    ring); a PAD record fills what is left before the ring's end."""
    cdef uint64_t length = TAP_RECORD + size, need = padded(length)
    cdef uint64_t left = tap.capacity - tap.head % tap.capacity
    cdef uint32_t word
    cdef uint16_t number = <uint16_t>track
    cdef uint8_t* at
    if length > tap.capacity // 8:
        return NULL
    if left < need:
        make_way(tap, left)
        at = tap.map + TAP_HEADER + tap.head % tap.capacity
        word = <uint32_t>left
        memset(at, 0, min(left, <uint64_t>TAP_RECORD))
        memcpy(at, &word, 4)
        tap.head += left
    make_way(tap, need)
    at = tap.map + TAP_HEADER + tap.head % tap.capacity
    word = <uint32_t>length
    memcpy(at, &word, 4)
    at[4] = <uint8_t>kind
    at[5] = <uint8_t>flags
    memcpy(at + 6, &number, 2)
    memcpy(at + 8, &arrival_ns, 8)
    return at + TAP_RECORD


cdef void close_record(Core* core, Tap* tap, uint32_t size) noexcept nogil:
    """The record is whole: let the reader see it."""
    tap.head += padded(TAP_RECORD + size)
    tap.records += 1
    store_release(<uint64_t*>(tap.map + 72), tap.records)
    store_release(<uint64_t*>(tap.map + 24), tap.head)
    core.totals.tap_records += 1
    core.totals.tap_octets += size


cdef inline uint8_t canonical_payload(int codec) noexcept nogil:
    return 111 if codec == OPUS else <uint8_t>(96 + codec - H264)


cdef void tap_packet(Core* core, Down* down, Layer* layer, Stored* row, int64_t number) noexcept nogil:
    """Write one packet, plain: RED unwrapped, no extensions, no padding, a canonical payload type.

    Padding that came late has an empty payload: its number was left open, and a hole would be a loss.
    """
    cdef uint8_t* payload
    cdef uint8_t* room
    cdef int size, codec = shape(down, layer, row, &payload, &size)
    room = open_record(down.tap, TAP_RTP, 1 if row.flags & RECOVERED else 0, down.track, row.arrival_ns, 12 + size)
    if room is NULL:
        down.dropped += 1
        return
    room[0] = 0x80
    room[1] = canonical_payload(codec) | (0x80 if row.flags & MARKER else 0)
    put16(room + 2, <uint16_t>number)
    put32(room + 4, row.timestamp)
    put32(room + 8, layer.ssrc)
    memcpy(room + 12, payload, size)
    close_record(core, down.tap, 12 + size)
    down.packets += 1
    down.octets += size
    if number > down.last_out:
        down.last_out = number
        down.last_timestamp = row.timestamp
        down.last_ns = core.now_ns
    if not down.announced:
        down.announced = True
        note(core, SLOT_STARTED, down.handle, NULL, 0, NULL, 0)


cdef void tap_report(Core* core, Down* down, Layer* layer) noexcept nogil:
    cdef uint8_t* room = open_record(down.tap, TAP_SENDER_REPORT, 0, down.track, layer.report.arrival_ns, 16)
    if room is NULL:
        return
    put32(room, layer.ssrc)
    put64(room + 4, layer.report.ntp)
    put32(room + 12, layer.report.timestamp)
    close_record(core, down.tap, 16)


cdef int write_record(Core* core, Tap* tap, int kind, int track, bytes data) except -1:
    """One record made in Python."""
    cdef uint32_t size = <uint32_t>len(data)
    cdef uint8_t* room
    if not 1 <= kind <= 255 or not 0 <= track <= 65535:
        raise ValueError(f"no record kind and track: {kind}, {track}")
    room = open_record(tap, kind, 0, track, clock_ns(CLOCK_MONOTONIC), size)
    if room is NULL:
        raise ValueError(f"a record of {size} bytes is too long for the ring")
    memcpy(room, <const char*>data, size)
    close_record(core, tap, size)
    return 0
