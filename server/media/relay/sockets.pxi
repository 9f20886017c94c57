# Adopted UDP sockets: batches in, batches out.

cdef enum:
    SOCKET_BUFFER = 8 << 20


cdef void widen(int fd, int option, int forced) noexcept nogil:
    """Ask for 8 MiB; beyond the kernel's limit only where we have the right to."""
    cdef int size = SOCKET_BUFFER
    if setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(int)) != 0:
        setsockopt(fd, SOL_SOCKET, option, &size, sizeof(int))


cdef Socket* make_socket(int fd, int family, int number) except NULL:
    cdef Socket* sock = <Socket*>calloc(1, sizeof(Socket))
    cdef int i, one = 1
    if sock is NULL:
        raise MemoryError
    sock.fd = fd
    sock.family = family
    sock.number = number
    widen(fd, SO_RCVBUF, SO_RCVBUFFORCE)
    widen(fd, SO_SNDBUF, SO_SNDBUFFORCE)
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(int))
    for i in range(BATCH):
        sock.incoming_vectors[i].iov_base = sock.incoming_data[i]
        sock.incoming_vectors[i].iov_len = DATAGRAM_MAX + 1
        sock.incoming[i].msg_hdr.msg_iov = &sock.incoming_vectors[i]
        sock.incoming[i].msg_hdr.msg_iovlen = 1
        sock.incoming[i].msg_hdr.msg_name = sock.incoming_from[i].sockaddr
        sock.incoming[i].msg_hdr.msg_control = sock.incoming_control[i]
        sock.outgoing_vectors[i].iov_base = sock.outgoing_data[i]
        sock.outgoing[i].msg_hdr.msg_iov = &sock.outgoing_vectors[i]
        sock.outgoing[i].msg_hdr.msg_iovlen = 1
    return sock


cdef int receive_batch(Socket* sock, int count) noexcept nogil:
    """Read up to `count` datagrams; how many came."""
    cdef int i
    for i in range(count):
        sock.incoming[i].msg_hdr.msg_namelen = 28
        sock.incoming[i].msg_hdr.msg_controllen = 64
    i = recvmmsg(sock.fd, sock.incoming, count, MSG_DONTWAIT, NULL)
    return i if i > 0 else 0


cdef inline int64_t arrival_of(Core* core, msghdr* header) noexcept nogil:
    """Kernel arrival time on the monotonic clock; now where the kernel's stamp makes no sense."""
    cdef int64_t stamp = stamp_of(header)
    if stamp == 0:
        return core.now_ns
    stamp -= core.wall_offset_ns
    if stamp > core.now_ns or stamp < core.now_ns - 2 * SECOND:
        return core.now_ns
    return stamp


cdef inline uint8_t* outgoing(Core* core, Path* path) noexcept nogil:
    """Room for one datagram in the batch of the path's socket (DATAGRAM_ROOM bytes)."""
    cdef Socket* sock = core.sockets[path.endpoint.socket]
    if sock.queued == BATCH:
        flush(core, sock)
    return sock.outgoing_data[sock.queued]


cdef inline void commit(Core* core, Path* path, int size) noexcept nogil:
    """Queue what was written into `outgoing`'s room."""
    cdef Socket* sock = core.sockets[path.endpoint.socket]
    cdef mmsghdr* message = &sock.outgoing[sock.queued]
    sock.outgoing_vectors[sock.queued].iov_len = size
    message.msg_hdr.msg_name = path.endpoint.sockaddr
    message.msg_hdr.msg_namelen = path.endpoint.length
    sock.queued += 1
    path.peer.sent += 1
    core.totals.sent += 1
    core.totals.sent_octets += size


cdef void flush(Core* core, Socket* sock) noexcept nogil:
    """Send the batch. A destination that fails loses its own packet only; where the socket is full
    the rest of the batch is dropped and counted: waiting would hold up everybody."""
    cdef int done = 0, sent
    while done < sock.queued:
        sent = sendmmsg(sock.fd, &sock.outgoing[done], sock.queued - done, MSG_DONTWAIT)
        if sent > 0:
            done += sent
        elif last_errno() == EINTR:
            continue
        elif last_errno() == EAGAIN or last_errno() == ENOBUFS:
            core.totals.send_full += sock.queued - done
            break
        else:
            core.totals.send_failed += 1
            done += 1
    sock.queued = 0


cdef void flush_all(Core* core) noexcept nogil:
    cdef int i
    for i in range(core.socket_count):
        if core.sockets[i].queued:
            flush(core, core.sockets[i])


cdef bint send_now(Core* core, Endpoint* endpoint, const uint8_t* data, size_t size) noexcept nogil:
    """One datagram outside the batches (STUN, DTLS)."""
    cdef Socket* sock = core.sockets[endpoint.socket]
    cdef long sent = sendto(sock.fd, data, size, MSG_DONTWAIT, <sockaddr*>endpoint.sockaddr, endpoint.length)
    if sent < 0:
        core.totals.send_failed += 1
        return False
    core.totals.sent += 1
    core.totals.sent_octets += size
    return True


cdef void send_rtcp_packet(Core* core, Peer* peer, const uint8_t* data, int size) noexcept nogil:
    """Encrypt and queue one compound RTCP packet of at most RTCP_MAX bytes."""
    cdef Path* path = way_to(peer)
    cdef int length = size
    cdef uint8_t* room
    if path is NULL or peer.outbound is NULL:
        return
    room = outgoing(core, path)
    memcpy(room, data, size)
    if srtp_protect_rtcp(peer.outbound, room, &length) != SRTP_OK:
        core.totals.protect_failed += 1
        return
    commit(core, path, length)


cdef inline void look_at_clock(Core* core) noexcept nogil:
    core.now_ns = clock_ns(CLOCK_MONOTONIC)
    core.wall_offset_ns = clock_ns(CLOCK_REALTIME) - core.now_ns
    # 6.18 fixed point seconds (draft-holmer-rmcat-abs-send-time)
    core.abs_send_time = <uint32_t>(((<uint64_t>core.now_ns // 1000) << 18) // 1000000) & 0xFFFFFF
