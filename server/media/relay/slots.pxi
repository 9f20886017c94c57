# Slots: where a layer's packets go, under numbers and times of the slot's own.


cdef Interval* newest_interval(Down* down) noexcept nogil:
    return &down.intervals[(down.interval_count - 1) % MAX_INTERVALS]


cdef Interval* push_interval(Down* down) noexcept nogil:
    down.interval_count += 1
    return newest_interval(down)


# -- which layer


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
    """Point at nothing."""
    if down.next is not NULL and down.next is not down.layer:
        detach(down, down.next)
    down.next = NULL
    leave(core, down)


cdef void wait_for(Core* core, Down* down, Layer* layer) noexcept nogil:
    """Begin (again) at the next keyframe of a layer the slot is attached to."""
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
    """Start a new piece at this packet: the slot's numbers and times go on without a step back.

    Times continue by the time that passed since the last packet, by one frame at least.
    """
    cdef Interval* interval = push_interval(down)
    cdef uint32_t frame = down.clock_rate // (30 if down.video else 50)
    cdef uint32_t passed
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
        passed = <uint32_t>((core.now_ns - down.last_ns) // 1000 * down.clock_rate // 1000000)
        interval.out_first = down.last_out + 1
        interval.timestamp_offset = down.last_timestamp + max(passed, frame) - row.timestamp
        if row.codec == VP8:
            align_pictures(down, interval, payload_of(&layer.ring, row), row.size)
    down.last_in = row.sequence - 1
    report_slot(core, down, layer)


cdef inline uint32_t random_word(Core* core) noexcept nogil:
    cdef uint32_t value = 0
    getrandom(&value, 4, 0)
    return value


cdef void align_pictures(Down* down, Interval* interval, const uint8_t* payload, int size) noexcept nogil:
    """VP8's picture ids and TL0PICIDX go on by one over a switch."""
    cdef Vp8Descriptor found = read_vp8(payload, size)
    if found.length == 0:
        return
    if found.picture_at:
        interval.picture_offset = down.last_picture + 1 - picture_of(payload, &found)
    if found.tl0_at:
        interval.tl0_offset = down.last_tl0 + 1 - payload[found.tl0_at]


cdef inline uint16_t picture_of(const uint8_t* payload, Vp8Descriptor* found) noexcept nogil:
    if found.wide_picture:
        return get16(payload + found.picture_at) & 0x7FFF
    return payload[found.picture_at] & 0x7F


cdef void rename_vp8(Down* down, Interval* interval, uint8_t* payload, int size, bint newest) noexcept nogil:
    """Write the slot's own picture id and TL0PICIDX."""
    cdef Vp8Descriptor found = read_vp8(payload, size)
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
    """Send the ring's newest GOP in a quarter of its length, 0.1 to 0.8 s, then go on live."""
    cdef Stored* row = find_stored(&layer.ring, layer.gop_start)
    cdef int64_t span = (core.now_ns - layer.gop_ns) // 4
    span = min(max(span, 100 * MILLISECOND), 800 * MILLISECOND)
    begin(core, down, layer, row)
    down.cursor = row.sequence
    down.replay_first = row.sequence
    down.replay_start_ns = core.now_ns
    down.replay_step_ns = span // (layer.highest - layer.gop_start + 1) + 1
    set_state(core, down, REPLAYING)
    replay(core, down)


cdef enum:
    REPLAY_BURST = 16


cdef void replay(Core* core, Down* down) noexcept nogil:
    """Send what is due of the ring; at its end the slot is live."""
    cdef Layer* layer = down.layer
    cdef Stored* row
    cdef int64_t due = (core.now_ns - down.replay_start_ns) // down.replay_step_ns + REPLAY_BURST
    while down.cursor <= layer.highest and down.cursor - down.replay_first < due:
        row = find_stored(&layer.ring, down.cursor)
        if row is NULL and (
            came(&layer.ring, down.cursor) or down.cursor < layer.highest - layer.ring.mask
        ):  # overwritten before it was sent
            wait_for(core, down, layer)
            return
        down.cursor += 1
        if row is not NULL:
            pass_on(core, down, layer, row)
    if down.cursor > layer.highest:
        set_state(core, down, LIVE)


# -- a packet


cdef void forward(Core* core, Down* down, Layer* layer, Stored* row) noexcept nogil:
    """What one slot does with a packet that a layer it is attached to has just stored."""
    if down.next is layer:
        if not fits(down, row.codec) or row.flags & PADDING or (down.video and row.flags & KEY_START == 0):
            return
        switch_to(core, down, layer)
        if row.sequence != layer.highest:
            start_replay(core, down, layer)
            return
        begin(core, down, layer, row)
        set_state(core, down, LIVE)
    elif down.layer is not layer or down.state == IDLE:
        return
    elif down.state == REPLAYING and row.sequence >= down.cursor:
        return
    pass_on(core, down, layer, row)


cdef Interval* interval_of_in(Down* down, Layer* layer, int64_t sequence) noexcept nogil:
    """The piece a number of the source belongs to, NULL where it is from before or forgotten."""
    cdef uint32_t age
    cdef Interval* interval
    cdef Interval* following = NULL
    for age in range(min(down.interval_count, <uint32_t>MAX_INTERVALS)):
        interval = &down.intervals[(down.interval_count - 1 - age) % MAX_INTERVALS]
        if interval.epoch != layer.epoch:
            return NULL
        if sequence >= interval.in_first:
            if following is not NULL and sequence - interval.in_first + interval.out_first >= following.out_first:
                return NULL  # its number is taken
            return interval
        following = interval
    return NULL


cdef void pass_on(Core* core, Down* down, Layer* layer, Stored* row) noexcept nogil:
    """Map the packet into the slot's sequence and send it; padding leaves no gap."""
    cdef Interval* interval = interval_of_in(down, layer, row.sequence)
    cdef int64_t number
    if interval is NULL:
        return
    number = row.sequence - interval.in_first + interval.out_first
    if row.sequence > down.last_in:
        down.last_in = row.sequence
        if row.flags & PADDING:
            close_up(down, interval, row.sequence, number)
            return
        if down.last_out >= 0 and number - down.last_out > 8192 and down.tap is NULL:
            begin(core, down, layer, row)  # a hole this long would confuse the viewer's SRTP
            interval = newest_interval(down)
            number = interval.out_first
            down.last_in = row.sequence
    if down.tap is not NULL:
        tap_packet(core, down, layer, row, number)
    else:
        send_stored(core, down, layer, row, interval, number)


cdef void close_up(Down* down, Interval* interval, int64_t sequence, int64_t number) noexcept nogil:
    """Nothing is sent for this number of the source: the next one takes its place."""
    cdef Interval* following
    if interval.in_first == sequence:
        interval.in_first = sequence + 1
        return
    following = push_interval(down)
    following[0] = interval[0]
    following.in_first = sequence + 1
    following.out_first = number


cdef inline int shape(Down* down, Layer* layer, Stored* row, uint8_t** payload, int* size) noexcept nogil:
    """The payload as this slot takes it, and its codec (RED's primary block where it has no RED)."""
    payload[0] = payload_of(&layer.ring, row)
    size[0] = row.size
    if row.codec == RED and (down.tap is not NULL or down.payload_of[RED] == 255):
        payload[0] += row.primary
        size[0] -= row.primary
        return OPUS
    return row.codec


cdef inline void write_payload(Down* down, Interval* interval, uint8_t* room, const uint8_t* payload, int size,
                               int codec, bint newest) noexcept nogil:
    memcpy(room, payload, size)
    if codec == RED and size:
        rename_red(room, down.payload_of[OPUS] if down.payload_of[OPUS] != 255 else room[0] & 127)
    elif codec == VP8:
        rename_vp8(down, interval, room, size, newest)


cdef void send_stored(Core* core, Down* down, Layer* layer, Stored* row, Interval* interval,
                      int64_t number) noexcept nogil:
    """Rewrite, encrypt and queue one packet for a viewer."""
    cdef Path* path = way_to(down.peer)
    cdef uint8_t* payload
    cdef uint8_t* room
    cdef int size, at, codec = shape(down, layer, row, &payload, &size)
    cdef uint32_t timestamp = row.timestamp + interval.timestamp_offset
    if path is NULL or down.peer.outbound is NULL or down.payload_of[codec] == 255:
        down.dropped += 1
        core.totals.slot_dropped += 1
        return
    room = outgoing(core, path)
    at = write_header(core, down, room, down.ssrc, down.payload_of[codec], row.flags & MARKER, number, timestamp,
                      row.level, down.packets < 64 or row.flags & KEY_START)
    if row.flags & PADDING:  # it came late, its number was left open: one octet of padding closes it
        room[0] |= 0x20
        room[at] = 1
        at += 1
    else:
        write_payload(down, interval, room + at, payload, size, codec, number > down.last_out)
        at += size
    if srtp_protect(down.peer.outbound, room, &at) != SRTP_OK:
        core.totals.protect_failed += 1
        down.dropped += 1
        return
    if down.kept is not NULL:
        keep_cipher(down, room, at, number)
    commit(core, path, at)
    core.totals.forwarded += 1
    down.packets += 1
    down.octets += size
    if down.resend_tokens < 2000:
        down.resend_tokens += 1
    if number > down.last_out:
        down.last_out = number
        down.last_timestamp = timestamp
        down.last_ns = core.now_ns
    if not down.announced:
        down.announced = True
        note(core, SLOT_STARTED, down.handle, NULL, 0, NULL, 0)


# -- asked again


cdef inline void keep_cipher(Down* down, const uint8_t* data, int size, int64_t number) noexcept nogil:
    cdef Kept* kept = &down.kept[<uint64_t>number % KEPT_ROWS]
    kept.sequence = -1
    if size <= KEPT_SIZE:
        kept.sequence = number
        kept.size = size
        memcpy(kept.data, data, size)


cdef void resend(Core* core, Down* down, uint16_t sequence) noexcept nogil:
    """Answer one NACKed number: by RTX out of the ring, or by the stored ciphertext; not twice within
    a round trip, and no more than was sent."""
    cdef int64_t number = down.last_out + <int16_t>(sequence - <uint16_t>down.last_out)
    cdef Resent* gate
    down.nacked += 1
    core.totals.nacks_received += 1
    if down.last_out < 0 or number > down.last_out or number < 1 or down.resend_tokens <= 0:
        core.totals.nacks_unanswered += 1
        return
    gate = &down.resent[<uint64_t>number % RESENT_ROWS]
    if gate.sequence == number and core.now_ns - gate.at_ns < down.peer.round_trip_ns:
        core.totals.nacks_unanswered += 1
        return
    if resend_rtx(core, down, number) or resend_kept(core, down, number):
        gate.sequence = number
        gate.at_ns = core.now_ns
        down.resend_tokens -= 1
        down.resent_count += 1
        core.totals.resent += 1
    else:
        core.totals.nacks_unanswered += 1


cdef bint resend_kept(Core* core, Down* down, int64_t number) noexcept nogil:
    cdef Path* path = way_to(down.peer)
    cdef Kept* kept
    if down.kept is NULL or path is NULL:
        return False
    kept = &down.kept[<uint64_t>number % KEPT_ROWS]
    if kept.sequence != number:
        return False
    memcpy(outgoing(core, path), kept.data, kept.size)
    commit(core, path, kept.size)
    return True


cdef Stored* stored_of_out(Down* down, int64_t number, Interval** found) noexcept nogil:
    """The ring's packet that was sent under this number of the slot."""
    cdef Layer* layer = down.layer
    cdef Interval* interval
    cdef uint32_t age
    for age in range(min(down.interval_count, <uint32_t>MAX_INTERVALS)):
        interval = &down.intervals[(down.interval_count - 1 - age) % MAX_INTERVALS]
        if number >= interval.out_first:
            if interval.epoch != layer.epoch:
                return NULL
            found[0] = interval
            return find_stored(&layer.ring, number - interval.out_first + interval.in_first)
    return NULL


cdef bint resend_rtx(Core* core, Down* down, int64_t number) noexcept nogil:
    cdef Interval* interval
    cdef Stored* row
    cdef Path* path = way_to(down.peer)
    cdef uint8_t* payload
    cdef uint8_t* room
    cdef int size, at, codec
    if down.layer is NULL or down.state == IDLE or path is NULL or down.peer.outbound is NULL:
        return False
    row = stored_of_out(down, number, &interval)
    if row is NULL or row.flags & PADDING or (down.state == REPLAYING and row.sequence >= down.cursor):
        return False
    codec = shape(down, down.layer, row, &payload, &size)
    if down.rtx_of[codec] == 0 or down.rtx_ssrc == 0:
        return False
    down.rtx_sequence += 1
    room = outgoing(core, path)
    at = write_header(core, down, room, down.rtx_ssrc, down.rtx_of[codec], row.flags & MARKER, down.rtx_sequence,
                      row.timestamp + interval.timestamp_offset, row.level, False)
    put16(room + at, <uint16_t>number)
    write_payload(down, interval, room + at + 2, payload, size, codec, False)
    at += 2 + size
    if srtp_protect(down.peer.outbound, room, &at) != SRTP_OK:
        core.totals.protect_failed += 1
        return False
    commit(core, path, at)
    return True
