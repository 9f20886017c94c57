# What was sent to a viewer, and when it came: transport-wide numbers (draft-holmer-rmcat-transport-wide-cc-
# extensions-01), its feedback read, and made into bursts for the estimate. No Python per packet.

cdef enum:
    ON_ITS_WAY = 0
    CAME = 1
    LOST = 2
    RESENT = 3              # the same ciphertext left twice: when it came tells nothing of the line
    BURST_US = 5000         # packets sent within that time are one burst (draft-ietf-rmcat-gcc-02, 5.2)
    TICK_US = 250
    REFERENCE_US = 64000


cdef int make_sent(Peer* peer) except -1:
    """The table of what is on its way to this peer; made with its first slot that numbers its packets."""
    cdef int i
    if peer.sent_rows is not NULL:
        return 0
    peer.sent_rows = <Sent*>calloc(1, sizeof(Sent))
    if peer.sent_rows is NULL:
        raise MemoryError
    for i in range(SENT_ROWS):
        peer.sent_rows.rows[i].sequence = -1
    return 0


cdef inline void note_sent(Core* core, Down* down, int size) noexcept nogil:
    """The packet that took the newest transport-wide number leaves now."""
    cdef Peer* peer = down.peer
    cdef SentRow* row
    if down.transport_cc_id == 0:
        return
    row = &peer.sent_rows.rows[peer.transport_sequence % SENT_ROWS]
    row.sequence = peer.transport_sequence
    row.at_us = core.now_ns // 1000
    row.size = <uint16_t>size
    row.fate = ON_ITS_WAY


cdef inline void note_sent_again(Peer* peer, int64_t number) noexcept nogil:
    cdef SentRow* row
    if peer.sent_rows is NULL or number < 0:
        return
    row = &peer.sent_rows.rows[number % SENT_ROWS]
    if row.sequence == number and row.fate != CAME:
        row.fate = RESENT


cdef void take_arrivals(Core* core, Peer* peer, const uint8_t* block, int length) noexcept nogil:
    """One transport-wide feedback of a viewer: what came of its numbers, and when."""
    cdef uint8_t symbols[SENT_ROWS]
    cdef Sent* sent = peer.sent_rows
    cdef SentRow* row
    cdef int count, at = 20, i
    cdef int64_t number, clock_us, delta
    if sent is NULL:
        return
    count = read_symbols(block, length, &at, symbols)
    if count < 0:
        core.totals.dropped_malformed += 1
        return
    core.totals.feedback_received += 1
    number = peer.transport_sequence + <int16_t>(get16(block + 12) - <uint16_t>peer.transport_sequence)
    clock_us = read_reference(sent, get32(block + 16) >> 8)
    for i in range(count):
        delta = 0
        if symbols[i] == 1:
            delta = block[at]
        elif symbols[i] == 2:
            delta = <int16_t>get16(block + at)
        at += symbols[i]
        clock_us += delta * TICK_US
        if number + i < 0 or number + i > peer.transport_sequence:
            continue
        row = &sent.rows[(number + i) % SENT_ROWS]
        if row.sequence == number + i:
            note_fate(sent, row, clock_us if symbols[i] else -1)


cdef int read_symbols(const uint8_t* block, int length, int* at, uint8_t* symbols) noexcept nogil:
    """The status of each packet (0: it did not come, 1 and 2: octets of its delta); -1 where the feedback is
    malformed, else how many. `at` is moved behind the chunks."""
    cdef int count, known = 0, run, k, octets = 0
    cdef uint16_t chunk
    if length < 20:
        return -1
    count = get16(block + 14)
    if not 1 <= count <= SENT_ROWS:
        return -1
    while known < count:
        if at[0] + 2 > length:
            return -1
        chunk = get16(block + at[0])
        at[0] += 2
        if chunk & 0x8000 == 0:
            run = min(chunk & 0x1FFF, count - known)
            if run == 0:
                return -1
            memset(symbols + known, chunk >> 13 & 3, run)
        else:
            run = min(7 if chunk & 0x4000 else 14, count - known)
            for k in range(run):
                symbols[known + k] = chunk >> (12 - 2 * k) & 3 if chunk & 0x4000 else chunk >> (13 - k) & 1
        known += run
    for k in range(count):
        if symbols[k] == 3:
            return -1
        octets += symbols[k]
    return count if at[0] + octets <= length else -1


cdef int64_t read_reference(Sent* sent, uint32_t reference) noexcept nogil:
    """The feedback's reference time in microseconds of the viewer's clock, its 24 bits made longer."""
    cdef int32_t forward
    if not sent.has_reference:
        sent.has_reference = True
        sent.reference = reference
    else:
        forward = <int32_t>((reference - <uint32_t>sent.reference) << 8) >> 8
        sent.reference += forward
    return sent.reference * REFERENCE_US


cdef void note_fate(Sent* sent, SentRow* row, int64_t arrival_us) noexcept nogil:
    """What became of one packet. One that was told as lost may come late: it is no loss then."""
    cdef Burst* burst
    if row.fate == CAME or (row.fate == LOST and arrival_us < 0):
        return
    burst = burst_of(sent, row)
    if row.fate == LOST:
        burst.lost -= 1
        row.fate = CAME
        burst.came += 1
        return
    if arrival_us < 0:
        row.fate = LOST
        burst.lost += 1
        return
    burst.came += 1
    burst.octets += row.size
    if row.fate != RESENT and row.at_us >= sent.first_us:  # one of an earlier burst says nothing of this one
        burst.sent_us = max(burst.sent_us, row.at_us)
        note_arrival_of(burst, arrival_us)
    row.fate = CAME


cdef inline void note_arrival_of(Burst* burst, int64_t arrival_us) noexcept nogil:
    cdef int64_t first
    if burst.arrival_us < 0:
        burst.arrival_us = arrival_us
    first = min(burst.arrival_us - burst.spread_us, arrival_us)
    burst.arrival_us = max(burst.arrival_us, arrival_us)
    burst.spread_us = <int32_t>min(burst.arrival_us - first, <int64_t>1000000)


cdef Burst* burst_of(Sent* sent, SentRow* row) noexcept nogil:
    """The burst a packet belongs to: the open one, or a new one. Python fetches closed ones; where it does not,
    the last takes all."""
    cdef Burst* burst = &sent.bursts[sent.burst_count]
    if not sent.open or (
        row.at_us - sent.first_us > BURST_US and row.fate != LOST and sent.burst_count < BURSTS - 1
    ):
        if sent.open:
            sent.burst_count += 1
            burst = &sent.bursts[sent.burst_count]
        sent.open = True
        sent.first_us = row.at_us
        memset(burst, 0, sizeof(Burst))
        burst.arrival_us = -1
    return burst


cdef object hand_over_bursts(Sent* sent):
    """The closed bursts as bytes, oldest first (layout: tables.BURST); the open one stays."""
    cdef bytes found
    if sent is NULL or sent.burst_count == 0:
        return b""
    found = PyBytes_FromStringAndSize(<char*>sent.bursts, sent.burst_count * sizeof(Burst))
    sent.bursts[0] = sent.bursts[sent.burst_count]
    sent.burst_count = 0
    return found
