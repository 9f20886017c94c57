# What payloads say about themselves: keyframes (H.264, RFC 6184; VP8, RFC 7741; VP9, RFC 9628; AV1, "RTP Payload
# Format For AV1" 1.0). Spatial layers of VP9 and AV1 are not told apart.

cdef enum:  # CodecNumber
    OPUS = 1
    RED = 2
    H264 = 3
    VP8 = 4
    VP9 = 5
    AV1 = 6


cdef bint starts_keyframe(int codec, const uint8_t* payload, int size) noexcept nogil:
    """Whether the packet may be the first of a keyframe: it has an SPS or begins an IDR picture."""
    if size < 1:
        return False
    if codec == H264:
        return h264_starts_keyframe(payload, size)
    if codec == VP8:
        return vp8_starts_keyframe(payload, size)
    if codec == VP9:
        return vp9_starts_keyframe(payload, size)
    if codec == AV1:  # N: the first packet of a coded video sequence; Z: it goes on from the packet before
        return payload[0] & 0x88 == 0x08
    return False


cdef bint h264_starts_keyframe(const uint8_t* payload, int size) noexcept nogil:
    cdef int kind = payload[0] & 31, at = 1, length
    if kind == 5 or kind == 7:
        return True
    if kind == 24:  # STAP-A
        while at + 3 <= size:
            length = get16(payload + at)
            kind = payload[at + 2] & 31
            if kind == 5 or kind == 7:
                return True
            at += 2 + length
        return False
    if kind == 28 and size >= 2:  # FU-A: the fragment that begins an IDR or SPS
        kind = payload[1] & 31
        return payload[1] & 0x80 and (kind == 5 or kind == 7)
    return False


cdef struct PictureNames:
    # Where a VP8 or VP9 payload descriptor names its picture.
    int length          # 0: malformed
    int picture_at      # offset of the picture id, 0 = none
    bint wide_picture   # 15 bits
    int tl0_at          # offset of TL0PICIDX, 0 = none


cdef inline PictureNames read_names(int codec, const uint8_t* payload, int size) noexcept nogil:
    return read_vp8(payload, size) if codec == VP8 else read_vp9(payload, size)


cdef PictureNames read_vp9(const uint8_t* payload, int size) noexcept nogil:
    """The descriptor as far as TL0PICIDX; `length` is of that part alone."""
    cdef PictureNames found
    cdef int at = 1
    memset(&found, 0, sizeof(found))
    if size < 1:
        return found
    if payload[0] & 0x80:
        if at >= size:
            return found
        found.picture_at = at
        found.wide_picture = payload[at] >> 7
        at += 2 if found.wide_picture else 1
    if payload[0] & 0x20:
        at += 1
        if payload[0] & 0x10 == 0:  # not flexible: TL0PICIDX follows the layer indices
            found.tl0_at = at
            at += 1
    if at <= size:
        found.length = at
    else:
        found.picture_at = found.tl0_at = 0
    return found


cdef bint vp9_starts_keyframe(const uint8_t* payload, int size) noexcept nogil:
    """No picture is referred to (P = 0), a frame begins (B = 1), and it is of the lowest spatial layer."""
    cdef PictureNames names = read_vp9(payload, size)
    if payload[0] & 0x48 != 0x08 or names.length == 0 or names.length >= size:
        return False
    if payload[0] & 0x20 == 0:
        return True
    return (payload[names.tl0_at - 1 if names.tl0_at else names.length - 1] >> 1) & 7 == 0


cdef PictureNames read_vp8(const uint8_t* payload, int size) noexcept nogil:
    cdef PictureNames found
    cdef int at = 1, extra
    memset(&found, 0, sizeof(found))
    if size < 1:
        return found
    if payload[0] & 0x80:
        if size < 2:
            return found
        extra = payload[1]
        at = 2
        if extra & 0x80:
            if at >= size:
                return found
            found.picture_at = at
            found.wide_picture = payload[at] >> 7
            at += 2 if found.wide_picture else 1
        if extra & 0x40:
            found.tl0_at = at
            at += 1
        if extra & 0x30:
            at += 1
    if at <= size:
        found.length = at
    return found


cdef bint vp8_starts_keyframe(const uint8_t* payload, int size) noexcept nogil:
    cdef PictureNames descriptor = read_vp8(payload, size)
    if payload[0] & 0x10 == 0 or payload[0] & 7 or descriptor.length == 0 or descriptor.length >= size:
        return False
    return payload[descriptor.length] & 1 == 0
