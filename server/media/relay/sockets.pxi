# Adopted UDP sockets: batches in, batches out. What goes to a TCP peer is handed to streams.pxi.

cdef enum:
    SOCKET_BUFFER = 8 << 20


cdef void widen(int fd, int option, int forced) noexcept nogil:
    """Ask for 8 MiB; beyond the kernel's limit only where we have the right to."""
    cdef int size = SOCKET_BUFFER
    if setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(int)) != 0:
        setsockopt(fd, SOL_SOCKET, option, &size, sizeof(int))


cdef tuple adoptable(int fd):
    """Family, and whether it is a listening TCP socket; ValueError where it is no socket for us."""
    with socket_module.socket(fileno=fd) as found:
        family, kind = found.family, found.type
        listens = bool(found.getsockopt(socket_module.SOL_SOCKET, socket_module.SO_ACCEPTCONN))
        found.detach()
    if family not in (socket_module.AF_INET, socket_module.AF_INET6) or (
        kind != socket_module.SOCK_DGRAM and not listens
    ):
        raise ValueError(f"file {fd} is no UDP socket and no listening TCP socket")
    return family, listens


cdef Socket* make_socket(int fd, int family, int number) except NULL:
    cdef Socket* sock = <Socket*>calloc(1, sizeof(Socket))
    cdef int i, one = 1
    if sock is NULL:
        raise MemoryError
    sock.fd = fd
    sock.lane = -1
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
    sock.segments = has_segments(fd)
    return sock


cdef void free_socket(Socket* sock) noexcept nogil:
    """The file itself stays its maker's."""
    if sock.listens:
        close(sock.epoll)
    if sock.lane >= 0:
        close(sock.lane)
    free(sock)


cdef int receive_batch(Socket* sock, int fd, int count) noexcept nogil:
    """Read up to `count` datagrams of the socket's file or its lane's; how many came."""
    cdef int i
    for i in range(count):
        sock.incoming[i].msg_hdr.msg_namelen = 28
        sock.incoming[i].msg_hdr.msg_controllen = 64
    i = recvmmsg(fd, sock.incoming, count, MSG_DONTWAIT, NULL)
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


cdef inline void keep_together(Core* core, Path* path, int count) noexcept nogil:
    """Send the batch now where `count` datagrams to one viewer would not fit: a run is not cut in two."""
    cdef Socket* sock
    if path is not NULL:
        sock = core.sockets[path.endpoint.socket]
        if sock.queued + count > BATCH:
            flush(core, sock)


cdef inline void commit(Core* core, Path* path, int size) noexcept nogil:
    """Queue what was written into `outgoing`'s room."""
    cdef Socket* sock = core.sockets[path.endpoint.socket]
    path.peer.sent += 1
    path.peer.sent_octets += size
    core.totals.sent += 1
    core.totals.sent_octets += size
    if path.stream is not NULL:
        queue_frame(core, path.stream, &path.stream.urgent, sock.outgoing_data[0], size)
        return
    sock.outgoing_vectors[sock.queued].iov_len = size
    sock.outgoing_to[sock.queued] = &path.endpoint
    sock.queued += 1


cdef inline void commit_video(Core* core, Path* path, int size) noexcept nogil:
    """The same for a packet that sound does not wait for."""
    if path.stream is NULL:
        commit(core, path, size)
        return
    path.peer.sent += 1
    core.totals.sent += 1
    core.totals.sent_octets += size
    queue_frame(core, path.stream, &path.stream.video, core.sockets[path.endpoint.socket].outgoing_data[0], size)


cdef int run_length(Socket* sock, int first) noexcept nogil:
    """How many queued datagrams from `first` on may go as one: to one address, equally long, the last
    one perhaps shorter."""
    cdef size_t size = sock.outgoing_vectors[first].iov_len
    cdef int end = first + 1
    if not sock.segments:
        return 1
    while (
        end < sock.queued
        and sock.outgoing_to[end] is sock.outgoing_to[first]
        and sock.outgoing_vectors[end].iov_len <= size
        and (end - first + 1) * size < 65000
    ):
        end += 1
        if sock.outgoing_vectors[end - 1].iov_len < size:
            break
    return end - first


cdef int gather(Socket* sock) noexcept nogil:
    """Make messages of the queued datagrams, a run of equal ones to one address in one; how many."""
    cdef int first = 0, count = 0, length
    cdef msghdr* header
    while first < sock.queued:
        length = run_length(sock, first)
        header = &sock.outgoing[count].msg_hdr
        header.msg_name = sock.outgoing_to[first].sockaddr
        header.msg_namelen = sock.outgoing_to[first].length
        header.msg_iov = &sock.outgoing_vectors[first]
        header.msg_iovlen = length
        header.msg_control = NULL
        header.msg_controllen = 0
        if length > 1:
            set_segment(header, sock.outgoing_control[count], <uint16_t>sock.outgoing_vectors[first].iov_len)
        first += length
        count += 1
    return count


cdef void send_singly(Core* core, Socket* sock, msghdr* header) noexcept nogil:
    """A run the kernel refused, datagram by datagram; where that works the socket sends no more runs."""
    cdef size_t i
    cdef sockaddr* to = <sockaddr*>header.msg_name if header.msg_namelen else NULL  # NULL: connected
    for i in range(header.msg_iovlen):
        if sendto(sock.fd, header.msg_iov[i].iov_base, header.msg_iov[i].iov_len, MSG_DONTWAIT,
                  to, header.msg_namelen) < 0:
            core.totals.send_failed += 1
        else:
            sock.segments = False


cdef void flush(Core* core, Socket* sock) noexcept nogil:
    """Send the batch. A destination that fails loses its own packets only; where the socket is full
    the rest of the batch is dropped and counted: waiting would hold up everybody."""
    cdef int done = 0, count = gather(sock), sent, i
    while done < count:
        sent = sendmmsg(sock.fd, &sock.outgoing[done], count - done, MSG_DONTWAIT)
        if sent > 0:
            done += sent
        elif last_errno() == EINTR:
            continue
        elif last_errno() == EAGAIN or last_errno() == ENOBUFS:
            for i in range(done, count):
                core.totals.send_full += sock.outgoing[i].msg_hdr.msg_iovlen
            break
        else:
            if sock.outgoing[done].msg_hdr.msg_iovlen > 1:
                send_singly(core, sock, &sock.outgoing[done].msg_hdr)
            else:
                core.totals.send_failed += 1
            done += 1
    sock.queued = 0


cdef void flush_all(Core* core) noexcept nogil:
    cdef int i
    for i in range(core.socket_count):
        if core.sockets[i].queued:
            flush(core, core.sockets[i])
    flush_streams(core)


cdef bint send_now(Core* core, Endpoint* endpoint, const uint8_t* data, size_t size) noexcept nogil:
    """One datagram outside the batches (STUN, DTLS)."""
    cdef Socket* sock = core.sockets[endpoint.socket]
    if sock.listens:
        if not send_frame(core, endpoint, data, size):
            core.totals.send_failed += 1
            return False
    elif sendto(sock.fd, data, size, MSG_DONTWAIT, <sockaddr*>endpoint.sockaddr, endpoint.length) < 0:
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
