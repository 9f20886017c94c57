# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The relay: from socket to socket without Python.

Owns the worker's sockets, every SRTP session and every packet; must not know rooms, people,
SDP, or why a table says what it says. The door is told in `relay.pyi`, the tables in memory in
`relay.pxd`. The pieces below follow a packet: socket, address, SRTP, header, track, ring, slot.
"""

import socket as socket_module
from collections import deque
from secrets import token_hex
from socket import inet_ntop, inet_pton

from server.media.relay.tables import (
    CodecNumber,
    DownFigures,
    Event,
    EventKind,
    Join,
    LayerFigures,
    PeerFigures,
)

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memmove, memset

from server.media.relay.system cimport *

cdef enum:
    MILLISECOND = 1000000
    TICK_EVERY = 10         # ms, at most that often

cdef int64_t SECOND = 1000000000

include "srtp.pxi"
include "events.pxi"
include "addresses.pxi"
include "sockets.pxi"
include "streams.pxi"
include "rtp.pxi"
include "payloads.pxi"
include "red.pxi"
include "ring.pxi"
include "arrivals.pxi"
include "sending.pxi"
include "probing.pxi"
include "stills.pxi"
include "slots.pxi"
include "gaps.pxi"
include "tracks.pxi"
include "fanning.pxi"
include "rtcp.pxi"
include "feedback.pxi"
include "taps.pxi"
include "rows.pxi"
include "dispatch.pxi"
include "lanes.pxi"
include "timers.pxi"
include "handles.pxi"
include "sender.pxi"


cdef class Relay:
    """See relay.pyi."""

    def __cinit__(self):
        self.core = <Core*>calloc(1, sizeof(Core))
        if self.core is NULL:
            raise MemoryError
        self.core.event_data = <uint8_t*>malloc(EVENT_BYTES)
        if self.core.event_data is NULL:
            raise MemoryError
        getrandom(&self.core.hash_seed, 4, 0)
        look_at_clock(self.core)

    def __init__(self):
        self._sessions = {}
        self._resting = {name: deque() for name in ("peer", "up", "down", "tap")}

    def __dealloc__(self):
        cdef int i
        if self.core is NULL:
            return
        for i in range(self.peers.count):
            if self.peers.items[i] is not NULL:
                free_peer(self.core, <Peer*>self.peers.items[i])
        for i in range(self.downs.count):
            if self.downs.items[i] is not NULL:
                free_down(<Down*>self.downs.items[i])
        for i in range(self.taps.count):
            if self.taps.items[i] is not NULL:
                free_tap(<Tap*>self.taps.items[i])
        free(self.peers.items)
        free(self.ups.items)
        free(self.downs.items)
        free(self.taps.items)
        free_core(self.core)

    # -- handles

    cdef Peer* _peer(self, int handle) except NULL:
        return <Peer*>find_handle(&self.peers, "peer", handle)

    cdef Up* _up(self, int handle) except NULL:
        return <Up*>find_handle(&self.ups, "up track", handle)

    cdef Down* _down(self, int handle) except NULL:
        return <Down*>find_handle(&self.downs, "slot", handle)

    cdef Tap* _tap(self, int handle) except NULL:
        return <Tap*>find_handle(&self.taps, "tap", handle)

    cdef Socket* _socket(self, int number) except NULL:
        if not 0 <= number < self.core.socket_count:
            raise KeyError(f"no socket {number}")
        return self.core.sockets[number]

    # -- sockets

    def adopt(self, int fd):
        cdef Socket* sock
        family, listens = adoptable(fd)
        if self.core.socket_count == MAX_SOCKETS:
            raise ValueError(f"more than {MAX_SOCKETS} sockets")
        sock = make_socket(fd, family, self.core.socket_count)
        self.core.sockets[self.core.socket_count] = sock
        self.core.socket_count += 1
        if listens:
            make_listener(self.core, sock)
        else:
            open_lane(sock, self.core.checks_wait)
        return sock.number

    def watched(self, int socket):
        cdef Socket* sock = self._socket(socket)
        return sock.epoll if sock.listens else sock.fd

    def receive(self, int socket, int budget=512):
        cdef Socket* sock = self._socket(socket)
        with nogil:
            if sock.listens:
                run_streams(self.core, sock, budget)
            else:
                run_batches(self.core, sock, budget)
            if self.core.now_ns - self.core.ticked_ns >= TICK_EVERY * MILLISECOND:
                run_timers(self.core, &self.peers, &self.downs)
        return hand_over(self.core)

    def tick(self):
        with nogil:
            look_at_clock(self.core)
            run_lanes(self.core)
            run_timers(self.core, &self.peers, &self.downs)
        return hand_over(self.core)

    def hold_checks(self, bint hold):
        with nogil:
            sort_checks(self.core, hold)

    def pressing(self):
        return self.core.replaying > 0 or self.core.probing > 0 or self.core.missing

    # -- peers

    def add_peer(self, bytes ufrag not None):
        cdef Peer* peer
        cdef bytes name = token_hex(CNAME_LENGTH // 2).encode()
        if self.peers.count - len(self._resting["peer"]) >= MAX_PEERS:
            raise ValueError(f"more than {MAX_PEERS} peers")
        peer = <Peer*>calloc(1, sizeof(Peer))
        if peer is NULL:
            raise MemoryError
        try:
            remember_ufrag(self.core, peer, ufrag)
            peer.handle = take_handle(&self.peers, self._resting["peer"], peer)
        except BaseException:
            free_peer(self.core, peer)
            raise
        peer.heard_ns = -1
        memcpy(peer.cname, <const char*>name, CNAME_LENGTH)
        peer.round_trip_ns = 50 * MILLISECOND
        return peer.handle

    def add_ufrag(self, int peer, bytes ufrag not None):
        remember_ufrag(self.core, self._peer(peer), ufrag)

    def remove_peer(self, int peer):
        cdef Peer* found = self._peer(peer)
        while found.up_count:
            self.remove_up(found.ups[0].handle)
        while found.down_count:
            self.remove_down(found.downs[0].handle)
        free_peer(self.core, found)
        rest_handle(&self.peers, self._resting["peer"], peer)
        self._sessions.pop(peer, None)

    def validate(self, int peer, int socket, object address):
        cdef Endpoint endpoint
        cdef Peer* found = self._peer(peer)
        read_address(&endpoint, self._socket(socket), address)
        if not remember_path(self.core, found, &endpoint):
            return False
        found.heard_ns = clock_ns(CLOCK_MONOTONIC)
        return True

    def aim(self, int peer, int socket, object address):
        cdef Endpoint endpoint
        cdef Peer* found = self._peer(peer)
        cdef Path* path
        read_address(&endpoint, self._socket(socket), address)
        path = find_path(self.core, &endpoint)
        if path is NULL or path.peer is not found:
            raise ValueError(f"{address} is not validated for peer {peer}")
        found.aimed = path

    def secure(self, int peer, object inbound, object outbound):
        cdef Peer* found = self._peer(peer)
        if peer in self._sessions:
            raise ValueError(f"peer {peer} has its SRTP sessions already")
        found.inbound = session_pointer(inbound)
        found.outbound = session_pointer(outbound)
        self._sessions[peer] = (inbound, outbound)

    def send_stun(self, int socket, object address, bytes data not None):
        cdef Endpoint endpoint
        read_address(&endpoint, self._socket(socket), address)
        return send_now(self.core, &endpoint, <const uint8_t*><const char*>data, len(data))

    def send_dtls(self, int peer, bytes data not None):
        cdef Path* path = way_to(self._peer(peer))
        if path is NULL:
            return False
        return send_now(self.core, &path.endpoint, <const uint8_t*><const char*>data, len(data))

    def send_rtcp(self, int peer, bytes data not None):
        cdef Peer* found = self._peer(peer)
        if not 8 <= len(data) <= RTCP_MAX:
            raise ValueError(f"an RTCP packet of {len(data)} bytes: 8 to {RTCP_MAX} are possible")
        if found.outbound is NULL or way_to(found) is NULL:
            return False
        look_at_clock(self.core)
        send_rtcp_packet(self.core, found, <const uint8_t*><const char*>data, <int>len(data))
        flush_all(self.core)
        return True

    def set_round_trip(self, int peer, int microseconds):
        self._peer(peer).round_trip_ns = min(max(microseconds, 1000), 2000000) * <int64_t>1000

    def repeat_sound(self, int peer, int depth):
        if not 0 <= depth <= MAX_REDUNDANCY:
            raise ValueError(f"sound repeated {depth} times: 0 to {MAX_REDUNDANCY} are possible")
        self._peer(peer).redundancy = depth

    def take_bursts(self, int peer):
        return hand_over_bursts(self._peer(peer).sent_rows)

    def rest(self, int peer, int milliseconds):
        self._peer(peer).rest_until_ns = clock_ns(CLOCK_MONOTONIC) + milliseconds * <int64_t>MILLISECOND

    def probe(self, int peer, int bitrate_bps, int milliseconds):
        start_probe(self.core, self._peer(peer), bitrate_bps, milliseconds)

    def still(self, int down, int up, int layer, int bitrate_bps):
        cdef Down* slot = self._down(down)
        cdef Up* track = self._up(up)
        if not 0 <= layer < track.layer_count or bitrate_bps < 1000:
            raise ValueError(f"no layer {layer} of up track {up}, or {bitrate_bps} bit/s")
        if not track.video or not slot.video or not offers_fit(slot, track.layers[layer]):
            return False
        look_at_clock(self.core)
        return show_still(self.core, slot, track.layers[layer], bitrate_bps)

    # -- tables

    def add_up(self, int peer, object row):
        cdef Peer* found = self._peer(peer)
        cdef Up* up
        if found.up_count == MAX_UPS:
            raise ValueError(f"peer {peer} has {MAX_UPS} up tracks already")
        check_up_row(found, row)
        up = make_up(self.core, found, row)
        try:
            up.handle = take_handle(&self.ups, self._resting["up"], up)
        except BaseException:
            free_up(up)
            raise
        found.ups[found.up_count] = up
        found.up_count += 1
        announce_ssrcs(up, row)
        return up.handle

    def remove_up(self, int up):
        cdef Up* found = self._up(up)
        cdef int i
        for i in range(found.layer_count):
            while found.layers[i].slot_count:
                forget_layer(self.core, found.layers[i].slots[0], found.layers[i])
        forget_up(found)
        free_up(found)
        rest_handle(&self.ups, self._resting["up"], up)

    def add_down(self, int peer, object row):
        cdef Peer* found = self._peer(peer)
        cdef Down* down
        if found.down_count == MAX_DOWNS:
            raise ValueError(f"peer {peer} has {MAX_DOWNS} slots already")
        spend_ssrcs(found, row)
        down = make_down(found, row)
        try:
            down.handle = take_handle(&self.downs, self._resting["down"], down)
        except BaseException:
            free_down(down)
            raise
        found.downs[found.down_count] = down
        found.down_count += 1
        return down.handle

    def add_tap_down(self, int tap, int track, bint video):
        cdef Tap* found = self._tap(tap)
        cdef Down* down
        if not 1 <= track <= 65535:
            raise ValueError(f"no track number: {track}")
        down = make_tap_down(found, track, video)
        try:
            down.handle = take_handle(&self.downs, self._resting["down"], down)
        except BaseException:
            free_down(down)
            raise
        return down.handle

    def remove_down(self, int down):
        cdef Down* found = self._down(down)
        unpoint(self.core, found)
        forget_down(found)
        free_down(found)
        rest_handle(&self.downs, self._resting["down"], down)

    def point(self, int down, int up, int layer=0, int join=0):
        cdef Down* slot = self._down(down)
        cdef Up* track
        cdef Layer* target
        if up < 0:
            unpoint(self.core, slot)
            return True
        track = self._up(up)
        if not 0 <= layer < track.layer_count:
            raise ValueError(f"up track {up} has no layer {layer}")
        target = track.layers[layer]
        if track.video != slot.video or not offers_fit(slot, target):
            return False
        look_at_clock(self.core)
        point_slot(self.core, slot, target, join == 1)
        flush_all(self.core)
        return True

    def showing(self, int down, int up):
        cdef Down* slot = self._down(down)
        cdef Up* track = self._up(up)
        return layer_number(slot.layer, track), layer_number(slot.next, track)

    # -- taps

    def add_tap(self, int fd, Py_ssize_t size):
        cdef Tap* tap = make_tap(fd, size)
        write_tap_header(self.core, tap)
        try:
            tap.handle = take_handle(&self.taps, self._resting["tap"], tap)
        except BaseException:
            free_tap(tap)
            raise
        return tap.handle

    def remove_tap(self, int tap):
        cdef Tap* found = self._tap(tap)
        cdef int i
        for i in range(self.downs.count):
            if self.downs.items[i] is not NULL and (<Down*>self.downs.items[i]).tap is found:
                self.remove_down(i)
        free_tap(found)
        rest_handle(&self.taps, self._resting["tap"], tap)

    def tap_write(self, int tap, int kind, int track, bytes data not None):
        write_record(self.core, self._tap(tap), kind, track, data)

    # -- reading

    def layer_figures(self, int up, int layer=0):
        cdef Up* found = self._up(up)
        if not 0 <= layer < found.layer_count:
            raise ValueError(f"up track {up} has no layer {layer}")
        return read_layer(found.layers[layer])

    def down_figures(self, int down):
        return read_down(self._down(down))

    def peer_figures(self, int peer):
        return read_peer(self._peer(peer))

    def totals(self):
        return <dict>self.core.totals
