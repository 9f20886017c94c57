# TCP peers (RFC 6544, passive): connections accepted on the worker's port, frames in and out (RFC 4571).
#
# A connection is one path of one peer. Nothing here waits: what a peer does not take is kept in two bounded
# outlets, sound before video; a frame of video goes whole or not at all, and who takes nothing is closed.


cdef int make_listener(Core* core, Socket* sock) except -1:
    """Watch a listening TCP socket and all it will accept with one epoll."""
    cdef epoll_event event
    if core.stream_data is NULL:
        core.stream_data = <uint8_t*>malloc(FRAME_ROOM + STREAM_READ + DATAGRAM_ROOM)
    if core.stream_data is NULL:
        raise MemoryError
    sock.listens = True
    sock.epoll = epoll_create1(EPOLL_CLOEXEC)
    event.events = EPOLLIN
    event.data.ptr = NULL
    if sock.epoll < 0 or epoll_ctl(sock.epoll, EPOLL_CTL_ADD, sock.fd, &event) != 0:
        raise OSError("the listening socket cannot be watched")
    return 0


cdef void watch(Stream* stream, bint writable) noexcept nogil:
    cdef epoll_event event
    event.events = EPOLLIN | (EPOLLOUT if writable else 0)
    event.data.ptr = stream
    stream.blocked = writable
    epoll_ctl(stream.listener.epoll, EPOLL_CTL_MOD, stream.fd, &event)


cdef void listen_again(Socket* sock, bint listening) noexcept nogil:
    cdef epoll_event event
    event.events = EPOLLIN if listening else 0
    event.data.ptr = NULL
    epoll_ctl(sock.epoll, EPOLL_CTL_MOD, sock.fd, &event)


# -- their life


cdef Stream* find_stream(Core* core, const Endpoint* endpoint) noexcept nogil:
    """The living connection from this address, NULL where there is none (always for UDP)."""
    cdef Path* path
    cdef int i
    if not core.sockets[endpoint.socket].listens:
        return NULL
    path = find_path(core, endpoint)
    if path is not NULL:
        return NULL if path.stream is NULL or path.stream.dead else path.stream
    for i in range(core.stream_count):
        if same_endpoint(&core.streams[i].endpoint, endpoint) and not core.streams[i].dead:
            return core.streams[i]
    return NULL


cdef void end_stream(Core* core, Stream* stream) noexcept nogil:
    """It is closed as soon as nobody works on it."""
    if not stream.dead:
        stream.dead = True
        core.dead_streams += 1


cdef void reap_streams(Core* core) noexcept nogil:
    cdef int i = core.stream_count
    cdef Stream* stream
    if core.dead_streams == 0:
        return
    flush_streams(core)  # it may hold dead ones in its list
    while i > 0:
        i -= 1
        stream = core.streams[i]
        if stream.dead:
            core.stream_count -= 1
            core.streams[i] = core.streams[core.stream_count]
            core.streams[i].index = i
            free_stream(core, stream)
    core.dead_streams = 0


cdef void free_stream(Core* core, Stream* stream) noexcept nogil:
    cdef Path* path = stream.path
    if path is not NULL:
        path.stream = NULL
        forget_path(core, path)
    close(stream.fd)
    core.waiting_octets -= waiting(&stream.urgent) + waiting(&stream.video)
    free(stream.urgent.data)
    free(stream.video.data)
    free(stream)
    core.totals.streams_closed += 1


cdef void free_core(Core* core) noexcept nogil:
    """Sockets, connections and what is left of a relay whose tables are empty."""
    cdef int i
    for i in range(core.stream_count):
        end_stream(core, core.streams[i])
    reap_streams(core)
    for i in range(core.socket_count):
        free_socket(core.sockets[i])
    free(core.stream_data)
    free(core.event_data)
    free(core)


cdef inline bint same_net(const Endpoint* a, const Endpoint* b) noexcept nogil:
    """One IPv4 address or one IPv6 /64: what one household or school has."""
    if a.length != b.length:
        return False
    if a.length == 16:
        return memcmp(&a.sockaddr[4], &b.sockaddr[4], 4) == 0
    return memcmp(&a.sockaddr[8], &b.sockaddr[8], 8) == 0


cdef bint may_open(Core* core, const Endpoint* source) noexcept nogil:
    """Whether one more unproven connection is bearable; the oldest of all gives way where there are many."""
    cdef int i, all_open = 0, theirs = 0
    cdef Stream* each
    cdef Stream* oldest = NULL
    for i in range(core.stream_count):
        each = core.streams[i]
        if each.path is NULL and not each.dead:
            all_open += 1
            theirs += same_net(&each.endpoint, source)
            if oldest is NULL or each.opened_ns < oldest.opened_ns:
                oldest = each
    if theirs >= HALF_OPEN_EACH or core.stream_count == MAX_STREAMS:
        return False
    if all_open >= MAX_HALF_OPEN:
        end_stream(core, oldest)
    return True


