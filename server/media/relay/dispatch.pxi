# A datagram's way in: what it is and whose (RFC 7983).


cdef void dispatch(Core* core, Socket* sock, int index) noexcept nogil:
    """One datagram to whom its first octet and its address say (RFC 7983)."""
    cdef mmsghdr* message = &sock.incoming[index]
    cdef uint8_t* data = sock.incoming_data[index]
    cdef Endpoint* source = &sock.incoming_from[index]
    cdef int size = <int>message.msg_len
    core.totals.received += 1
    core.totals.received_octets += size
    if message.msg_hdr.msg_flags & MSG_TRUNC or size > DATAGRAM_MAX:
        core.totals.dropped_oversized += 1
        return
    source.length = message.msg_hdr.msg_namelen
    source.socket = sock.number
    normalize(source)
    if size < 1:
        core.totals.dropped_unknown_protocol += 1
    elif data[0] < 4:
        dispatch_stun(core, data, size, source)
    else:
        dispatch_known(core, find_path(core, source), data, size, arrival_of(core, &message.msg_hdr))


cdef void dispatch_frame(Core* core, Stream* stream, uint8_t* data, int size) noexcept nogil:
    """One frame of a TCP connection, the same way. The first must be a STUN request that names a peer:
    whoever says anything else is no ICE agent, and the connection ends."""
    core.totals.received += 1
    core.totals.received_octets += size
    if not stream.named:
        stream.named = data[0] < 4 and peer_of_stun(core, data, size) is not NULL
    if not stream.named:
        core.totals.streams_refused += 1
        end_stream(core, stream)
    elif data[0] < 4:
        dispatch_stun(core, data, size, &stream.endpoint)
    else:
        dispatch_known(core, stream.path, data, size, core.now_ns)


cdef inline void dispatch_known(Core* core, Path* path, uint8_t* data, int size, int64_t arrival_ns) noexcept nogil:
    if path is NULL:
        core.totals.dropped_unknown_address += 1
    else:
        dispatch_peer(core, path.peer, data, size, arrival_ns, &path.endpoint)


cdef inline void dispatch_stun(Core* core, uint8_t* data, int size, Endpoint* source) noexcept nogil:
    cdef Peer* peer = peer_of_stun(core, data, size)
    if peer is NULL:
        core.totals.dropped_unknown_ufrag += 1
    else:
        note(core, STUN, peer.handle, data, size, source, source.socket)


cdef inline void dispatch_peer(Core* core, Peer* peer, uint8_t* data, int size, int64_t arrival_ns,
                               Endpoint* source) noexcept nogil:
    if 20 <= data[0] <= 63:
        note(core, DTLS, peer.handle, data, size, source, source.socket)
    elif not 128 <= data[0] <= 191:
        core.totals.dropped_unknown_protocol += 1
    elif peer.inbound is NULL:
        core.totals.dropped_insecure += 1
    elif size >= 2 and 192 <= data[1] <= 223:
        receive_rtcp(core, peer, data, size, arrival_ns)
    else:
        receive_rtp(core, peer, data, size, arrival_ns)


cdef int run_batches(Core* core, Socket* sock, int budget) noexcept nogil:
    """Read and forward until the socket is empty or the budget is spent; how many came."""
    cdef int done = 0, wanted, came_now, i
    cdef bint waited = False
    look_at_clock(core)
    while done < budget:
        wanted = min(budget - done, <int>BATCH)
        came_now = receive_batch(sock, sock.fd, wanted)
        for i in range(came_now):
            dispatch(core, sock, i)
        done += came_now
        if came_now < wanted and not waited and picture_is_open(core):
            waited = True
            pause(GATHER_US)
            core.now_ns = clock_ns(CLOCK_MONOTONIC)
            continue
        fan_out_all(core)
        flush_all(core)
        if came_now < wanted:
            break
        core.now_ns = clock_ns(CLOCK_MONOTONIC)
    return done
