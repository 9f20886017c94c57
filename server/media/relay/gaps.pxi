# What is missing of a layer: noticed, settled, and told where it cannot be mended.


cdef void want_keyframe(Core* core, Layer* layer) noexcept nogil:
    """Tell that loss could not be repaired, at most twice a second."""
    core.totals.unrepaired += 1
    if layer.up.video and core.now_ns - layer.wanted_ns > 500 * MILLISECOND:
        layer.wanted_ns = core.now_ns
        note(core, KEYFRAME_WANTED, layer.up.handle, NULL, 0, NULL, layer.number)


cdef void notice_gap(Core* core, Layer* layer, int64_t sequence) noexcept nogil:
    """Note every number between the highest so far and this one as missing."""
    cdef int64_t number = layer.highest + 1
    cdef Missing* row
    if layer.highest < 0:
        layer.first = sequence
        return
    if number == sequence:
        return
    if sequence - number + layer.missing_count > MAX_MISSING:
        layer.missing_count = 0
        want_keyframe(core, layer)
        return
    core.missing = True
    while number < sequence:
        row = &layer.missing[layer.missing_count]
        row.sequence = number
        row.noticed_ns = core.now_ns
        row.asked_ns = 0
        row.tries = 0
        layer.missing_count += 1
        number += 1


cdef void forget_missing(Layer* layer, int index) noexcept nogil:
    layer.missing_count -= 1
    memmove(&layer.missing[index], &layer.missing[index + 1], (layer.missing_count - index) * sizeof(Missing))


cdef void settle(Core* core, Layer* layer, Packet* packet, int64_t sequence) noexcept nogil:
    """A missing packet came after all."""
    cdef int i
    layer.recovered += packet.recovered
    core.totals.recovered_rtx += packet.recovered
    for i in range(layer.missing_count):
        if layer.missing[i].sequence == sequence:
            forget_missing(layer, i)
            return
