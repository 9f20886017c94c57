# Between Python's rows (tables.py) and the tables in memory.


cdef int check_id(int id) except -1:
    if not 0 <= id <= 14:
        raise ValueError(f"no header extension id: {id}")
    return id


cdef int check_payload_type(int number) except -1:
    if not 0 <= number <= 127:
        raise ValueError(f"no payload type: {number}")
    return number


cdef int copy_text(uint8_t* place, bytes text) except -1:
    """Copy a MID or RID of up to 16 bytes; its length."""
    if len(text) > MAX_MID:
        raise ValueError(f"longer than {MAX_MID} bytes: {text!r}")
    memcpy(place, <const char*>text, len(text))
    return <int>len(text)


VIDEO_CODECS = (CodecNumber.H264, CodecNumber.VP8, CodecNumber.VP9, CodecNumber.AV1)
AUDIO_CODECS = (CodecNumber.OPUS, CodecNumber.RED)


cdef int check_codecs(object row) except -1:
    cdef bint video = row.video
    if not 1 <= len(row.codecs) <= 16:
        raise ValueError(f"{len(row.codecs)} codecs: 1 to 16 are possible")
    for codec in row.codecs:
        if codec.codec not in (VIDEO_CODECS if video else AUDIO_CODECS):
            raise ValueError(f"no {'video' if video else 'audio'} codec: {codec.codec!r}")
    return 0


# -- peers


cdef void free_peer(Core* core, Peer* peer) noexcept nogil:
    """With everything of it but its slots, which have handles of their own."""
    while peer.path_count:
        forget_path(core, peer.paths[0])
    while peer.ufrag_count:
        peer.ufrag_count -= 1
        forget_ufrag(core, peer.ufrags[peer.ufrag_count])
    while peer.up_count:
        peer.up_count -= 1
        free_up(peer.ups[peer.up_count])
    end_probe(core, peer)
    free(peer.feedback)
    free(peer.sent_rows)
    free(peer)


# -- up tracks


cdef int check_up_row(Peer* peer, object row) except -1:
    """ValueError where the row does not fit beside the peer's other tracks."""
    cdef int i
    cdef SsrcRow* known
    check_codecs(row)
    if not 1 <= len(row.layers) <= MAX_LAYERS or len(set(row.layers)) != len(row.layers):
        raise ValueError(f"layers {row.layers!r}: 1 to {MAX_LAYERS} different ones are possible")
    for i in range(peer.up_count):
        if row.mid and peer.ups[i].mid[:peer.ups[i].mid_length] == row.mid:
            raise ValueError(f"the peer has a track of MID {row.mid!r} already")
    if not row.ring_bytes:
        raise ValueError("a track without a ring")
    announced = [ssrc for _, *both in row.ssrcs for ssrc in both if ssrc]
    if len(set(announced)) != len(announced):
        raise ValueError("one SSRC is announced twice")
    if len(announced) > MAX_SSRCS - peer.ssrc_count:
        raise ValueError("more SSRCs than one peer may use")
    for layer, media, _ in row.ssrcs:
        if not 0 <= layer < len(row.layers) or not 0 < media < 1 << 32:
            raise ValueError(f"an announced SSRC has no layer: {row.ssrcs!r}")
    for ssrc in announced:
        known = find_ssrc(peer, ssrc)
        if known is not NULL and known.layer is not NULL:
            raise ValueError(f"SSRC {ssrc} belongs to another track of the peer")
    return 0


cdef Up* make_up(Core* core, Peer* peer, object row) except NULL:
    cdef Up* up = <Up*>calloc(1, sizeof(Up))
    cdef int i
    if up is NULL:
        raise MemoryError
    try:
        up.peer = peer
        up.video = row.video
        up.clock_rate = 90000 if row.video else 48000
        up.mid_length = copy_text(up.mid, row.mid)
        up.mid_id = check_id(row.mid_id)
        up.rid_id = check_id(row.rid_id)
        up.repaired_rid_id = check_id(row.repaired_rid_id)
        up.audio_level_id = check_id(row.audio_level_id)
        up.transport_cc_id = check_id(row.transport_cc_id)
        fill_up_codecs(up, row)
        for i, rid in enumerate(row.layers):
            up.rid_lengths[i] = copy_text(up.rids[i], rid)
            up.layers[i] = make_layer(core, up, i, row.ring_bytes[min(i, len(row.ring_bytes) - 1)], row.keep_gop)
            up.layer_count += 1
        if up.transport_cc_id and peer.feedback is NULL:
            peer.feedback = <Feedback*>calloc(1, sizeof(Feedback))
            if peer.feedback is NULL:
                raise MemoryError
            peer.feedback.base = -1
    except BaseException:
        free_up(up)
        raise
    return up


cdef int fill_up_codecs(Up* up, object row) except -1:
    memset(up.base_of_rtx, 255, sizeof(up.base_of_rtx))
    for codec in row.codecs:
        up.codec_of[check_payload_type(codec.payload_type)] = <uint8_t><int>codec.codec
        up.nack_of[<int>codec.codec] = codec.nack
        if codec.rtx:
            up.base_of_rtx[check_payload_type(codec.rtx)] = <uint8_t>codec.payload_type
    return 0


