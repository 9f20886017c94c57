# Slots: where a layer's packets go, under numbers and times of the slot's own.


cdef Interval* newest_interval(Down* down) noexcept nogil:
    return &down.intervals[(down.interval_count - 1) % MAX_INTERVALS]


cdef Interval* push_interval(Down* down) noexcept nogil:
    down.interval_count += 1
    return newest_interval(down)


# -- which layer


cdef inline int layer_number(Layer* layer, Up* up) noexcept nogil:
    return layer.number if layer is not NULL and layer.up is up else -1


cdef int attach(Down* down, Layer* layer) except -1:
    """Put the slot on the layer's list (once)."""
    cdef Down** wider
    cdef int i
    for i in range(layer.slot_count):
        if layer.slots[i] is down:
            return 0
    if layer.slot_count == layer.slot_room:
        wider = <Down**>realloc(layer.slots, (layer.slot_room * 2 + 8) * sizeof(Down*))
        if wider is NULL:
            raise MemoryError
        layer.slots = wider
        layer.slot_room = layer.slot_room * 2 + 8
    layer.slots[layer.slot_count] = down
    layer.slot_count += 1
    return 0


cdef void detach(Down* down, Layer* layer) noexcept nogil:
    cdef int i
    for i in range(layer.slot_count):
        if layer.slots[i] is down:
            layer.slot_count -= 1
            memmove(&layer.slots[i], &layer.slots[i + 1], (layer.slot_count - i) * sizeof(Down*))
            return


cdef void set_state(Core* core, Down* down, SlotState state) noexcept nogil:
    core.replaying += (state == REPLAYING) - (down.state == REPLAYING)
    down.state = state


cdef void leave(Core* core, Down* down) noexcept nogil:
    """Forward nothing of the present layer any more."""
    if down.layer is not NULL and down.layer is not down.next:
        detach(down, down.layer)
    down.layer = NULL
    set_state(core, down, IDLE)


cdef void unpoint(Core* core, Down* down) noexcept nogil:
    """Point at nothing; what comes next begins with a keyframe, so that nothing before it is of use."""
    down.still = False
    if down.video:
        down.given_up = down.last_out
    if down.next is not NULL and down.next is not down.layer:
        detach(down, down.next)
    down.next = NULL
    leave(core, down)


cdef void wait_for(Core* core, Down* down, Layer* layer) noexcept nogil:
    """Begin (again) at the next keyframe of a layer the slot is attached to; a still picture ends."""
    if down.still:
        unpoint(core, down)
        return
    if down.next is not NULL and down.next is not layer:
        detach(down, down.layer)
        down.layer = NULL
    else:
        down.next = layer
        leave(core, down)
    set_state(core, down, IDLE)
    if down.video:
        note(core, KEYFRAME_WANTED, layer.up.handle, NULL, 0, NULL, layer.number)


cdef inline bint fits(Down* down, int codec) noexcept nogil:
    """Whether the slot has a payload type for it; RED can be unwrapped."""
    return down.payload_of[codec] != 255 or (codec == RED and down.payload_of[OPUS] != 255)


cdef void switch_to(Core* core, Down* down, Layer* layer) noexcept nogil:
    """The pending layer becomes the present one (the slot is attached to it already)."""
    if down.next is layer:
        down.next = NULL
    if down.layer is not NULL and down.layer is not layer:
        detach(down, down.layer)
    down.layer = layer
    down.announced = False
    set_state(core, down, IDLE)


# -- a piece of sequence begins


cdef void begin(Core* core, Down* down, Layer* layer, Stored* row) noexcept nogil:
    """Start a new piece at this packet: the slot's numbers and times go on without a step back."""
    cdef Interval before = newest_interval(down)[0]
    cdef Interval* interval = push_interval(down)
    interval.epoch = layer.epoch
    interval.in_first = row.sequence
    interval.picture_offset = 0
    interval.tl0_offset = 0
    if down.tap is not NULL:
        interval.out_first = row.sequence
        interval.timestamp_offset = 0
    elif down.last_out < 0:
        interval.out_first = random_word(core) & 0x7FFF | 1
        interval.timestamp_offset = random_word(core)
    else:
        interval.out_first = down.last_out + 1
        interval.timestamp_offset = time_of_next(core, down, layer, row, &before) - row.timestamp
        if row.codec == VP8 or row.codec == VP9:
            align_pictures(down, interval, row.codec, payload_of(&layer.ring, row), row.size)
    down.last_in = row.sequence - 1
    report_slot(core, down, layer)


