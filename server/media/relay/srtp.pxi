# libsrtp, called inside pylibsrtp's wheel: C function pointers, no GIL, no header of its own.

ctypedef int (*srtp_call)(void* session, void* packet, int* length) noexcept nogil

cdef enum:
    SRTP_OK = 0
    SRTP_REPLAYED = 9
    SRTP_TOO_OLD = 10

cdef srtp_call srtp_protect = NULL
cdef srtp_call srtp_unprotect = NULL
cdef srtp_call srtp_protect_rtcp = NULL
cdef srtp_call srtp_unprotect_rtcp = NULL

SRTP_CALLS = ("srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp")
SRTP_C_TYPE = "srtp_err_status_t(*)(struct srtp_ctx_t_ *, void *, int *)"


def check_libsrtp():
    """Raise ImportError with words where pylibsrtp's private names or C types are not as pinned."""
    try:
        from pylibsrtp import Policy, Session, _binding
        ffi, lib = _binding.ffi, _binding.lib
        found = [ffi.typeof(getattr(lib, name)).cname for name in SRTP_CALLS]
        session = Session(Policy(key=bytes(30), ssrc_type=Policy.SSRC_ANY_OUTBOUND))._srtp
        kind = ffi.typeof(session).cname
    except (ImportError, AttributeError) as error:
        raise ImportError(
            f"the relay calls the libsrtp inside pylibsrtp 1.0.0, but this pylibsrtp differs: {error}"
        ) from error
    if any(name != SRTP_C_TYPE for name in found) or kind != "struct srtp_ctx_t_ * *":
        raise ImportError(
            f"the relay calls the libsrtp inside pylibsrtp 1.0.0, but here its C types are {found} and {kind!r}"
        )


cdef srtp_call call_named(str name) except NULL:
    from pylibsrtp._binding import ffi, lib
    return <srtp_call><uintptr_t>int(ffi.cast("uintptr_t", ffi.addressof(lib, name)))


cdef void* session_pointer(object session) except NULL:
    from pylibsrtp._binding import ffi
    return <void*><uintptr_t>int(ffi.cast("uintptr_t", session._srtp[0]))


cdef void bind_libsrtp() except *:
    global srtp_protect, srtp_unprotect, srtp_protect_rtcp, srtp_unprotect_rtcp
    check_libsrtp()
    srtp_protect = call_named("srtp_protect")
    srtp_unprotect = call_named("srtp_unprotect")
    srtp_protect_rtcp = call_named("srtp_protect_rtcp")
    srtp_unprotect_rtcp = call_named("srtp_unprotect_rtcp")


bind_libsrtp()


cdef bint decrypt(Core* core, Peer* peer, srtp_call call, uint8_t* data, int* size) noexcept nogil:
    """Decrypt in place; False (and counted) where the packet does not authenticate or came before."""
    cdef int status = call(peer.inbound, data, size)
    if status == SRTP_OK:
        peer.heard_ns = core.now_ns
        peer.received += 1
        return True
    if status == SRTP_REPLAYED or status == SRTP_TOO_OLD:
        peer.replayed += 1
        core.totals.dropped_replayed += 1
    else:
        peer.srtp_failures += 1
        core.totals.dropped_srtp += 1
    return False


cdef SsrcRow* find_ssrc(Peer* peer, uint32_t ssrc) noexcept nogil:
    cdef int i
    for i in range(peer.ssrc_count):
        if peer.ssrcs[i].ssrc == ssrc:
            return &peer.ssrcs[i]
    return NULL


cdef SsrcRow* admit_ssrc(Peer* peer, uint32_t ssrc) noexcept nogil:
    """Remember an SSRC that authenticated: libsrtp keeps a stream for each, so their number is bounded."""
    cdef SsrcRow* row = find_ssrc(peer, ssrc)
    if row is NULL and peer.ssrc_count < MAX_SSRCS:
        row = &peer.ssrcs[peer.ssrc_count]
        memset(row, 0, sizeof(SsrcRow))
        row.ssrc = ssrc
        peer.ssrc_count += 1
    return row


cdef inline bint may_admit(Peer* peer, uint32_t ssrc) noexcept nogil:
    return peer.ssrc_count < MAX_SSRCS or find_ssrc(peer, ssrc) is not NULL
