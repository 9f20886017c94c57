# What publishers are told: what is missing (RFC 4585), and when packets came
# (draft-holmer-rmcat-transport-wide-cc-extensions-01).

cdef enum:
    OUR_SSRC = 1                # sender SSRC of our feedback
    FEEDBACK_EVERY = 100        # ms
    FEEDBACK_SYMBOLS = 400      # packets told in one feedback: always below RTCP_MAX
    NACK_ENTRIES = 200
    NACK_TRIES = 10
    FEEDBACK_BACK = 128         # a packet later than that is not told


cdef int open_feedback(uint8_t* room, int kind, int form, uint32_t media_ssrc) noexcept nogil:
    """An empty receiver report (a compound packet begins with one), then a feedback block's head."""
    put32(room, 0x80C90001u)
    put32(room + 4, OUR_SSRC)
    room[8] = <uint8_t>(0x80 | form)
    room[9] = <uint8_t>kind
    put32(room + 12, OUR_SSRC)
    put32(room + 16, media_ssrc)
    return 20


cdef void close_feedback(Core* core, Peer* peer, uint8_t* room, int size) noexcept nogil:
    put16(room + 10, <uint16_t>((size - 8) // 4 - 1))
    send_rtcp_packet(core, peer, room, size)


# -- NACK


cdef void ask_again(Core* core, Layer* layer) noexcept nogil:
    """Ask for missing packets, each once a round trip, until it came or is of no use any more."""
    cdef Peer* peer = layer.up.peer
    cdef int64_t patience = 2 * SECOND if layer.up.video else 400 * MILLISECOND
    cdef int64_t pause = max(peer.round_trip_ns, <int64_t>20 * MILLISECOND)
    cdef uint16_t due[NACK_ENTRIES]
    cdef int i = 0, count = 0
    cdef Missing* row
    cdef bint lost = False
    while i < layer.missing_count:
        row = &layer.missing[i]
        if row.tries >= NACK_TRIES or core.now_ns - row.noticed_ns > patience:
            forget_missing(layer, i)
            lost = True
            continue
        if count < NACK_ENTRIES and core.now_ns - row.asked_ns >= pause:
            row.asked_ns = core.now_ns
            row.tries += 1
            due[count] = <uint16_t>row.sequence
            count += 1
        i += 1
    if lost:
        want_keyframe(core, layer)
    if count and layer.up.nack_of[layer.codec]:
        send_nack(core, layer, due, count)


cdef void send_nack(Core* core, Layer* layer, const uint16_t* due, int count) noexcept nogil:
    cdef uint8_t room[RTCP_MAX]
    cdef int at = open_feedback(room, RTCP_RTPFB, 1, layer.ssrc), i = 0
    cdef uint16_t first, mask, distance
    while i < count:
        first = due[i]
        mask = 0
        i += 1
        while i < count:
            distance = due[i] - first
            if not 1 <= distance <= 16:
                break
            mask |= 1 << (distance - 1)
            i += 1
        put16(room + at, first)
        put16(room + at + 2, mask)
        at += 4
    core.totals.nacks_sent += count
    close_feedback(core, layer.up.peer, room, at)


# -- arrival times


cdef void note_arrival(Core* core, Peer* peer, Layer* layer, Packet* packet) noexcept nogil:
    """Remember when a transport-wide sequence number came. One whose feedback has gone makes the next feedback
    begin with it: what is told again costs little, and a publisher would take it for lost."""
    cdef Feedback* feedback = peer.feedback
    cdef int id = layer.up.transport_cc_id if layer is not NULL else 0
    cdef int64_t number
    if feedback is NULL or not carries(packet, id) or packet.extension_sizes[id] < 2:
        return
    feedback.media_ssrc = packet.ssrc
    number = get16(packet.extensions[id])
    if feedback.base >= 0:
        number = feedback.highest + <int16_t>(<uint16_t>number - <uint16_t>feedback.highest)
        if number < feedback.base:
            if feedback.base - number > FEEDBACK_BACK or feedback.highest - number >= ARRIVALS:
                return
            feedback.base = number
        if number - feedback.base >= ARRIVALS:
            send_feedback(core, peer)
    if feedback.base < 0 or number - feedback.base >= ARRIVALS:
        restart_feedback(feedback, (number & 0xFFFF) + 65536)
        number = feedback.base
    while feedback.highest < number:
        feedback.highest += 1
        feedback.arrivals[feedback.highest % ARRIVALS] = 0
    feedback.arrivals[number % ARRIVALS] = packet.arrival_ns


cdef void restart_feedback(Feedback* feedback, int64_t number) noexcept nogil:
    memset(feedback.arrivals, 0, sizeof(feedback.arrivals))
    feedback.base = number
    feedback.highest = number


cdef void send_feedback(Core* core, Peer* peer) noexcept nogil:
    """Tell of every number up to the highest that came, in as many packets as it takes."""
    cdef Feedback* feedback = peer.feedback
    while feedback.base >= 0 and feedback.base <= feedback.highest:
        send_feedback_part(core, peer, feedback)


cdef void send_feedback_part(Core* core, Peer* peer, Feedback* feedback) noexcept nogil:
    cdef uint8_t room[RTCP_MAX + 1024]
    cdef uint8_t symbols[FEEDBACK_SYMBOLS]
    cdef int16_t deltas[FEEDBACK_SYMBOLS]
    cdef int at, i, count = 0
    cdef int64_t reference = first_arrival(feedback) // (64 * MILLISECOND)
    cdef int64_t ticks = reference * 256, delta
    cdef int64_t* arrival
    while count < FEEDBACK_SYMBOLS and feedback.base + count <= feedback.highest:
        arrival = &feedback.arrivals[(feedback.base + count) % ARRIVALS]
        symbols[count] = 0
        if arrival[0]:
            delta = arrival[0] // 250000 - ticks
            if not -32768 <= delta <= 32767:
                break
            symbols[count] = 1 if 0 <= delta <= 255 else 2
            deltas[count] = <int16_t>delta
            ticks += delta
        count += 1
    at = open_feedback(room, RTCP_RTPFB, 15, feedback.media_ssrc)
    put16(room + at, <uint16_t>feedback.base)
    put16(room + at + 2, <uint16_t>count)
    put32(room + at + 4, <uint32_t>((reference & 0xFFFFFF) << 8) | feedback.count)
    at = write_chunks(room, at + 8, symbols, count)
    for i in range(count):
        if symbols[i] == 1:
            room[at] = <uint8_t>deltas[i]
            at += 1
        elif symbols[i] == 2:
            put16(room + at, <uint16_t>deltas[i])
            at += 2
    while at & 3:
        room[at] = 0
        at += 1
    feedback.base += count
    feedback.count += 1
    core.totals.feedback_sent += 1
    close_feedback(core, peer, room, at)


cdef int64_t first_arrival(Feedback* feedback) noexcept nogil:
    cdef int64_t number = feedback.base
    while feedback.arrivals[number % ARRIVALS] == 0:
        number += 1
    return feedback.arrivals[number % ARRIVALS]


cdef int write_chunks(uint8_t* room, int at, const uint8_t* symbols, int count) noexcept nogil:
    """Packet status chunks: runs where they pay, else 14 one-bit or 7 two-bit symbols."""
    cdef int i = 0, run, k, bits
    while i < count:
        run = 1
        while i + run < count and symbols[i + run] == symbols[i]:
            run += 1
        if run >= 14 or i + run == count:
            put16(room + at, <uint16_t>(symbols[i] << 13 | run))
            i += run
        elif small(symbols + i, min(14, count - i)):
            bits = 0x8000
            for k in range(min(14, count - i)):
                bits |= symbols[i + k] << (13 - k)
            put16(room + at, <uint16_t>bits)
            i += 14
        else:
            bits = 0xC000
            for k in range(min(7, count - i)):
                bits |= symbols[i + k] << (12 - 2 * k)
            put16(room + at, <uint16_t>bits)
            i += 7
        at += 2
    return at


cdef inline bint small(const uint8_t* symbols, int count) noexcept nogil:
    cdef int i
    for i in range(count):
        if symbols[i] == 2:
            return False
    return True