cdef int announce_ssrcs(Up* up, object row) except -1:
    """Give the SSRCs of the SDP to their layers; `check_up_row` has seen that they fit."""
    cdef SsrcRow* known
    cdef Layer* layer
    for number, media, rtx in row.ssrcs:
        layer = up.layers[<int>number]
        known = admit_ssrc(up.peer, media)
        known.layer = layer
        known.rtx = False
        layer.ssrc = media
        layer.has_ssrc = True
        if rtx:
            known = admit_ssrc(up.peer, rtx)
            known.layer = layer
            known.rtx = True
            layer.rtx_ssrc = rtx
            layer.has_rtx_ssrc = True
    return 0


cdef void forget_up(Up* up) noexcept nogil:
    """Take a track out of its peer; its SSRCs are nobody's again."""
    cdef Peer* peer = up.peer
    cdef int i, kept = 0
    for i in range(peer.up_count):
        if peer.ups[i] is not up:
            peer.ups[kept] = peer.ups[i]
            kept += 1
    peer.up_count = kept
    for i in range(peer.ssrc_count):
        if peer.ssrcs[i].layer is not NULL and peer.ssrcs[i].layer.up is up:
            peer.ssrcs[i].layer = NULL


# -- slots


cdef int spend_ssrcs(Peer* peer, object row) except -1:
    """No SSRC of ours is used twice in the life of a connection, whatever was removed meanwhile."""
    cdef int i
    check_codecs(row)
    wanted = [row.ssrc, row.rtx_ssrc] if row.rtx_ssrc else [row.ssrc]
    if not all(0 < ssrc < 1 << 32 for ssrc in wanted) or len(set(wanted)) != len(wanted):
        raise ValueError(f"a slot needs different SSRCs of its own: {wanted}")
    for i in range(peer.spent_count):
        if peer.spent_ssrcs[i] in wanted:
            raise ValueError(f"SSRC {peer.spent_ssrcs[i]} was used in this connection already")
    if peer.spent_count + len(wanted) > 4 * MAX_DOWNS:
        raise ValueError("no more slots in the life of this connection")
    for ssrc in wanted:
        peer.spent_ssrcs[peer.spent_count] = ssrc
        peer.spent_count += 1
    return 0


cdef Down* new_down(bint video) except NULL:
    cdef Down* down = <Down*>calloc(1, sizeof(Down))
    if down is NULL:
        raise MemoryError
    down.video = video
    down.clock_rate = 90000 if video else 48000
    down.last_out = -1
    down.sr_sent_ns = -1
    down.trip_ns = -1
    down.resend_tokens = 500
    memset(down.payload_of, 255, sizeof(down.payload_of))
    return down


cdef Down* make_down(Peer* peer, object row) except NULL:
    cdef Down* down = new_down(row.video)
    try:
        down.peer = peer
        down.ssrc = row.ssrc
        down.rtx_ssrc = row.rtx_ssrc
        getrandom(&down.rtx_sequence, 2, 0)
        down.rtx_sequence &= 0x7FFF
        down.mid_length = copy_text(down.mid, row.mid)
        down.mid_id = check_id(row.mid_id) if row.mid else 0
        down.audio_level_id = check_id(row.audio_level_id)
        down.transport_cc_id = check_id(row.transport_cc_id)
        down.abs_send_time_id = check_id(row.abs_send_time_id)
        if down.transport_cc_id:
            make_sent(peer)
        down.resent = <Resent*>calloc(RESENT_ROWS, sizeof(Resent))
        if down.resent is NULL:
            raise MemoryError
        fill_down_codecs(down, row)
    except BaseException:
        free_down(down)
        raise
    return down


cdef int fill_down_codecs(Down* down, object row) except -1:
    """The first payload type of a codec counts. Audio asked again without RTX keeps its ciphertext."""
    cdef int number
    for codec in row.codecs:
        number = codec.codec
        if down.payload_of[number] != 255:
            continue
        down.payload_of[number] = <uint8_t>check_payload_type(codec.payload_type)
        down.rtx_of[number] = <uint8_t>check_payload_type(codec.rtx)
        if codec.nack and not codec.rtx and not row.video and down.kept is NULL:
            down.kept = <Kept*>calloc(KEPT_ROWS, sizeof(Kept))
            if down.kept is NULL:
                raise MemoryError
    return 0


cdef Down* make_tap_down(Tap* tap, int track, bint video) except NULL:
    cdef Down* down = new_down(video)
    down.tap = tap
    down.track = track
    for number in VIDEO_CODECS if video else (CodecNumber.OPUS,):
        down.payload_of[<int>number] = canonical_payload(<int>number)
    return down


