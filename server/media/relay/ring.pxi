# A layer's ring: every packet stored once, found by its number, overwritten by the newest.

cdef enum:
    RING_LEAST = 16 << 10
    RING_MOST = 64 << 20


cdef int make_ring(Ring* ring, int size, bint keep_gop) except -1:
    """An arena of `size` bytes and an index for packets of 512 (keep_gop: 256) bytes on average."""
    cdef uint32_t rows = 256
    cdef uint32_t wanted
    if not RING_LEAST <= size <= RING_MOST:
        raise ValueError(f"a ring of {size} bytes: {RING_LEAST} to {RING_MOST} are possible")
    wanted = size // (256 if keep_gop else 512)
    while rows < wanted:
        rows *= 2
    ring.capacity = size
    ring.mask = rows - 1
    ring.arena = <uint8_t*>malloc(size)
    ring.rows = <Stored*>calloc(rows, sizeof(Stored))
    if ring.arena is NULL or ring.rows is NULL:
        raise MemoryError
    clear_ring(ring)
    return 0


cdef void clear_ring(Ring* ring) noexcept nogil:
    cdef uint32_t i
    for i in range(ring.mask + 1):
        ring.rows[i].sequence = -1


cdef void free_ring(Ring* ring) noexcept nogil:
    free(ring.arena)
    free(ring.rows)


cdef inline Stored* find_stored(Ring* ring, int64_t sequence) noexcept nogil:
    """The packet of this number, NULL where it never came or was overwritten."""
    cdef Stored* row = &ring.rows[<uint64_t>sequence & ring.mask]
    if row.sequence != sequence or row.position + ring.capacity < ring.head:
        return NULL
    return row


cdef inline bint came(Ring* ring, int64_t sequence) noexcept nogil:
    return ring.rows[<uint64_t>sequence & ring.mask].sequence == sequence


cdef inline uint8_t* payload_of(Ring* ring, Stored* row) noexcept nogil:
    return ring.arena + row.position % ring.capacity


cdef Stored* store(Ring* ring, int64_t sequence, const uint8_t* payload, int size) noexcept nogil:
    """Copy a payload into the arena, in one piece; its row, to be filled further."""
    cdef Stored* row = &ring.rows[<uint64_t>sequence & ring.mask]
    cdef uint64_t offset = ring.head % ring.capacity
    if offset + size > ring.capacity:
        ring.head += ring.capacity - offset
    row.sequence = sequence
    row.position = ring.head
    row.size = <uint16_t>size
    row.primary = 0
    row.flags = 0
    memcpy(ring.arena + ring.head % ring.capacity, payload, size)
    ring.head += size
    return row
