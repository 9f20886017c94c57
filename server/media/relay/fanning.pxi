# From the layers out to their slots, when a batch was read: then a viewer's packets stand side by side.

cdef enum:
    GATHER_US = 200         # so long the rest of a picture is waited for, once: a viewer gets it in one send then


cdef void touch(Core* core, Layer* layer) noexcept nogil:
    if core.touched_count == TOUCHED:
        fan_out_all(core)
    core.touched[core.touched_count] = layer
    core.touched_count += 1


cdef void make_room_for(Core* core, Layer* layer, int64_t sequence, int size) noexcept nogil:
    """Forward what waits before this packet could overwrite it."""
    cdef Stored* row = &layer.ring.rows[<uint64_t>sequence & layer.ring.mask]
    cdef int i
    if layer.fresh_count == FRESH or (layer.fresh_octets + size) * 2 > layer.ring.capacity:
        fan_out(core, layer)
    for i in range(layer.fresh_count):
        if layer.fresh[i] is row:
            fan_out(core, layer)
            return


cdef void fan_out(Core* core, Layer* layer) noexcept nogil:
    """Forward a layer's fresh packets, slot by slot."""
    cdef int i, k
    if layer.up.video:
        level_out(layer)
    for i in range(layer.slot_count):
        if layer.slots[i].peer is not NULL:
            keep_together(core, way_to(layer.slots[i].peer), layer.fresh_count)
        for k in range(layer.fresh_count):
            forward(core, layer.slots[i], layer, layer.fresh[k])
    layer.fresh_count = 0
    layer.fresh_octets = 0


cdef void fan_out_all(Core* core) noexcept nogil:
    """Sound goes first."""
    cdef int i, video
    for video in range(2):
        for i in range(core.touched_count):
            if core.touched[i].up.video == video:
                fan_out(core, core.touched[i])
    core.touched_count = 0


cdef void level_out(Layer* layer) noexcept nogil:
    """Pad neighbours of one frame that differ by 1 to 3 octets (encoders make n, then n + 1)."""
    cdef int first = 0, end, k
    cdef uint16_t longest, shortest
    while first < layer.fresh_count:
        longest = shortest = layer.fresh[first].size
        end = first + 1
        while end < layer.fresh_count and layer.fresh[end].timestamp == layer.fresh[first].timestamp:
            if max(longest, layer.fresh[end].size) - min(shortest, layer.fresh[end].size) > 3:
                break
            longest = max(longest, layer.fresh[end].size)
            shortest = min(shortest, layer.fresh[end].size)
            end += 1
        for k in range(first, end):
            layer.fresh[k].padding = <uint8_t>(longest - layer.fresh[k].size)
        first = end


cdef inline bint picture_is_open(Core* core) noexcept nogil:
    """Whether the last packet of a picture that came in this batch is yet to come."""
    cdef int i
    cdef Layer* layer
    for i in range(core.touched_count):
        layer = core.touched[i]
        if layer.up.video and layer.fresh_count and not layer.fresh[layer.fresh_count - 1].flags & MARKER:
            return True
    return False