cdef void forget_down(Down* down) noexcept nogil:
    cdef Peer* peer = down.peer
    cdef int i, kept = 0
    if peer is NULL:
        return
    for i in range(peer.down_count):
        if peer.downs[i] is not down:
            peer.downs[kept] = peer.downs[i]
            kept += 1
    peer.down_count = kept


cdef void free_down(Down* down) noexcept nogil:
    free(down.resent)
    free(down.kept)
    free(down)


cdef bint offers_fit(Down* down, Layer* layer) noexcept nogil:
    """Whether the slot can carry what the track sends (or, before it sends, anything it may send)."""
    cdef int i
    if layer.codec:
        return fits(down, layer.codec)
    for i in range(128):
        if layer.up.codec_of[i] and fits(down, layer.up.codec_of[i]):
            return True
    return False


cdef int point_slot(Core* core, Down* down, Layer* target, bint from_ring) except -1:
    """Video goes on with the old layer until the new one has a keyframe; sound changes at once."""
    if down.still:
        unpoint(core, down)
    if down.layer is target or down.next is target:
        if down.layer is target and down.next is not NULL:
            detach(down, down.next)
            down.next = NULL
        if down.layer is target or not (from_ring and ring_serves(target)):
            return 0
    attach(down, target)
    if down.next is not NULL and down.next is not target:
        detach(down, down.next)
    down.next = target
    if not down.video:
        leave(core, down)
    elif from_ring and ring_serves(target):
        switch_to(core, down, target)
        start_replay(core, down, target)
        replay(core, down)
    else:
        note(core, KEYFRAME_WANTED, target.up.handle, NULL, 0, NULL, target.number)
    return 0


cdef void forget_layer(Core* core, Down* down, Layer* layer) noexcept nogil:
    """The layer goes: the slot keeps nothing of it."""
    detach(down, layer)
    if down.next is layer:
        down.next = NULL
    if down.layer is layer:
        down.layer = NULL
        down.still = False
        set_state(core, down, IDLE)


# -- taps


cdef Tap* make_tap(int fd, Py_ssize_t size) except NULL:
    cdef Tap* tap
    cdef void* place
    if size < TAP_HEADER + (1 << 16) or size > 1 << 30:
        raise ValueError(f"a tap ring of {size} bytes")
    tap = <Tap*>calloc(1, sizeof(Tap))
    if tap is NULL:
        raise MemoryError
    place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
    if place == MAP_FAILED:
        free(tap)
        raise ValueError(f"file {fd} cannot be mapped")
    tap.map = <uint8_t*>place
    tap.size = size
    tap.capacity = (<uint64_t>size - TAP_HEADER) & ~<uint64_t>7
    return tap


cdef void free_tap(Tap* tap) noexcept nogil:
    munmap(tap.map, tap.size)
    free(tap)


# -- figures


cdef int64_t age_us(int64_t at_ns):
    return -1 if at_ns <= 0 else max((clock_ns(CLOCK_MONOTONIC) - at_ns) // 1000, 0)


cdef object read_layer(Layer* layer):
    cdef int64_t expected = layer.highest - layer.first + 1 if layer.highest >= 0 else 0
    cdef int64_t cycles = layer.first >> 16 << 16
    cdef int loudest = layer.loudest
    layer.loudest = 127
    return LayerFigures(
        ssrc=layer.ssrc,
        codec=layer.codec,
        packets=layer.packets,
        octets=layer.octets,
        lost=max(layer.lost_before + expected - layer.unique, 0),
        recovered=layer.recovered,
        keyframes=layer.keyframes,
        jitter=layer.jitter16 >> 4,
        highest_sequence=layer.highest - cycles if layer.highest >= 0 else 0,
        sr_ntp_mid=<uint32_t>(layer.report.ntp >> 16) if layer.report.known else 0,
        sr_age_us=age_us(layer.report.arrival_ns),
        keyframe_age_us=age_us(layer.gop_ns) if layer.gop_start >= 0 else -1,
        gop_packets=layer.highest - layer.gop_start + 1 if layer.gop_start >= 0 else 0,
        gop_complete=ring_serves(layer),
        last_packet_age_us=age_us(layer.last_ns),
        level_dbov=-loudest,
        red_recovered=layer.red_recovered,
    )


cdef object read_down(Down* down):
    return DownFigures(
        packets=down.packets,
        octets=down.octets,
        resent=down.resent_count,
        nacked=down.nacked,
        dropped=down.dropped,
        sequence=down.last_out,
        timestamp=down.last_timestamp,
        sr_ntp_mid=down.sr_ntp_mid,
        sr_sent_us_ago=age_us(down.sr_sent_ns),
        loss=down.loss / 256.0,
        round_trip_us=down.trip_ns // 1000 if down.trip_ns >= 0 else -1,
    )


cdef object read_peer(Peer* peer):
    return PeerFigures(
        last_heard_us=age_us(peer.heard_ns),
        received=peer.received,
        sent=peer.sent,
        srtp_failures=peer.srtp_failures,
        replayed=peer.replayed,
        sent_octets=peer.sent_octets,
    )
