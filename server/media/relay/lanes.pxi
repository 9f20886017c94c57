# Lanes: viewers' transport-wide feedback comes many hundred times a second and may wait for the next tick, and so
# may a receiver report of one block without anything behind it, and a STUN request while no connection is being
# set up. The kernel sorts them to a second file on the same port, which nobody waits on, so that they wake nobody
# (docs/adr/0015).

cdef enum:
    LANE_FEEDBACK = 0x8FCD  # version 2, form 15, RTPFB: SRTCP leaves both octets readable
    LANE_REPORT = 0x81C9    # version 2, one block, RR
    LANE_REPORT_MOST = 52   # such a report with the longest trailer SRTCP adds; a NACK behind it makes it longer
    LANE_MOST = 4096        # datagrams a tick


cdef int open_lane(Socket* sock, bint checks) except -1:
    """Open the second file. A kernel that cannot sort a port (before Linux 4.5) leaves all on the first."""
    with socket_module.socket(fileno=sock.fd) as first:
        try:
            sock.lane = sorted_file(first, checks)
        except OSError:
            sock.lane = -1
        finally:
            first.detach()
    if sock.lane >= 0:
        widen(sock.lane, SO_RCVBUF, SO_RCVBUFFORCE)
    return 0


cdef int sorted_file(object first, bint checks) except -1:
    """A second file bound to the port of `first`. OSError where that cannot be."""
    second = socket_module.socket(first.family, socket_module.SOCK_DGRAM)
    cdef int one = 1
    try:
        second.setblocking(False)
        for each in (first, second):
            each.setsockopt(socket_module.SOL_SOCKET, socket_module.SO_REUSEPORT, 1)
        if first.family == socket_module.AF_INET6:
            only = first.getsockopt(socket_module.IPPROTO_IPV6, socket_module.IPV6_V6ONLY)
            second.setsockopt(socket_module.IPPROTO_IPV6, socket_module.IPV6_V6ONLY, only)
        second.bind(first.getsockname())
        setsockopt(second.fileno(), SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(int))
        if not sort_port(second.fileno(), LANE_FEEDBACK, LANE_REPORT, LANE_REPORT_MOST, checks):
            raise OSError("the kernel does not sort a port")
    except OSError:
        second.close()
        first.setsockopt(socket_module.SOL_SOCKET, socket_module.SO_REUSEPORT, 0)
        raise
    return second.detach()


cdef void sort_checks(Core* core, bint waits) noexcept nogil:
    """Have STUN requests wait in the lanes too, or come at once."""
    cdef int i
    if core.checks_wait == waits:
        return
    core.checks_wait = waits
    for i in range(core.socket_count):
        if core.sockets[i].lane >= 0:
            sort_port(core.sockets[i].lane, LANE_FEEDBACK, LANE_REPORT, LANE_REPORT_MOST, waits)


cdef void run_lanes(Core* core) noexcept nogil:
    """Read what waits in every lane: any datagram is welcome there, it only comes later."""
    cdef Socket* sock
    cdef int i, k, came_now, done
    for k in range(core.socket_count):
        sock = core.sockets[k]
        done = 0
        while sock.lane >= 0 and done < LANE_MOST:
            came_now = receive_batch(sock, sock.lane, BATCH)
            for i in range(came_now):
                dispatch(core, sock, i)
            done += came_now
            if came_now < BATCH:
                break
    fan_out_all(core)
