"""Which datagram is whose: STUN by ufrag, the rest by validated address (RFC 7983)."""

from __future__ import annotations

import socket
import struct

import pytest
from aioice import stun

from server.media.relay.tables import EventKind
from tests.unit.media.relay.loopback import Camera, Wire, audio_up, build_rtp, video_down, video_up, wired


def check(username: str) -> bytes:
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    message.attributes["USERNAME"] = username
    message.add_message_integrity(b"secret")
    return bytes(message)


DTLS = bytes([22, 254, 253]) + bytes(40)


def test_a_check_names_its_peer_by_ufrag_from_any_address(wire: Wire) -> None:
    far = wire.far(b"ours", secure=False)
    far.send(check("ours:theirs"))
    (event,) = wire.run()
    assert (event.kind, event.handle, event.value) == (EventKind.STUN, far.handle, wire.number)
    assert event.address == far.address
    assert stun.parse_message(event.data).attributes["USERNAME"] == "ours:theirs"


@pytest.mark.parametrize("username", ["nobody:theirs", "our:x", "oursx:x", "", ":", "o" * 300])
def test_an_unknown_ufrag_is_dropped_and_counted(wire: Wire, username: str) -> None:
    wire.far(b"ours").send(check(username))
    assert wire.run() == []
    assert wire.relay.totals()["dropped_unknown_ufrag"] == 1


def test_after_an_ice_restart_the_newest_two_ufrags_find_the_peer(wire: Wire) -> None:
    far = wire.far(b"one1")
    wire.relay.add_ufrag(far.handle, b"two2")
    wire.relay.add_ufrag(far.handle, b"three3")
    for ufrag in ("one1", "two2", "three3"):
        far.send(check(f"{ufrag}:x"))
    assert len(wire.run()) == 2
    with pytest.raises(ValueError, match="another peer"):
        wire.relay.add_peer(b"two2")


def test_dtls_comes_only_from_validated_addresses(wire: Wire) -> None:
    far = wire.far(secure=False)
    far.send(DTLS)
    assert wire.run() == []
    assert wire.relay.totals()["dropped_unknown_address"] == 1
    wire.relay.validate(far.handle, wire.number, far.address)
    far.send(DTLS)
    (event,) = wire.run()
    assert (event.kind, event.handle, event.data, event.address) == (
        EventKind.DTLS,
        far.handle,
        DTLS,
        far.address,
    )


def test_media_from_an_unvalidated_address_is_dropped(wire: Wire) -> None:
    sender = wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    stranger = wire.far(secure=False)
    stranger.send(sender.encrypts.protect(Camera(sender).packet(key=True)))
    wire.run()
    assert wire.relay.layer_figures(up).packets == 0
    assert wire.relay.totals()["dropped_unknown_address"] == 1


def test_media_before_dtls_is_dropped(wire: Wire) -> None:
    far = wire.far(secure=False)
    wire.relay.validate(far.handle, wire.number, far.address)
    far.send_rtp(Camera(far).packet())
    assert wire.run() == []
    assert wire.relay.totals()["dropped_insecure"] == 1


def test_replayed_and_forged_packets_are_dropped_and_counted(wire: Wire) -> None:
    sender = wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    camera = Camera(sender)
    packet = sender.encrypts.protect(camera.packet(key=True))
    forged = sender.encrypts.protect(camera.packet())
    sender.send(packet)
    sender.send(packet)
    sender.send(forged[:-1] + bytes([forged[-1] ^ 1]))
    wire.run()
    assert wire.relay.layer_figures(up).packets == 1
    figures = wire.relay.peer_figures(sender.handle)
    assert (figures.received, figures.replayed, figures.srtp_failures) == (1, 1, 1)
    totals = wire.relay.totals()
    assert (totals["dropped_replayed"], totals["dropped_srtp"]) == (1, 1)


def test_oversized_and_foreign_datagrams_are_dropped_and_counted(wire: Wire) -> None:
    far = wire.far()
    far.send(b"\x80" + bytes(2000))
    far.send(bytes([70]) + bytes(30))
    far.send(b"")
    assert wire.run() == []
    totals = wire.relay.totals()
    assert (totals["dropped_oversized"], totals["dropped_unknown_protocol"]) == (1, 2)


def test_a_peer_is_heard_at_its_new_address_and_answered_where_it_aims(wire: Wire) -> None:
    sender, viewer = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    wire.relay.point(wire.relay.add_down(viewer.handle, video_down()), up)
    camera = Camera(sender)
    camera.send(key=True)
    wire.run()
    assert len(viewer.datagrams()) == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as moved:
        moved.bind(("127.0.0.1", 0))
        moved.settimeout(1)
        with pytest.raises(ValueError, match="not validated"):
            wire.relay.aim(viewer.handle, wire.number, moved.getsockname())
        wire.relay.validate(viewer.handle, wire.number, moved.getsockname())
        camera.send()
        wire.run()
        assert len(viewer.datagrams()) == 1  # still where it aimed
        wire.relay.aim(viewer.handle, wire.number, moved.getsockname())
        camera.send()
        wire.run()
        assert moved.recv(2000)
        assert viewer.datagrams() == []


