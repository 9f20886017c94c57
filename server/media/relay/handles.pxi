# Handles: small numbers for what Python holds, each an index into a table.

cdef enum:
    HANDLE_REST = 30        # seconds before a handle is given again


cdef int grow(Table* table) except -1:
    cdef void** wider = <void**>realloc(table.items, (table.room * 2 + 64) * sizeof(void*))
    if wider is NULL:
        raise MemoryError
    table.items = wider
    table.room = table.room * 2 + 64
    return 0


cdef int take_handle(Table* table, object resting, void* item) except -1:
    """The next handle; one that was given back rests for 30 s first."""
    cdef int handle
    if resting and clock_ns(CLOCK_MONOTONIC) - resting[0][0] > HANDLE_REST * SECOND:
        handle = resting.popleft()[1]
    else:
        if table.count == table.room:
            grow(table)
        handle = table.count
        table.count += 1
    table.items[handle] = item
    return handle


cdef int rest_handle(Table* table, object resting, int handle) except -1:
    table.items[handle] = NULL
    resting.append((clock_ns(CLOCK_MONOTONIC), handle))
    return 0


cdef void* find_handle(Table* table, str name, int handle) except NULL:
    if not 0 <= handle < table.count or table.items[handle] is NULL:
        raise KeyError(f"no {name} {handle}")
    return table.items[handle]
