# What is due after a while: publishers asked and told, joiners fed, lines probed.


cdef void tick_peer(Core* core, Peer* peer) noexcept nogil:
    """NACKs and transport-wide feedback of one publisher."""
    cdef int i, k
    cdef Up* up
    for i in range(peer.up_count):
        up = peer.ups[i]
        for k in range(up.layer_count):
            if up.layers[k].missing_count:
                ask_again(core, up.layers[k])
                core.missing = core.missing or up.layers[k].missing_count > 0
    if peer.feedback is not NULL and core.now_ns >= peer.feedback.due_ns:
        peer.feedback.due_ns = core.now_ns + FEEDBACK_EVERY * MILLISECOND
        send_feedback(core, peer)


cdef void run_timers(Core* core, Table* peers, Table* downs) noexcept nogil:
    """What is due by `core.now_ns`."""
    cdef int i
    cdef Down* down
    core.ticked_ns = core.now_ns
    core.missing = False
    for i in range(peers.count):
        if peers.items[i] is not NULL and (<Peer*>peers.items[i]).up_count:
            tick_peer(core, <Peer*>peers.items[i])
    if core.replaying:
        for i in range(downs.count):
            down = <Down*>downs.items[i]
            if down is not NULL and down.state == REPLAYING:
                replay(core, down)
    run_probes(core, peers)
    flush_all(core)
    watch_streams(core)
