# What Python must see, noted without the GIL and handed over at the end of a call.

cdef enum:  # EventKind
    STUN = 1
    DTLS = 2
    RTCP = 3
    UP_LIVE = 4
    KEYFRAME_WANTED = 5
    KEYFRAME_SEEN = 6
    SLOT_STARTED = 7

EVENT_KINDS = (None, *EventKind)


cdef void note(Core* core, int kind, int handle, const uint8_t* data, uint32_t size,
               const Endpoint* source, int value) noexcept nogil:
    """Note one event; where the bounded queue is full it is dropped and counted."""
    if core.event_count >= EVENTS or core.event_used + size > EVENT_BYTES:
        core.totals.dropped_events += 1
        return
    cdef Noted* event = &core.events[core.event_count]
    event.kind = kind
    event.handle = handle
    event.value = value
    event.offset = core.event_used
    event.length = size
    event.has_address = source is not NULL
    if source is not NULL:
        event.endpoint = source[0]
    if size:
        memcpy(core.event_data + core.event_used, data, size)
    core.event_used += size
    core.event_count += 1
    core.totals.events += 1


cdef list hand_over(Core* core):
    """The noted events as Python values, oldest first; the queue is empty afterwards."""
    cdef list events = []
    cdef int i
    cdef Noted* event
    for i in range(core.event_count):
        event = &core.events[i]
        events.append(Event(
            EVENT_KINDS[event.kind],
            event.handle,
            PyBytes_FromStringAndSize(<char*>core.event_data + event.offset, event.length),
            address_of(&event.endpoint) if event.has_address else None,
            event.value,
        ))
    core.event_count = 0
    core.event_used = 0
    return events
