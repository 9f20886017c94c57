# Probes: what a viewer's line carries beyond what is sent, found out with RTX (RFC 4588). Packets of its slot
# are sent once more under new RTX numbers, so a probe also mends what was lost; where there is none, padding.

cdef enum:
    PROBE_BURST = 48        # packets of one probe in one tick
    PROBE_BACK = 64         # newest numbers of a slot that are sent again
    PROBE_WORTH = 300       # smaller packets are not worth their header
    PADDING_MOST = 255
    PROBE_MOST = 50000000   # bit/s


cdef void start_probe(Core* core, Peer* peer, int bitrate_bps, int milliseconds) noexcept nogil:
    """Begin one, or end it (0 bit/s); never faster than PROBE_MOST or longer than a second."""
    look_at_clock(core)
    end_probe(core, peer)
    if bitrate_bps > 0 and milliseconds > 0:
        core.probing += 1
        peer.probe_bps = min(bitrate_bps, PROBE_MOST)
        peer.probe_from_ns = core.now_ns
        peer.probe_until_ns = core.now_ns + min(milliseconds, 1000) * <int64_t>MILLISECOND
        peer.probe_octets = peer.sent_octets


cdef inline void end_probe(Core* core, Peer* peer) noexcept nogil:
    core.probing -= peer.probe_bps > 0
    peer.probe_bps = 0


cdef void probe_peer(Core* core, Peer* peer) noexcept nogil:
    """Send what is missing to the probe's rate; everything that goes to the peer counts."""
    cdef int64_t due
    cdef int i, size
    cdef Down* down
    if peer.probe_bps == 0:
        return
    if core.now_ns >= peer.probe_until_ns:
        end_probe(core, peer)
        return
    down = probing_slot(peer)
    due = peer.probe_bps // 8 * ((core.now_ns - peer.probe_from_ns) // 1000) // 1000000
    due -= <int64_t>(peer.sent_octets - peer.probe_octets)
    for i in range(PROBE_BURST):
        if due <= 0 or down is NULL:
            return
        size = send_probe(core, down)
        if size <= 0:
            return
        due -= size


cdef Down* probing_slot(Peer* peer) noexcept nogil:
    """The slot to probe with: a moving picture that has RTX, else any that was ever sent."""
    cdef Down* found = NULL
    cdef Down* down
    cdef int i
    for i in range(peer.down_count):
        down = peer.downs[i]
        if down.rtx_ssrc == 0 or down.last_out < 0:
            continue
        if down.state == LIVE:
            return down
        found = down
    return found


cdef int send_probe(Core* core, Down* down) noexcept nogil:
    """One packet of a probe; its octets, 0 where it cannot be sent."""
    cdef uint64_t before = down.peer.sent_octets
    cdef Interval* interval
    cdef Layer* layer
    cdef Stored* row
    cdef int i
    cdef int64_t number
    if down.layer is not NULL and down.state == LIVE:
        for i in range(PROBE_BACK):
            down.probe_back = (down.probe_back + 1) % PROBE_BACK
            number = down.last_out - down.probe_back
            if number < 1:
                continue
            row = stored_of_out(down, number, &interval, &layer)
            if row is not NULL and row.size >= PROBE_WORTH and resend_rtx(core, down, number):
                core.totals.probed += 1
                return <int>(down.peer.sent_octets - before)
    if send_padding(core, down):
        core.totals.probed += 1
    return <int>(down.peer.sent_octets - before)


cdef bint send_padding(Core* core, Down* down) noexcept nogil:
    """An RTX packet of padding alone: a receiver counts it and drops it."""
    cdef Path* path = way_to(down.peer)
    cdef uint8_t* room
    cdef uint8_t payload_type = 0
    cdef int at, i
    for i in range(CODECS):
        if down.rtx_of[i] and (payload_type == 0 or (down.layer is not NULL and down.layer.codec == i)):
            payload_type = down.rtx_of[i]
    if payload_type == 0 or path is NULL or down.peer.outbound is NULL:
        return False
    down.rtx_sequence += 1
    room = outgoing(core, path)
    at = write_header(core, down, room, down.rtx_ssrc, payload_type, False, down.rtx_sequence,
                      down.last_timestamp, 255, True)
    room[0] |= 0x20
    memset(room + at, 0, PADDING_MOST)
    at += PADDING_MOST
    room[at - 1] = PADDING_MOST
    if srtp_protect(down.peer.outbound, room, &at) != SRTP_OK:
        core.totals.protect_failed += 1
        return False
    note_sent(core, down, at)
    commit_video(core, path, at)
    return True


cdef void run_probes(Core* core, Table* peers) noexcept nogil:
    cdef int i
    for i in range(peers.count):
        if core.probing == 0:
            return
        if peers.items[i] is not NULL:
            probe_peer(core, <Peer*>peers.items[i])