cdef bint add_stream(Core* core, Socket* sock, int fd, const Endpoint* source) noexcept nogil:
    cdef epoll_event event
    cdef int one = 1, unsent = 32 << 10, patience_ms = STALLED_S * 1000
    cdef Stream* stream = <Stream*>calloc(1, sizeof(Stream))
    if stream is NULL:
        return False
    stream.fd = fd
    stream.listener = sock
    stream.endpoint = source[0]
    stream.opened_ns = stream.moved_ns = core.now_ns
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(int))
    # What waits should wait here, where sound overtakes video, not in the kernel.
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(int))
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof(int))
    event.events = EPOLLIN
    event.data.ptr = stream
    if epoll_ctl(sock.epoll, EPOLL_CTL_ADD, fd, &event) != 0:
        free(stream)
        return False
    stream.index = core.stream_count
    core.streams[core.stream_count] = stream
    core.stream_count += 1
    core.totals.streams_accepted += 1
    return True


cdef void accept_streams(Core* core, Socket* sock) noexcept nogil:
    cdef Endpoint source
    cdef int i, fd, error
    for i in range(BATCH):
        memset(&source, 0, sizeof(Endpoint))
        source.length = 28
        fd = accept4(sock.fd, <sockaddr*>source.sockaddr, &source.length, SOCK_NONBLOCK | SOCK_CLOEXEC)
        if fd < 0:
            error = last_errno()
            if error == EMFILE or error == ENFILE or error == ENOMEM:
                sock.deaf_until_ns = core.now_ns + SECOND  # else epoll would tell of it without end
                listen_again(sock, False)
            return
        source.socket = sock.number
        normalize(&source)
        if not may_open(core, &source) or not add_stream(core, sock, fd, &source):
            core.totals.streams_refused += 1
            close(fd)


cdef void watch_streams(Core* core) noexcept nogil:
    """Close whom nobody should wait for; four times a second."""
    cdef int i
    cdef Stream* stream
    cdef int64_t age
    if core.now_ns - core.streams_watched_ns < SECOND // 4:
        return
    core.streams_watched_ns = core.now_ns
    for i in range(core.socket_count):
        if core.sockets[i].deaf_until_ns and core.now_ns > core.sockets[i].deaf_until_ns:
            core.sockets[i].deaf_until_ns = 0
            listen_again(core.sockets[i], True)
    for i in range(core.stream_count):
        stream = core.streams[i]
        age = core.now_ns - stream.opened_ns
        if stream.path is NULL and age > (PROVE_S if stream.named else FIRST_MESSAGE_S) * SECOND:
            core.totals.streams_refused += 1
            end_stream(core, stream)
        elif stream.blocked and core.now_ns - stream.moved_ns > STALLED_S * SECOND:
            core.totals.streams_stalled += 1
            end_stream(core, stream)
    reap_streams(core)


# -- in


cdef int read_stream(Core* core, Stream* stream) noexcept nogil:
    """Read once and pass on every whole frame; how many there were."""
    cdef uint8_t* data = core.stream_data
    cdef uint8_t* room = data + FRAME_ROOM + STREAM_READ
    cdef int at = 0, size, done = 0
    cdef long came
    memcpy(data, stream.partial, stream.partial_size)
    came = recv(stream.fd, data + stream.partial_size, STREAM_READ, MSG_DONTWAIT)
    if came <= 0:
        if came == 0 or (last_errno() != EAGAIN and last_errno() != EINTR):
            end_stream(core, stream)
        return 0
    came += stream.partial_size
    while came - at >= 2 and not stream.dead:
        size = get16(data + at)
        if size > DATAGRAM_MAX:
            core.totals.dropped_oversized += 1
            end_stream(core, stream)
            break
        if came - at - 2 < size:
            break
        if size:
            memcpy(room, data + at + 2, size)  # aligned, and with room behind it, as a datagram has
            dispatch_frame(core, stream, room, size)
            done += 1
        at += 2 + size
    stream.partial_size = 0 if stream.dead else <int>came - at
    memcpy(stream.partial, data + at, stream.partial_size)
    return done


cdef int run_streams(Core* core, Socket* sock, int budget) noexcept nogil:
    """Accept, read and forward until nothing is ready or the budget is spent; how many frames came."""
    cdef epoll_event events[BATCH]
    cdef int done = 0, count = BATCH, i
    cdef Stream* stream
    while done < budget and count == BATCH:
        look_at_clock(core)
        count = epoll_wait(sock.epoll, events, BATCH, 0)
        for i in range(count):
            stream = <Stream*>events[i].data.ptr
            if stream is NULL:
                accept_streams(core, sock)
                continue
            if events[i].events & EPOLLOUT and not stream.dead:
                write_stream(core, stream)
            if events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP) and not stream.dead:
                done += 1 + read_stream(core, stream)
        fan_out_all(core)
        flush_all(core)
        reap_streams(core)
    return done


# -- out


cdef inline size_t waiting(const Outlet* outlet) noexcept nogil:
    return outlet.end - outlet.start


