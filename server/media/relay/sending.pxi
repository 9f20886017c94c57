# A packet to a viewer: mapped into the slot's sequence, rewritten, encrypted; and sent again when asked for.


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


cdef inline bint repeats(Down* down, int codec) noexcept nogil:
    """Whether sound goes out with what came before it."""
    return (down.peer.redundancy > 0 and (codec == OPUS or codec == RED) and down.payload_of[RED] != 255
            and down.payload_of[OPUS] != 255)


cdef inline void write_payload(Down* down, Interval* interval, uint8_t* room, const uint8_t* payload, int size,
                               int codec, bint newest) noexcept nogil:
    memcpy(room, payload, size)
    if codec == RED and size:
        rename_red(room, down.payload_of[OPUS] if down.payload_of[OPUS] != 255 else room[0] & 127)
    elif codec == VP8 or codec == VP9:
        rename_pictures(down, interval, codec, room, size, newest)


cdef void send_stored(Core* core, Down* down, Layer* layer, Stored* row, Interval* interval,
                      int64_t number) noexcept nogil:
    """Rewrite, encrypt and queue one packet for a viewer."""
    cdef Path* path = way_to(down.peer)
    cdef uint8_t* payload
    cdef uint8_t* room
    cdef int size, at, codec = shape(down, layer, row, &payload, &size)
    cdef uint32_t timestamp = row.timestamp + interval.timestamp_offset
    cdef bint again
    if path is NULL or down.peer.outbound is NULL or down.payload_of[codec] == 255:
        down.dropped += 1
        core.totals.slot_dropped += 1
        return
    if path.stream is not NULL and refuses(core, path.stream, down, timestamp):
        down.dropped += 1
        core.totals.stream_dropped += 1
        return
    again = repeats(down, codec) and not row.flags & PADDING
    if again:
        codec = RED
    room = outgoing(core, path)
    at = write_header(core, down, room, down.ssrc, down.payload_of[codec], row.flags & MARKER, number, timestamp,
                      row.level, down.packets < 64 or row.flags & KEY_START)
    if row.flags & PADDING:  # it came late, its number was left open: one octet of padding closes it
        room[0] |= 0x20
        room[at] = 1
        at += 1
    elif again:
        size = write_red(room + at, &layer.ring, row, down.payload_of[OPUS], down.peer.redundancy)
        at += size
    else:
        write_payload(down, interval, room + at, payload, size, codec, number > down.last_out)
        at += size
        if row.padding:
            room[0] |= 0x20
            memset(room + at, 0, row.padding)
            at += row.padding
            room[at - 1] = row.padding
    if srtp_protect(down.peer.outbound, room, &at) != SRTP_OK:
        core.totals.protect_failed += 1
        down.dropped += 1
        return
    if down.kept is not NULL:
        keep_cipher(down, room, at, number)
    note_sent(core, down, at)
    if down.video:
        commit_video(core, path, at)
    else:
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
        kept.transport = down.peer.transport_sequence if down.transport_cc_id else -1
        memcpy(kept.data, data, size)


cdef void resend(Core* core, Down* down, uint16_t sequence) noexcept nogil:
    """Answer one NACKed number: by RTX out of the ring, or by the stored ciphertext; not twice within
    a round trip, and no more than was sent."""
    cdef int64_t number = down.last_out + <int16_t>(sequence - <uint16_t>down.last_out)
    cdef Resent* gate
    down.nacked += 1
    core.totals.nacks_received += 1
    if down.last_out < 0 or number > down.last_out or number < 1 or down.resend_tokens <= 0 or (
        down.video and core.now_ns < down.peer.rest_until_ns
    ):
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
    note_sent_again(down.peer, kept.transport)
    return True


cdef Stored* stored_of_out(Down* down, int64_t number, Interval** found, Layer** source) noexcept nogil:
    """The ring's packet that was sent under this number of the slot, be it of another layer of the track."""
    cdef Layer* layer
    cdef Interval* interval
    cdef uint32_t age
    if number <= down.given_up:
        return NULL
    for age in range(min(down.interval_count, <uint32_t>MAX_INTERVALS)):
        interval = &down.intervals[(down.interval_count - 1 - age) % MAX_INTERVALS]
        if number >= interval.out_first:
            layer = layer_of_epoch(down.layer.up, interval.epoch)
            if layer is NULL:
                return NULL
            found[0] = interval
            source[0] = layer
            return find_stored(&layer.ring, number - interval.out_first + interval.in_first)
    return NULL


cdef bint resend_rtx(Core* core, Down* down, int64_t number) noexcept nogil:
    cdef Interval* interval
    cdef Layer* layer
    cdef Stored* row
    cdef Path* path = way_to(down.peer)
    cdef uint8_t* payload
    cdef uint8_t* room
    cdef int size, at, codec
    if down.layer is NULL or down.state == IDLE or path is NULL or down.peer.outbound is NULL:
        return False
    if path.stream is not NULL and is_full(core, path.stream):
        return False
    row = stored_of_out(down, number, &interval, &layer)
    if row is NULL or row.flags & PADDING:
        return False
    if layer is down.layer and down.state == REPLAYING and row.sequence >= down.cursor:
        return False
    codec = shape(down, layer, row, &payload, &size)
    if down.rtx_of[codec] == 0 or down.rtx_ssrc == 0:
        return False
    down.rtx_sequence += 1
    room = outgoing(core, path)
    at = write_header(core, down, room, down.rtx_ssrc, down.rtx_of[codec], row.flags & MARKER, down.rtx_sequence,
                      row.timestamp + interval.timestamp_offset, row.level, True)
    put16(room + at, <uint16_t>number)
    write_payload(down, interval, room + at + 2, payload, size, codec, False)
    at += 2 + size
    if srtp_protect(down.peer.outbound, room, &at) != SRTP_OK:
        core.totals.protect_failed += 1
        return False
    note_sent(core, down, at)
    commit_video(core, path, at)
    return True
