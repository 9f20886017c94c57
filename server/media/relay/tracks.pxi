# Up tracks: which stream a packet belongs to, what came and what is missing of it.


cdef Layer* make_layer(Core* core, Up* up, int number, int ring_bytes, bint keep_gop) except NULL:
    cdef Layer* layer = <Layer*>calloc(1, sizeof(Layer))
    if layer is NULL:
        raise MemoryError
    core.epochs += 1
    layer.up = up
    layer.number = number
    layer.epoch = core.epochs
    layer.highest = -1
    layer.gop_start = -1
    layer.loudest = 127
    try:
        make_ring(&layer.ring, ring_bytes, keep_gop)
    except BaseException:
        free_ring(&layer.ring)
        free(layer)
        raise
    return layer


cdef void free_up(Up* up) noexcept nogil:
    cdef int i
    for i in range(up.layer_count):
        free_ring(&up.layers[i].ring)
        free(up.layers[i].slots)
        free(up.layers[i])
    free(up)


# -- whose packet is it


cdef Up* up_of_packet(Peer* peer, Packet* packet) noexcept nogil:
    """By MID; without one by a payload type only one track has (RFC 9143 9.2)."""
    cdef Up* found = NULL
    cdef Up* up
    cdef int i
    for i in range(peer.up_count):
        up = peer.ups[i]
        if carries(packet, up.mid_id):
            if carries_text(packet, up.mid_id, up.mid, up.mid_length):
                return up
        elif up.codec_of[packet.payload_type] or up.base_of_rtx[packet.payload_type] != 255:
            if found is not NULL:
                return NULL
            found = up
    return found


cdef Layer* layer_of_packet(Up* up, Packet* packet, bint rtx) noexcept nogil:
    """By RID, or repaired RID on an RTX stream (RFC 8852); a track without RIDs has one layer."""
    cdef int i, id = up.repaired_rid_id if rtx else up.rid_id
    if up.rid_lengths[0] == 0:
        return up.layers[0]
    for i in range(up.layer_count):
        if carries_text(packet, id, up.rids[i], up.rid_lengths[i]):
            return up.layers[i]
    return NULL


cdef void learn(Core* core, Peer* peer, SsrcRow* row, Packet* packet) noexcept nogil:
    """Give an SSRC nobody has to the layer its packet names."""
    cdef Up* up = up_of_packet(peer, packet)
    cdef Layer* layer
    cdef bint rtx
    if up is NULL:
        return
    rtx = up.base_of_rtx[packet.payload_type] != 255
    layer = layer_of_packet(up, packet, rtx)
    if layer is not NULL:
        claim(core, peer, layer, row, rtx)


cdef void claim(Core* core, Peer* peer, Layer* layer, SsrcRow* row, bint rtx) noexcept nogil:
    """The layer's stream is this SSRC from now on, unless its present one still speaks."""
    cdef SsrcRow* old
    if rtx:
        if layer.has_rtx_ssrc:
            old = find_ssrc(peer, layer.rtx_ssrc)
            if old is not NULL:
                old.layer = NULL
        layer.has_rtx_ssrc = True
        layer.rtx_ssrc = row.ssrc
    else:
        if layer.has_ssrc:
            if core.now_ns - layer.last_ns < 500 * MILLISECOND:
                core.totals.refused_ssrc += 1
                return
            old = find_ssrc(peer, layer.ssrc)
            if old is not NULL:
                old.layer = NULL
            if layer.highest >= 0:
                restart_layer(core, layer)
        layer.has_ssrc = True
        layer.ssrc = row.ssrc
    row.layer = layer
    row.rtx = rtx


cdef void restart_layer(Core* core, Layer* layer) noexcept nogil:
    """The stream begins anew under another SSRC: other numbers, other times, an empty ring."""
    cdef int i
    fan_out(core, layer)
    core.epochs += 1
    layer.epoch = core.epochs
    layer.lost_before += layer.highest - layer.first + 1 - layer.unique
    layer.unique = 0
    layer.first = ((layer.highest >> 16) + 2) << 16
    layer.highest = -1
    layer.gop_start = -1
    layer.missing_count = 0
    layer.has_transit = False
    layer.report.known = False
    clear_ring(&layer.ring)
    for i in range(layer.slot_count - 1, -1, -1):  # waiting may take the slot off the list
        if layer.slots[i].layer is layer:
            wait_for(core, layer.slots[i], layer)


