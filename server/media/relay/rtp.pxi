# An RTP packet's header, read (RFC 3550, 8285) and written.


cdef bint read_packet(uint8_t* data, int size, Packet* packet) noexcept nogil:
    """Fill `packet` from a decrypted packet; False where it is malformed."""
    cdef int at = 12 + 4 * (data[0] & 15), padding
    if size < 12 or size < at:
        return False
    packet.marker = data[1] >> 7
    packet.payload_type = data[1] & 127
    packet.sequence = get16(data + 2)
    packet.timestamp = get32(data + 4)
    packet.ssrc = get32(data + 8)
    packet.recovered = False
    packet.extension_seen = 0
    if data[0] & 0x10:
        at = read_extensions(data, at, size, packet)
        if at < 0:
            return False
    if data[0] & 0x20:
        padding = data[size - 1]
        if padding == 0 or at + padding > size:
            return False
        size -= padding
    packet.payload = data + at
    packet.size = size - at
    return True


cdef int read_extensions(uint8_t* data, int at, int size, Packet* packet) noexcept nogil:
    """Note where each header extension element lies; the payload's offset, or -1."""
    cdef int profile, end, id, length, wide
    if at + 4 > size:
        return -1
    profile = get16(data + at)
    end = at + 4 + 4 * get16(data + at + 2)
    if end > size:
        return -1
    wide = (profile & 0xFFF0) == 0x1000
    at += 4
    if profile != 0xBEDE and not wide:
        return end
    while at < end:
        if data[at] == 0:
            at += 1
            continue
        if wide:
            if at + 2 > end:
                break
            id, length = data[at], data[at + 1]
            at += 2
        else:
            id, length = data[at] >> 4, (data[at] & 15) + 1
            at += 1
            if id == 15:
                break
        if at + length > end:
            break
        if 0 < id < 15:
            packet.extensions[id] = data + at
            packet.extension_sizes[id] = <uint8_t>length
            packet.extension_seen |= 1 << id
        at += length
    return end


cdef inline bint carries(Packet* packet, int id) noexcept nogil:
    return id != 0 and packet.extension_seen >> id & 1


cdef inline bint carries_text(Packet* packet, int id, const uint8_t* text, int length) noexcept nogil:
    return (
        carries(packet, id)
        and packet.extension_sizes[id] == length
        and memcmp(packet.extensions[id], text, length) == 0
    )


cdef int write_extensions(Core* core, Down* down, uint8_t* room, uint8_t level, bint with_mid) noexcept nogil:
    """Our one-byte extension block at `room`; its length, 0 where the slot has nothing to say."""
    cdef int at = 4
    if with_mid and down.mid_id:
        room[at] = <uint8_t>(down.mid_id << 4 | (down.mid_length - 1))
        memcpy(room + at + 1, down.mid, down.mid_length)
        at += 1 + down.mid_length
    if down.abs_send_time_id:
        room[at] = <uint8_t>(down.abs_send_time_id << 4 | 2)
        room[at + 1] = <uint8_t>(core.abs_send_time >> 16)
        put16(room + at + 2, <uint16_t>core.abs_send_time)
        at += 4
    if down.transport_cc_id:
        down.peer.transport_sequence += 1
        room[at] = <uint8_t>(down.transport_cc_id << 4 | 1)
        put16(room + at + 1, <uint16_t>down.peer.transport_sequence)
        at += 3
    if down.audio_level_id and level != 255:
        room[at] = <uint8_t>(down.audio_level_id << 4)
        room[at + 1] = level
        at += 2
    if at == 4:
        return 0
    while at & 3:
        room[at] = 0
        at += 1
    put16(room, 0xBEDE)
    put16(room + 2, <uint16_t>(at // 4 - 1))
    return at


cdef int write_header(Core* core, Down* down, uint8_t* room, uint32_t ssrc, uint8_t payload_type, bint marker,
                      int64_t sequence, uint32_t timestamp, uint8_t level, bint with_mid) noexcept nogil:
    """A slot's RTP header at `room`; its length. RTX always names its MID: Firefox takes no stream by its SSRC
    in the description alone (RFC 8843, 9.2), so that it would neither be repaired nor tell of probes."""
    cdef int extra = write_extensions(core, down, room + 12, level, with_mid)
    room[0] = 0x90 if extra else 0x80
    room[1] = payload_type | (0x80 if marker else 0)
    put16(room + 2, <uint16_t>sequence)
    put32(room + 4, timestamp)
    put32(room + 8, ssrc)
    return 12 + extra
