# What a publisher of ours sends by: sealed and sent in one call, in a relay's batches but without a relay. The
# interpreter is held meanwhile: a full batch takes 0.06 to 0.1 ms, and to hand over to other threads and
# come back, for each source and tick, cost more.

cdef class Sender:
    """See relay.pyi."""

    def __cinit__(self, int fd, object outbound not None):
        family, listens = adoptable(fd)
        if listens:
            raise ValueError(f"file {fd} is a listening socket: a sender needs a connected UDP socket")
        self._outbound = session_pointer(outbound)
        self._session = outbound
        self._core = <Core*>calloc(1, sizeof(Core))
        if self._core is NULL:
            raise MemoryError
        self._sock = make_socket(fd, family, 0)

    def __dealloc__(self):
        if self._sock is not NULL:
            free_socket(self._sock)
        free(self._core)

    def send(self, list packets not None):
        cdef Totals* totals = &self._core.totals
        cdef uint64_t missed = totals.send_full + totals.send_failed + totals.protect_failed
        cdef bytes packet
        for packet in packets:
            if not RTP_LEAST <= len(packet) <= DATAGRAM_MAX:
                raise ValueError(f"an RTP packet of {len(packet)} octets: {RTP_LEAST} to {DATAGRAM_MAX} are possible")
        for packet in packets:
            if self._sock.queued == BATCH:
                flush(self._core, self._sock)
            self._seal(packet)
        flush(self._core, self._sock)
        return totals.send_full + totals.send_failed + totals.protect_failed - missed

    cdef void _seal(self, bytes packet) noexcept:
        """Encrypt a packet into the batch; one that libsrtp refuses is counted."""
        cdef Socket* sock = self._sock
        cdef uint8_t* room = sock.outgoing_data[sock.queued]
        cdef int size = <int>len(packet)
        memcpy(room, <const uint8_t*><const char*>packet, size)
        if srtp_protect(self._outbound, room, &size) != SRTP_OK:
            self._core.totals.protect_failed += 1
            return
        sock.outgoing_vectors[sock.queued].iov_len = size
        sock.outgoing_to[sock.queued] = &self._connected
        sock.queued += 1