# -- a packet comes


cdef void receive_rtp(Core* core, Peer* peer, uint8_t* data, int size, int64_t arrival_ns) noexcept nogil:
    """Decrypt one SRTP packet, find its layer, take it."""
    cdef Packet packet
    cdef SsrcRow* row
    if size < 12 or not may_admit(peer, get32(data + 8)):
        count_refused(core, size)
        return
    if not decrypt(core, peer, srtp_unprotect, data, &size):
        return
    if not read_packet(data, size, &packet):
        core.totals.dropped_malformed += 1
        return
    packet.arrival_ns = arrival_ns
    row = admit_ssrc(peer, packet.ssrc)
    if row.layer is NULL:
        learn(core, peer, row, &packet)
    note_arrival(core, peer, row.layer, &packet)
    if row.layer is NULL:
        core.totals.dropped_unknown_ssrc += 1
    elif carries(&packet, row.layer.up.mid_id) and not carries_text(
        &packet, row.layer.up.mid_id, row.layer.up.mid, row.layer.up.mid_length
    ):
        core.totals.refused_ssrc += 1
    elif not row.rtx or unwrap_rtx(core, row.layer, &packet):
        accept(core, row.layer, &packet)


cdef inline void count_refused(Core* core, int size) noexcept nogil:
    if size < 12:
        core.totals.dropped_malformed += 1
    else:
        core.totals.dropped_ssrc_limit += 1


cdef bint unwrap_rtx(Core* core, Layer* layer, Packet* packet) noexcept nogil:
    """Make an RTX packet the packet it repeats (RFC 4588 4); False for padding and unknown types."""
    cdef uint8_t base = layer.up.base_of_rtx[packet.payload_type]
    if base == 255:
        core.totals.dropped_unknown_payload += 1
        return False
    if packet.size < 2:
        core.totals.dropped_padding += 1
        return False
    if layer.highest < 0:
        core.totals.dropped_old += 1
        return False
    packet.sequence = get16(packet.payload)
    packet.payload += 2
    packet.size -= 2
    packet.payload_type = base
    packet.ssrc = layer.ssrc
    packet.recovered = True
    return True


cdef inline int64_t extend(Layer* layer, uint16_t sequence) noexcept nogil:
    """The number in 64 bits, nearest to the highest so far; a stream begins in its second cycle."""
    if layer.highest < 0:
        return (layer.first if layer.first else 65536) + sequence
    return layer.highest + <int16_t>(sequence - <uint16_t>layer.highest)


cdef void accept(Core* core, Layer* layer, Packet* packet) noexcept nogil:
    """Number the packet, drop what came before, restore what RED repeats, take it."""
    cdef int codec = layer.up.codec_of[packet.payload_type]
    cdef int64_t sequence = extend(layer, packet.sequence)
    cdef int primary = 0
    if codec == 0:
        core.totals.dropped_unknown_payload += 1
        return
    if layer.highest >= 0 and (sequence < layer.first or sequence < layer.highest - layer.ring.mask):
        core.totals.dropped_old += 1
        return
    if came(&layer.ring, sequence):
        core.totals.dropped_duplicate += 1
        return
    if packet.size > <int64_t>layer.ring.capacity // 4:
        core.totals.dropped_oversized += 1
        return
    if codec == RED and packet.size:
        primary = red_primary(packet.payload, packet.size)
        if primary < 0:
            core.totals.dropped_malformed += 1
            return
        restore_red(core, layer, packet, sequence)
    take(core, layer, packet, codec, sequence, primary)


cdef void restore_red(Core* core, Layer* layer, Packet* packet, int64_t sequence) noexcept nogil:
    """Take the Opus packets this one repeats and that never came, oldest first."""
    cdef RedBlock blocks[4]
    cdef Packet restored
    cdef int i, count
    cdef int64_t number
    if layer.highest < 0 or came(&layer.ring, sequence - 1):
        return
    count = red_blocks(packet.payload, packet.size, blocks, 4)
    for i in range(count):
        number = sequence - (count - i)
        if number <= layer.first or blocks[i].size == 0 or came(&layer.ring, number):
            continue
        if number < layer.highest - layer.ring.mask:
            continue
        restored = packet[0]
        restored.payload = <uint8_t*>blocks[i].data
        restored.size = blocks[i].size
        restored.timestamp = packet.timestamp - blocks[i].earlier
        restored.marker = False
        restored.recovered = True
        restored.extension_seen = 0
        layer.red_recovered += 1
        core.totals.recovered_red += 1
        take(core, layer, &restored, OPUS, number, 0)


