# RED's blocks (RFC 2198): Opus packets that carry those before them again. Each block but the last has a head of
# four octets: payload type, how much earlier it is (14 bits), its length (10).

cdef int red_primary(const uint8_t* payload, int size) noexcept nogil:
    """Offset of the primary block's data, -1 where the packet is no RED."""
    cdef int at = 0, before = 0
    while at < size and payload[at] & 0x80:
        if at + 4 > size:
            return -1
        before += ((payload[at + 2] & 3) << 8) | payload[at + 3]
        at += 4
    if at >= size or at + 1 + before > size:
        return -1
    return at + 1 + before


cdef struct RedBlock:
    const uint8_t* data
    int size
    uint32_t earlier    # timestamp offset behind the packet's own


cdef int red_blocks(const uint8_t* payload, int size, RedBlock* blocks, int most) noexcept nogil:
    """The redundant blocks, oldest first, of a packet that `red_primary` accepted; how many."""
    cdef int at = 0, count = 0, i
    cdef const uint8_t* data
    while payload[at] & 0x80:
        if count < most:
            blocks[count].earlier = get16(payload + at + 1) >> 2
            blocks[count].size = ((payload[at + 2] & 3) << 8) | payload[at + 3]
            count += 1
        at += 4
    data = payload + at + 1
    for i in range(count):
        blocks[i].data = data
        data += blocks[i].size
    return count


cdef void rename_red(uint8_t* payload, uint8_t payload_type) noexcept nogil:
    """Write the viewer's Opus payload type into every block header (of an accepted packet)."""
    cdef int at = 0
    while payload[at] & 0x80:
        payload[at] = 0x80 | payload_type
        at += 4
    payload[at] = payload_type


cdef int write_red(uint8_t* room, Ring* ring, Stored* row, uint8_t payload_type, int depth) noexcept nogil:
    """The row's Opus packet and those before it, `depth` at most, oldest first: as many as are there, as long as
    the whole stays a datagram. Its size."""
    cdef Stored* blocks[MAX_REDUNDANCY]
    cdef Stored* before
    cdef int count = 0, at = 0, back, size, whole = row.size - row.primary
    cdef uint32_t earlier
    for back in range(1, depth + 1):
        before = find_stored(ring, row.sequence - back)
        if before is NULL or before.flags & PADDING:
            continue
        size = before.size - before.primary
        earlier = row.timestamp - before.timestamp
        if size == 0 or size > 0x3FF or earlier == 0 or earlier > 0x3FFF or whole + size > RED_MAX:
            break
        blocks[count] = before
        count += 1
        whole += size
    for back in range(count - 1, -1, -1):
        before = blocks[back]
        put32(room + at, 0x80000000u | <uint32_t>payload_type << 24 | (row.timestamp - before.timestamp) << 10
              | <uint32_t>(before.size - before.primary))
        at += 4
    room[at] = payload_type
    at += 1
    for back in range(count - 1, -1, -1):
        before = blocks[back]
        size = before.size - before.primary
        memcpy(room + at, payload_of(ring, before) + before.primary, size)
        at += size
    size = row.size - row.primary
    memcpy(room + at, payload_of(ring, row) + row.primary, size)
    return at + size