def test_the_newest_eight_addresses_are_kept_and_the_aimed_one_always(wire: Wire) -> None:
    far = wire.far()
    others = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(12)]
    try:
        for other in others:
            other.bind(("127.0.0.1", 0))
            wire.relay.validate(far.handle, wire.number, other.getsockname())
        for other in others:
            other.sendto(DTLS, wire.address)
        far.send(DTLS)
        events = wire.run()
        assert len(events) == 8
        assert far.address in [event.address for event in events]
        assert others[-1].getsockname() in [event.address for event in events]
    finally:
        for other in others:
            other.close()


def test_an_address_that_validates_for_another_peer_changes_hands(wire: Wire) -> None:
    first, second = wire.far(), wire.far()
    wire.relay.validate(second.handle, wire.number, first.address)
    first.send(DTLS)
    (event,) = wire.run()
    assert event.handle == second.handle


def test_ipv6_works_as_ipv4_does() -> None:
    with wired(socket.AF_INET6) as wire:
        sender, viewer = wire.far(family=socket.AF_INET6), wire.far(family=socket.AF_INET6)
        up = wire.relay.add_up(sender.handle, video_up())
        wire.relay.point(wire.relay.add_down(viewer.handle, video_down()), up)
        Camera(sender).send(3, key=True)
        viewer.send(check("peer-1:x"))
        (event,) = [event for event in wire.run() if event.kind is EventKind.STUN]
        assert event.address == ("::1", viewer.address[1])
        assert len(viewer.packets()) == 3
        assert wire.relay.send_stun(wire.number, event.address, b"answer")
        assert viewer.datagrams() == [b"answer"]
        with pytest.raises(ValueError, match="family"):
            wire.relay.send_stun(wire.number, ("127.0.0.1", 9), b"answer")


def test_stun_and_dtls_go_out(wire: Wire) -> None:
    far = wire.far(secure=False)
    assert wire.relay.send_dtls(far.handle, b"hello") is False
    assert wire.relay.send_stun(wire.number, far.address, b"answer")
    wire.relay.validate(far.handle, wire.number, far.address)
    assert wire.relay.send_dtls(far.handle, b"hello")
    assert far.datagrams() == [b"answer", b"hello"]


# -- SSRCs


def test_an_ssrc_is_learnt_from_its_mid(wire: Wire) -> None:
    sender = wire.far()
    relay = wire.relay
    video = relay.add_up(sender.handle, video_up(ssrcs=()))
    other = relay.add_up(sender.handle, video_up(ssrcs=(), mid=b"w"))
    sound = relay.add_up(sender.handle, audio_up(ssrcs=()))
    camera = Camera(sender, ssrc=77)
    camera.send()  # nothing says whose it is: two tracks have this payload type
    camera.send(extensions={4: b"w"})
    camera.send()
    Camera(sender, ssrc=78).send(payload_type=111)  # only one track has it
    wire.run()
    assert [relay.layer_figures(up).packets for up in (video, other, sound)] == [0, 2, 1]
    assert relay.totals()["dropped_unknown_ssrc"] == 1


def test_layers_and_their_rtx_are_learnt_from_rids(wire: Wire) -> None:
    sender = wire.far()
    row = video_up(ssrcs=(), layers=(b"l", b"h"), rid_id=5, repaired_rid_id=6)
    up = wire.relay.add_up(sender.handle, row)
    low, high = Camera(sender, ssrc=71), Camera(sender, ssrc=72, sequence=9000)
    low.send(2, extensions={4: b"v", 5: b"l"})
    high.send(1, extensions={4: b"v", 5: b"h"})
    high.packet()
    high.send(1)
    wire.run()
    assert wire.relay.layer_figures(up, 1).lost == 1
    repeated = struct.pack("!H", 9001) + b"\x41"
    rtx = build_rtp(1, 0, repeated, ssrc=73, payload_type=103, extensions={4: b"v", 6: b"h"})
    sender.send_rtp(rtx)
    wire.run()
    low_figures, high_figures = (wire.relay.layer_figures(up, layer) for layer in (0, 1))
    assert (low_figures.packets, low_figures.lost) == (2, 0)
    assert (high_figures.packets, high_figures.lost, high_figures.recovered) == (3, 0, 1)


def test_an_ssrc_is_never_stolen_from_another_track(wire: Wire) -> None:
    sender = wire.far()
    first = wire.relay.add_up(sender.handle, video_up())
    second = wire.relay.add_up(sender.handle, video_up(mid=b"w", ssrcs=((0, 999, 0),)))
    camera = Camera(sender)
    camera.send(2)
    camera.send(1, extensions={4: b"w"})  # the first track's SSRC under the second one's MID
    camera.send(1)
    wire.run()
    assert wire.relay.layer_figures(first).packets == 3
    assert wire.relay.layer_figures(second).packets == 0
    assert wire.relay.totals()["refused_ssrc"] == 1


def test_a_second_ssrc_does_not_push_a_speaking_stream_away(wire: Wire) -> None:
    sender = wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    Camera(sender).send(2)
    Camera(sender, ssrc=4444).send(1, extensions={4: b"v"})
    wire.run()
    assert wire.relay.layer_figures(up).ssrc == 1111
    assert wire.relay.totals()["refused_ssrc"] == 1


def test_a_peer_may_use_a_bounded_number_of_ssrcs(wire: Wire) -> None:
    sender = wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    for ssrc in range(10_000, 10_200):
        Camera(sender, ssrc=ssrc).send()
    Camera(sender).send()
    wire.run()
    assert wire.relay.layer_figures(up).packets == 1
    assert wire.relay.totals()["dropped_ssrc_limit"] >= 30
