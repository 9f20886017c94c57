# RTCP from peers, read (RFC 3550, 4585, 5104), and sender reports to slots, written.
# A peer's RTCP touches that peer's own tracks and slots only.

cdef enum:
    RTCP_SR = 200
    RTCP_RR = 201
    RTCP_SDES = 202
    RTCP_BYE = 203
    RTCP_RTPFB = 205
    RTCP_PSFB = 206
    RTCP_XR = 207
    NTP_EPOCH = 2208988800      # seconds from 1900 to 1970
    CNAME_BLOCK = 28


cdef inline uint64_t ntp_of(Core* core, int64_t monotonic_ns) noexcept nogil:
    """Our wall clock in NTP's 32.32 fixed point."""
    cdef uint64_t wall = <uint64_t>(monotonic_ns + core.wall_offset_ns)
    return ((wall // SECOND + <uint64_t>NTP_EPOCH) << 32) | (((wall % SECOND) << 32) // SECOND)


cdef void receive_rtcp(Core* core, Peer* peer, uint8_t* data, int size, int64_t arrival_ns) noexcept nogil:
    """Decrypt a compound packet and handle its blocks; what Python handles goes there as one event."""
    cdef uint8_t rest[DATAGRAM_ROOM]
    cdef int at = 0, length, kept = 0
    if size < 12 or not may_admit(peer, get32(data + 4)):
        count_refused(core, size)
        return
    if not decrypt(core, peer, srtp_unprotect_rtcp, data, &size):
        return
    admit_ssrc(peer, get32(data + 4))
    while at + 4 <= size:
        length = 4 * (get16(data + at + 2) + 1)
        if data[at] >> 6 != 2 or at + length > size:
            core.totals.dropped_malformed += 1
            break
        if handle_block(core, peer, data + at, length, arrival_ns):
            memcpy(rest + kept, data + at, length)
            kept += length
        at += length
    if kept:
        note(core, RTCP, peer.handle, rest, kept, NULL, 0)


cdef bint handle_block(Core* core, Peer* peer, const uint8_t* block, int length, int64_t arrival_ns) noexcept nogil:
    """One RTCP block; True where Python is to see it."""
    cdef int kind = block[1], count = block[0] & 31
    if kind == RTCP_SR:
        if length < 28:
            return False
        take_report(core, peer, block, arrival_ns)
        take_receptions(peer, block + 28, min(count, (length - 28) // 24), arrival_ns)
        return False
    if kind == RTCP_RR:
        take_receptions(peer, block + 8, min(count, (length - 8) // 24), arrival_ns)
        return False
    if kind == RTCP_BYE or kind == RTCP_XR:
        return True
    if length < 12:
        return False
    if kind == RTCP_RTPFB and count == 1:
        take_nack(core, peer, block, length)
    elif kind == RTCP_RTPFB and count == 15:
        take_arrivals(core, peer, block, length)
    elif kind == RTCP_PSFB and count == 1:
        pass_keyframe_request(core, peer, get32(block + 8))
    elif kind == RTCP_PSFB and count == 4:
        take_fir(core, peer, block, length)
    return kind == RTCP_PSFB and count == 15


cdef Down* down_of_ssrc(Peer* peer, uint32_t ssrc) noexcept nogil:
    cdef int i
    for i in range(peer.down_count):
        if peer.downs[i].ssrc == ssrc:
            return peer.downs[i]
    return NULL


cdef void take_receptions(Peer* peer, const uint8_t* blocks, int count, int64_t arrival_ns) noexcept nogil:
    """Report blocks of a viewer on its slots (RFC 3550 6.4.1)."""
    cdef Down* down
    cdef int i
    for i in range(count):
        down = down_of_ssrc(peer, get32(blocks + 24 * i))
        if down is not NULL:
            down.loss = blocks[24 * i + 4]
            take_round_trip(peer, down, get32(blocks + 24 * i + 16), get32(blocks + 24 * i + 20), arrival_ns)


cdef void take_round_trip(Peer* peer, Down* down, uint32_t last_report, uint32_t delay, int64_t arrival_ns) noexcept nogil:
    """The least of the last round trips is the line's, the others waited somewhere; the gate is a bit
    less, so that a viewer may ask again for a resent packet that was lost too."""
    cdef int64_t trip = arrival_ns - down.sr_sent_ns - delay * SECOND // 65536
    cdef uint32_t i
    if last_report == 0 or last_report != down.sr_ntp_mid or not 0 <= trip < 10 * SECOND:
        return
    down.trip_ns = trip
    peer.trips[peer.trip_count % TRIPS] = trip
    peer.trip_count += 1
    for i in range(min(peer.trip_count, <uint32_t>TRIPS)):
        trip = min(trip, peer.trips[i])
    peer.round_trip_ns = min(max(trip * 4 // 5, <int64_t>MILLISECOND), 2 * SECOND)


cdef void take_nack(Core* core, Peer* peer, const uint8_t* block, int length) noexcept nogil:
    """Generic NACK (RFC 4585 6.2.1)."""
    cdef Down* down = down_of_ssrc(peer, get32(block + 8))
    cdef int at = 12, bit
    cdef uint16_t first, mask
    if down is NULL:
        return
    while at + 4 <= length:
        first = get16(block + at)
        mask = get16(block + at + 2)
        resend(core, down, first)
        for bit in range(16):
            if mask >> bit & 1:
                resend(core, down, <uint16_t>(first + bit + 1))
        at += 4


cdef void take_fir(Core* core, Peer* peer, const uint8_t* block, int length) noexcept nogil:
    """Full intra request (RFC 5104 4.3.1): the SSRCs stand in its entries."""
    cdef int at = 12
    while at + 8 <= length:
        pass_keyframe_request(core, peer, get32(block + at))
        at += 8


cdef void pass_keyframe_request(Core* core, Peer* peer, uint32_t ssrc) noexcept nogil:
    """Tell which layer the slot shows; a slot is heard 20 times a second at most."""
    cdef Down* down = down_of_ssrc(peer, ssrc)
    cdef Layer* layer
    if down is NULL or not down.video or core.now_ns - down.wanted_ns < 50 * MILLISECOND:
        return
    down.wanted_ns = core.now_ns
    if down.still:
        down.still_asked = True
        return
    layer = down.layer if down.layer is not NULL else down.next
    if layer is not NULL:
        note(core, KEYFRAME_WANTED, layer.up.handle, NULL, 0, NULL, layer.number)


# -- sender reports


cdef void take_report(Core* core, Peer* peer, const uint8_t* block, int64_t arrival_ns) noexcept nogil:
    """Store a publisher's sender report and pass it on to the layer's slots and taps."""
    cdef SsrcRow* row = find_ssrc(peer, get32(block + 4))
    cdef Layer* layer
    cdef int i
    if row is NULL or row.layer is NULL or row.rtx:
        return
    layer = row.layer
    fan_out(core, layer)  # the packets before it go first
    layer.report.ntp = get64(block + 8)
    layer.report.timestamp = get32(block + 16)
    layer.report.arrival_ns = arrival_ns
    layer.report.known = True
    set_ntp_offset(core, peer, layer)
    for i in range(layer.slot_count):
        if layer.slots[i].layer is layer and layer.slots[i].state != IDLE:
            report_slot(core, layer.slots[i], layer)


cdef inline void set_ntp_offset(Core* core, Peer* peer, Layer* layer) noexcept nogil:
    """One constant for all of a peer's tracks, so that they stay in step with each other; set again
    only where the peer's clock was moved by 5 s and more."""
    cdef uint64_t offset = ntp_of(core, layer.report.arrival_ns) - layer.report.ntp
    cdef int64_t moved = <int64_t>(offset - peer.ntp_offset)
    if not peer.has_ntp_offset or moved > (<int64_t>5 << 32) or moved < -(<int64_t>5 << 32):
        peer.has_ntp_offset = True
        peer.ntp_offset = offset


cdef inline void write_cname(Peer* peer, uint8_t* block, uint32_t ssrc) noexcept nogil:
    """The canonical name every compound packet carries (RFC 3550 6.1); one for all of a connection's slots,
    whose times are of one clock, and random, so that it tells nobody anything (RFC 7022)."""
    put32(block, 0x81CA0006u)
    put32(block + 4, ssrc)
    put16(block + 8, <uint16_t>(1 << 8 | CNAME_LENGTH))
    memcpy(block + 10, peer.cname, CNAME_LENGTH)
    memset(block + 10 + CNAME_LENGTH, 0, CNAME_BLOCK - 10 - CNAME_LENGTH)


cdef void report_slot(Core* core, Down* down, Layer* layer) noexcept nogil:
    """The publisher's newest report in the slot's own clocks (RFC 3550 6.4.1); taps get it as it came."""
    cdef uint8_t block[28 + CNAME_BLOCK]
    cdef uint64_t ntp
    if not layer.report.known or core.now_ns - layer.report.arrival_ns > 20 * SECOND:
        return
    if down.tap is not NULL:
        tap_report(core, down, layer)
        return
    ntp = layer.report.ntp + layer.up.peer.ntp_offset
    put32(block, 0x80C80006u)
    put32(block + 4, down.ssrc)
    put64(block + 8, ntp)
    put32(block + 16, layer.report.timestamp + newest_interval(down).timestamp_offset)
    put32(block + 20, <uint32_t>down.packets)
    put32(block + 24, <uint32_t>down.octets)
    write_cname(down.peer, block + 28, down.ssrc)
    send_rtcp_packet(core, down.peer, block, 28 + CNAME_BLOCK)
    down.sr_ntp_mid = <uint32_t>(ntp >> 16)
    down.sr_sent_ns = core.now_ns