cdef inline bint is_full(Core* core, Stream* stream) noexcept nogil:
    """Whether more video should not begin to wait for this peer."""
    return waiting(&stream.video) > VIDEO_START or core.waiting_octets > WAITING_MOST


cdef bint refuses(Core* core, Stream* stream, Down* down, uint32_t timestamp) noexcept nogil:
    """Whether a slot's packet must be dropped: a frame of video that cannot begin is dropped to its end."""
    if not down.video:
        return waiting(&stream.urgent) > URGENT_MOST - 2 * FRAME_ROOM
    if down.last_out >= 0 and <int32_t>(timestamp - down.frame_timestamp) < 0:
        return is_full(core, stream)  # repaired, of a frame that has gone by
    if down.last_out < 0 or timestamp != down.frame_timestamp:
        down.frame_timestamp = timestamp
        down.frame_refused = is_full(core, stream)
    elif waiting(&stream.video) > VIDEO_MOST - 2 * FRAME_ROOM:
        down.frame_refused = True
    return down.frame_refused


cdef bint make_outlet_room(Outlet* outlet, size_t size) noexcept nogil:
    cdef size_t wanted = outlet.room
    cdef uint8_t* wider
    if outlet.start == outlet.end and outlet.start:
        outlet.start = outlet.end = 0
    if outlet.end + size <= outlet.room:
        return True
    if outlet.start:
        memmove(outlet.data, outlet.data + outlet.start, outlet.end - outlet.start)
        outlet.end -= outlet.start
        outlet.start = 0
    while outlet.end + size > wanted:
        wanted = wanted * 2 if wanted else 4 * FRAME_ROOM
    if wanted != outlet.room:
        wider = <uint8_t*>realloc(outlet.data, wanted)
        if wider is NULL:
            return False
        outlet.data = wider
        outlet.room = wanted
    return True


cdef bint queue_frame(Core* core, Stream* stream, Outlet* outlet, const uint8_t* data, size_t size) noexcept nogil:
    """Append one frame; `flush_all` writes it. False, and counted, where its outlet is full."""
    cdef size_t most = VIDEO_MOST if outlet is &stream.video else URGENT_MOST
    if stream.dead:
        return False
    if waiting(outlet) + size + 2 > most or not make_outlet_room(outlet, size + 2):
        core.totals.stream_dropped += 1
        return False
    put16(outlet.data + outlet.end, <uint16_t>size)
    memcpy(outlet.data + outlet.end + 2, data, size)
    outlet.end += size + 2
    core.waiting_octets += size + 2
    if not stream.dirty and not stream.blocked:
        stream.dirty = True
        stream.next_dirty = core.dirty
        core.dirty = stream
    return True


cdef bint send_frame(Core* core, const Endpoint* endpoint, const uint8_t* data, size_t size) noexcept nogil:
    """STUN or DTLS to a TCP peer, at once."""
    cdef Stream* stream = find_stream(core, endpoint)
    if stream is NULL or not queue_frame(core, stream, &stream.urgent, data, size):
        return False
    flush_streams(core)
    return True


cdef void consume(Core* core, Outlet* outlet, size_t size) noexcept nogil:
    """These octets were written: remember where the next whole frame begins."""
    cdef size_t step
    core.waiting_octets -= size
    while size:
        if outlet.owed == 0:
            outlet.owed = 2 + get16(outlet.data + outlet.start)
        step = min(size, outlet.owed)
        outlet.owed -= step
        outlet.start += step
        size -= step
    if outlet.start == outlet.end and outlet.room > 64 << 10:
        free(outlet.data)
        memset(outlet, 0, sizeof(Outlet))


cdef void write_stream(Core* core, Stream* stream) noexcept nogil:
    """Write what waits: the frame that was begun, then sound and reports, then video."""
    cdef Outlet* outlet
    cdef size_t size
    cdef long sent
    while waiting(&stream.urgent) + waiting(&stream.video):
        outlet = &stream.video
        size = waiting(outlet)
        if waiting(&stream.urgent):
            if outlet.owed:
                size = outlet.owed
            else:
                outlet = &stream.urgent
                size = waiting(outlet)
        sent = send(stream.fd, outlet.data + outlet.start, size, MSG_DONTWAIT | MSG_NOSIGNAL)
        if sent < 0 and last_errno() == EINTR:
            continue
        if sent < 0 and last_errno() != EAGAIN:
            end_stream(core, stream)
            return
        if sent > 0:
            consume(core, outlet, sent)
            stream.moved_ns = core.now_ns
        if sent < <long>size:
            if not stream.blocked:
                stream.moved_ns = core.now_ns
                watch(stream, True)
            return
    if stream.blocked:
        watch(stream, False)


cdef void flush_streams(Core* core) noexcept nogil:
    """Write for everybody something was queued for: one call for all of a batch."""
    cdef Stream* stream = core.dirty
    core.dirty = NULL
    while stream is not NULL:
        stream.dirty = False
        if not stream.dead and not stream.blocked:
            write_stream(core, stream)
        stream = stream.next_dirty
