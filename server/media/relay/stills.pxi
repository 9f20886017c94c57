# The last stage of a weak line: now and then one picture, out of the ring, paced. Nobody is asked for it.

cdef enum:
    STILL_BURST = 2


cdef bint show_still(Core* core, Down* down, Layer* layer, int64_t bitrate_bps) except? False:
    """Send the ring's newest keyframe at this rate and then hold; False where none lies there whole. One that
    is shown already is not sent again, unless its viewer asked."""
    cdef int64_t last = last_of_keyframe(layer)
    cdef int64_t octets, number
    if last < 0:
        return False
    if down.still and down.layer is layer and down.replay_first == layer.gop_start and not down.still_asked:
        return True
    unpoint(core, down)
    attach(down, layer)
    switch_to(core, down, layer)
    begin(core, down, layer, find_stored(&layer.ring, layer.gop_start))
    octets = 0
    for number in range(layer.gop_start, last + 1):
        octets += find_stored(&layer.ring, number).size
    down.still = True
    down.still_asked = False
    down.still_last = last
    down.cursor = layer.gop_start
    down.replay_first = layer.gop_start
    down.replay_start_ns = core.now_ns
    down.replay_step_ns = octets * 8 * SECOND // bitrate_bps // (last - layer.gop_start + 1) + 1
    set_state(core, down, REPLAYING)
    return True


cdef int64_t last_of_keyframe(Layer* layer) noexcept nogil:
    """The number of the newest keyframe's last packet; -1 where it is not whole."""
    cdef int64_t number = layer.gop_start
    cdef Stored* row
    while 0 <= number <= layer.highest:
        row = find_stored(&layer.ring, number)
        if row is NULL or row.timestamp != layer.gop_timestamp:
            return -1
        if row.flags & MARKER:
            return number
        number += 1
    return -1