cdef uint32_t time_of_next(Core* core, Down* down, Layer* layer, Stored* row, Interval* before) noexcept nogil:
    """The slot's time of a packet that follows a switch. Between layers of one track by their sender reports, so
    that the picture goes on at its own times; else by what passed since the last packet, one frame at least."""
    cdef uint32_t frame = down.clock_rate // (30 if down.video else 50)
    cdef uint32_t passed = <uint32_t>((core.now_ns - down.last_ns) // 1000 * down.clock_rate // 1000000)
    cdef uint32_t by_arrival = down.last_timestamp + max(passed, frame)
    cdef Layer* old = layer_of_epoch(layer.up, before.epoch)
    cdef uint32_t exact
    cdef int64_t apart
    if old is NULL or old is layer or not old.report.known or not layer.report.known:
        return by_arrival
    apart = <int64_t>(layer.report.ntp - old.report.ntp)
    if not -(<int64_t>30 << 32) < apart < <int64_t>30 << 32:
        return by_arrival
    exact = old.report.timestamp + <uint32_t>(apart * down.clock_rate >> 32)
    exact += row.timestamp - layer.report.timestamp + before.timestamp_offset
    if not -down.clock_rate < <int32_t>(exact - by_arrival) < down.clock_rate:  # one of the reports is wrong
        return by_arrival
    return exact if <int32_t>(exact - down.last_timestamp) > 0 else down.last_timestamp + 1


cdef inline Layer* layer_of_epoch(Up* up, uint64_t epoch) noexcept nogil:
    """The layer of a track whose present stream is this one, NULL where it is another's or gone."""
    cdef int i
    for i in range(up.layer_count):
        if up.layers[i].epoch == epoch:
            return up.layers[i]
    return NULL


cdef inline uint32_t random_word(Core* core) noexcept nogil:
    cdef uint32_t value = 0
    getrandom(&value, 4, 0)
    return value


cdef void align_pictures(Down* down, Interval* interval, int codec, const uint8_t* payload, int size) noexcept nogil:
    """Picture ids and TL0PICIDX of VP8 and VP9 go on by one over a switch."""
    cdef PictureNames found = read_names(codec, payload, size)
    if found.length == 0:
        return
    if found.picture_at:
        interval.picture_offset = down.last_picture + 1 - picture_of(payload, &found)
    if found.tl0_at:
        interval.tl0_offset = down.last_tl0 + 1 - payload[found.tl0_at]


cdef inline uint16_t picture_of(const uint8_t* payload, PictureNames* found) noexcept nogil:
    if found.wide_picture:
        return get16(payload + found.picture_at) & 0x7FFF
    return payload[found.picture_at] & 0x7F


cdef void rename_pictures(Down* down, Interval* interval, int codec, uint8_t* payload, int size,
                          bint newest) noexcept nogil:
    """Write the slot's own picture id and TL0PICIDX."""
    cdef PictureNames found = read_names(codec, payload, size)
    cdef uint16_t picture
    if found.length == 0:
        return
    if found.picture_at:
        picture = picture_of(payload, &found) + interval.picture_offset
        if found.wide_picture:
            picture &= 0x7FFF
            put16(payload + found.picture_at, picture | 0x8000)
        else:
            picture &= 0x7F
            payload[found.picture_at] = <uint8_t>picture
        if newest:
            down.last_picture = picture
    if found.tl0_at:
        payload[found.tl0_at] += interval.tl0_offset
        if newest:
            down.last_tl0 = payload[found.tl0_at]


cdef bint ring_serves(Layer* layer) noexcept nogil:
    """Whether the newest GOP lies in the ring without a hole."""
    return (
        layer.gop_start >= 0
        and find_stored(&layer.ring, layer.gop_start) is not NULL
        and layer.gop_received == layer.highest - layer.gop_start + 1
    )


cdef void start_replay(Core* core, Down* down, Layer* layer) noexcept nogil:
    """From the next tick on send the ring's newest GOP in a quarter of its length, 0.1 to 0.8 s, then
    go on live."""
    cdef Stored* row = find_stored(&layer.ring, layer.gop_start)
    cdef int64_t span = (core.now_ns - layer.gop_ns) // 4
    span = min(max(span, 100 * MILLISECOND), 800 * MILLISECOND)
    begin(core, down, layer, row)
    down.cursor = row.sequence
    down.replay_first = row.sequence
    down.replay_start_ns = core.now_ns
    down.replay_step_ns = span // (layer.highest - layer.gop_start + 1) + 1
    set_state(core, down, REPLAYING)


cdef enum:
    REPLAY_BURST = 16


cdef void replay(Core* core, Down* down) noexcept nogil:
    """Send what is due of the ring; at its end the slot is live."""
    cdef Layer* layer = down.layer
    cdef Stored* row
    cdef int64_t due = (core.now_ns - down.replay_start_ns) // down.replay_step_ns
    cdef int64_t last = down.still_last if down.still else layer.highest
    due += STILL_BURST if down.still else REPLAY_BURST
    while down.cursor <= last and down.cursor - down.replay_first < due:
        row = find_stored(&layer.ring, down.cursor)
        if row is NULL and (
            came(&layer.ring, down.cursor) or down.cursor < layer.highest - layer.ring.mask
        ):  # overwritten before it was sent
            wait_for(core, down, layer)
            return
        down.cursor += 1
        if row is not NULL:
            pass_on(core, down, layer, row)
    if down.cursor > last:
        set_state(core, down, HELD if down.still else LIVE)


# -- a packet


cdef void forward(Core* core, Down* down, Layer* layer, Stored* row) noexcept nogil:
    """What one slot does with a packet that a layer it is attached to has just stored."""
    if down.next is layer:
        if not fits(down, row.codec) or row.flags & PADDING or (down.video and row.flags & KEY_START == 0):
            return
        if row.flags & LATE and down.tap is not NULL:  # what belongs to it came before the tap
            note(core, KEYFRAME_WANTED, layer.up.handle, NULL, 0, NULL, layer.number)
            return
        switch_to(core, down, layer)
        if row.flags & LATE:  # what belongs to it came before: all of it lies in the ring
            start_replay(core, down, layer)
            return
        begin(core, down, layer, row)
        set_state(core, down, LIVE)
    elif down.layer is not layer or down.state == IDLE or down.state == HELD:
        return
    elif down.state == REPLAYING and row.sequence >= down.cursor:
        return
    pass_on(core, down, layer, row)
