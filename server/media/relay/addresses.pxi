# Who sent this: peers found by far address, and by the ufrag in a STUN USERNAME (RFC 8489).


cdef object address_of(Endpoint* endpoint):
    """("192.0.2.1", 5000) or ("2001:db8::1", 5000); link-local IPv6 with its interface (%2)."""
    cdef int family = (<uint16_t*>endpoint.sockaddr)[0]
    cdef int port = get16(&endpoint.sockaddr[2])
    cdef uint32_t scope
    if family == AF_INET:
        return (inet_ntop(socket_module.AF_INET, endpoint.sockaddr[4:8]), port)
    host = inet_ntop(socket_module.AF_INET6, endpoint.sockaddr[8:24])
    memcpy(&scope, &endpoint.sockaddr[24], 4)
    return (f"{host}%{scope}" if scope else host, port)


cdef int read_address(Endpoint* endpoint, Socket* socket, object address) except -1:
    """Fill an endpoint from (host, port); ValueError where it does not suit the socket's family."""
    cdef uint32_t scope = 0
    cdef bytes packed
    host, port = address
    if not 0 < port < 65536:
        raise ValueError(f"no port number: {port!r}")
    memset(endpoint, 0, sizeof(Endpoint))
    host, _, interface = host.partition("%")
    try:
        packed = inet_pton(socket.family, host)
        if interface:
            scope = int(interface)
    except OSError as error:
        raise ValueError(f"no numeric address of this socket's family: {host!r}") from error
    (<uint16_t*>endpoint.sockaddr)[0] = socket.family
    put16(&endpoint.sockaddr[2], port)
    if socket.family == AF_INET:
        memcpy(&endpoint.sockaddr[4], <const char*>packed, 4)
        endpoint.length = 16
    else:
        memcpy(&endpoint.sockaddr[8], <const char*>packed, 16)
        memcpy(&endpoint.sockaddr[24], &scope, 4)
        endpoint.length = 28
    endpoint.socket = socket.number
    return 0


cdef inline void normalize(Endpoint* endpoint) noexcept nogil:
    """Zero what the kernel fills but does not tell addresses apart (padding, flow label)."""
    if endpoint.length == 16:
        memset(&endpoint.sockaddr[8], 0, 20)
    else:
        memset(&endpoint.sockaddr[4], 0, 4)


cdef inline uint32_t hash_bytes(const uint8_t* data, int size, uint32_t seed) noexcept nogil:
    """FNV-1a over a random seed, so that nobody can aim at one bucket."""
    cdef uint32_t value = 2166136261u ^ seed
    cdef int i
    for i in range(size):
        value = (value ^ data[i]) * 16777619u
    return value ^ (value >> 15)


cdef inline uint32_t hash_endpoint(Core* core, const Endpoint* endpoint) noexcept nogil:
    return hash_bytes(endpoint.sockaddr, <int>endpoint.length, core.hash_seed + endpoint.socket)


cdef inline bint same_endpoint(const Endpoint* a, const Endpoint* b) noexcept nogil:
    return a.socket == b.socket and a.length == b.length and memcmp(a.sockaddr, b.sockaddr, a.length) == 0


cdef Path* find_path(Core* core, const Endpoint* endpoint) noexcept nogil:
    cdef uint32_t value = hash_endpoint(core, endpoint)
    cdef Path* path = core.paths[value % BUCKETS]
    while path is not NULL and not (path.hash == value and same_endpoint(&path.endpoint, endpoint)):
        path = path.next
    return path


cdef void forget_path(Core* core, Path* path) noexcept nogil:
    """Take a path out of the hash and out of its peer, and free it."""
    cdef Peer* peer = path.peer
    cdef Path** link = &core.paths[path.hash % BUCKETS]
    cdef int i, kept = 0
    while link[0] is not path:
        link = &link[0].next
    link[0] = path.next
    for i in range(peer.path_count):
        if peer.paths[i] is not path:
            peer.paths[kept] = peer.paths[i]
            kept += 1
    peer.path_count = kept
    if peer.aimed is path:
        peer.aimed = NULL
    if path.stream is not NULL:
        path.stream.path = NULL
        end_stream(core, path.stream)
    free(path)


