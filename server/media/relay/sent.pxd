"""What is on its way to a viewer, and what became of it."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

from server.media.relay.bounds cimport BURSTS, SENT_ROWS

cdef struct SentRow:
    # A packet under its transport-wide number, on its way to a viewer.
    int64_t sequence
    int64_t at_us
    uint16_t size
    uint8_t fate

cdef struct Burst:
    # Packets that left together and what became of them, as Python gets it (tables.BURST).
    int64_t sent_us     # of the last that came
    int64_t arrival_us  # of the last, by the viewer's clock; -1: none came
    int32_t octets      # of those that came
    int32_t came
    int32_t lost        # below 0: some that had been told as lost came late
    int32_t spread_us   # from the first arrival to the last

cdef struct Sent:
    # What is on its way to a viewer, and the bursts Python has not fetched yet; the newest is open.
    SentRow rows[SENT_ROWS]
    Burst bursts[BURSTS]
    int burst_count
    bint open
    int64_t first_us
    bint has_reference
    int64_t reference   # of the newest feedback, in 64 ms, longer than its 24 bits