cdef void take(Core* core, Layer* layer, Packet* packet, int codec, int64_t sequence, int primary) noexcept nogil:
    """Store one new packet, keep the layer's books, forward it."""
    cdef Stored* row
    cdef bint late = layer.highest >= 0 and sequence <= layer.highest
    if late:
        settle(core, layer, packet, sequence)
    else:
        notice_gap(core, layer, sequence)
        measure_jitter(layer, packet)
        layer.highest = sequence
    make_room_for(core, layer, sequence, packet.size)
    row = store(&layer.ring, sequence, packet.payload, packet.size)
    row.arrival_ns = packet.arrival_ns
    row.timestamp = packet.timestamp
    row.codec = <uint8_t>codec
    row.primary = <uint16_t>primary
    row.level = 255
    row.padding = 0
    row.flags = (MARKER if packet.marker else 0) | (RECOVERED if packet.recovered or late else 0)
    if late:
        row.flags |= LATE
    layer.unique += 1
    layer.packets += 1
    layer.octets += packet.size
    layer.last_ns = core.now_ns
    if packet.size == 0:
        row.flags |= PADDING
        core.totals.dropped_padding += 1
    elif layer.up.video:
        note_keyframe(core, layer, row, codec)
    else:
        note_level(layer, row, packet)
    if layer.gop_start >= 0 and sequence >= layer.gop_start:
        layer.gop_received += 1
    if row.flags & PADDING == 0:
        note_live(core, layer, codec)
    if layer.slot_count:
        if layer.fresh_count == 0:
            touch(core, layer)
        layer.fresh[layer.fresh_count] = row
        layer.fresh_count += 1
        layer.fresh_octets += packet.size


# -- what is noted of it


cdef inline void note_live(Core* core, Layer* layer, int codec) noexcept nogil:
    layer.codec = codec
    if not layer.up.live:
        layer.up.live = True
        note(core, UP_LIVE, layer.up.handle, NULL, 0, NULL, codec)


cdef inline void note_level(Layer* layer, Stored* row, Packet* packet) noexcept nogil:
    """Keep the loudest level (RFC 6464: 0 is loudest, 127 silence)."""
    cdef int id = layer.up.audio_level_id
    if not carries(packet, id):
        return
    row.level = packet.extensions[id][0]
    if row.level & 127 < layer.loudest:
        layer.loudest = row.level & 127


cdef void note_keyframe(Core* core, Layer* layer, Stored* row, int codec) noexcept nogil:
    """Mark the first packet of a keyframe; a GOP begins there."""
    cdef int64_t number
    if not starts_keyframe(codec, payload_of(&layer.ring, row), row.size):
        return
    if layer.gop_start >= 0 and row.timestamp == layer.gop_timestamp:
        if row.sequence == layer.gop_start - 1:  # the SPS came after the picture it belongs to
            layer.gop_start = row.sequence
        return
    if row.sequence < layer.gop_start:
        return
    row.flags |= KEY_START
    layer.gop_start = row.sequence
    layer.gop_timestamp = row.timestamp
    layer.gop_ns = row.arrival_ns
    layer.gop_received = 0
    number = row.sequence + 1
    while number <= layer.highest:
        layer.gop_received += came(&layer.ring, number)
        number += 1
    layer.keyframes += 1
    note(core, KEYFRAME_SEEN, layer.up.handle, NULL, 0, NULL, layer.number)


cdef inline void measure_jitter(Layer* layer, Packet* packet) noexcept nogil:
    """Interarrival jitter (RFC 3550 6.4.1)."""
    cdef uint32_t units = <uint32_t>(packet.arrival_ns // 1000 * layer.up.clock_rate // 1000000)
    cdef uint32_t transit = units - packet.timestamp
    cdef int32_t difference = <int32_t>(transit - layer.transit)
    if layer.has_transit:
        if difference < 0:
            difference = -difference
        if difference < 10 * layer.up.clock_rate:  # a jump of the clock is no jitter
            layer.jitter16 += <uint32_t>difference - ((layer.jitter16 + 8) >> 4)
    layer.transit = transit
    layer.has_transit = True