cdef bint remember_path(Core* core, Peer* peer, const Endpoint* endpoint) except -1:
    """Make the address the peer's newest; it is taken from whoever had it, the oldest of nine goes
    (but never the one we send to). False where the TCP connection it stands for has ended."""
    cdef Path* path = find_path(core, endpoint)
    cdef bint was_aimed = path is not NULL and path.peer is peer and peer.aimed is path
    cdef Stream* stream = find_stream(core, endpoint)
    if core.sockets[endpoint.socket].listens and stream is NULL:
        return False
    if path is not NULL:
        path.stream = NULL
        forget_path(core, path)
    if peer.path_count == MAX_PATHS:
        forget_path(core, peer.paths[1] if peer.paths[0] is peer.aimed else peer.paths[0])
    path = <Path*>calloc(1, sizeof(Path))
    if path is NULL:
        raise MemoryError
    path.endpoint = endpoint[0]
    path.peer = peer
    path.stream = stream
    if stream is not NULL:
        stream.path = path
    path.hash = hash_endpoint(core, endpoint)
    path.next = core.paths[path.hash % BUCKETS]
    core.paths[path.hash % BUCKETS] = path
    peer.paths[peer.path_count] = path
    peer.path_count += 1
    if was_aimed:
        peer.aimed = path
    return True


cdef inline Path* way_to(Peer* peer) noexcept nogil:
    """Where to send: the aimed address, else the newest validated one, else NULL."""
    if peer.aimed is not NULL:
        return peer.aimed
    return peer.paths[peer.path_count - 1] if peer.path_count else NULL


cdef Ufrag* find_ufrag(Core* core, const uint8_t* text, int length) noexcept nogil:
    cdef uint32_t value = hash_bytes(text, length, core.hash_seed)
    cdef Ufrag* row = core.ufrags[value % BUCKETS]
    while row is not NULL and not (
        row.hash == value and row.length == length and memcmp(row.text, text, length) == 0
    ):
        row = row.next
    return row


cdef void forget_ufrag(Core* core, Ufrag* row) noexcept nogil:
    cdef Ufrag** link = &core.ufrags[row.hash % BUCKETS]
    while link[0] is not row:
        link = &link[0].next
    link[0] = row.next
    free(row)


cdef int remember_ufrag(Core* core, Peer* peer, bytes text) except -1:
    """Find the peer by this ufrag too; of three the oldest goes."""
    cdef int length = len(text)
    cdef Ufrag* row
    if not 4 <= length <= MAX_UFRAG or b":" in text:
        raise ValueError(f"no ufrag of 4 to {MAX_UFRAG} characters: {text!r}")
    row = find_ufrag(core, <const uint8_t*><const char*>text, length)
    if row is not NULL:
        if row.peer is peer:
            return 0
        raise ValueError(f"another peer has the ufrag {text!r}")
    row = <Ufrag*>calloc(1, sizeof(Ufrag))
    if row is NULL:
        raise MemoryError
    memcpy(row.text, <const char*>text, length)
    row.length = length
    row.peer = peer
    row.hash = hash_bytes(row.text, length, core.hash_seed)
    row.next = core.ufrags[row.hash % BUCKETS]
    core.ufrags[row.hash % BUCKETS] = row
    if peer.ufrag_count == MAX_UFRAGS:
        forget_ufrag(core, peer.ufrags[0])
        peer.ufrags[0] = peer.ufrags[1]
        peer.ufrag_count -= 1
    peer.ufrags[peer.ufrag_count] = row
    peer.ufrag_count += 1
    return 0


cdef Peer* peer_of_stun(Core* core, const uint8_t* data, int size) noexcept nogil:
    """The peer a STUN request names: our ufrag stands before the colon of USERNAME (RFC 8445 7.2.2)."""
    cdef int at = 20, kind, length, colon
    cdef Ufrag* row
    if size < 20 or get32(data + 4) != 0x2112A442u or get16(data + 2) != size - 20:
        return NULL
    while at + 4 <= size:
        kind = get16(data + at)
        length = get16(data + at + 2)
        at += 4
        if at + length > size:
            return NULL
        if kind == 0x0006:
            colon = 0
            while colon < length and data[at + colon] != 0x3A:
                colon += 1
            if colon > MAX_UFRAG:
                return NULL
            row = find_ufrag(core, data + at, colon)
            return row.peer if row is not NULL else NULL
        at += (length + 3) & ~3
    return NULL
