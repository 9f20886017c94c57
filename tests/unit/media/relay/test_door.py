"""The door's rules: handles, limits, words of refusal."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest
from pylibsrtp import _binding

from server.media.relay import relay as relay_module
from server.media.relay.relay import Relay, check_libsrtp
from server.media.relay.tables import CodecNumber, CodecRow, EventKind
from tests.unit.media.relay.loopback import (
    H264,
    Camera,
    Wire,
    audio_down,
    audio_up,
    session_pair,
    video_down,
    video_up,
)


def test_the_pinned_libsrtp_has_the_names_and_types_the_relay_calls() -> None:
    check_libsrtp()


def test_another_pylibsrtp_is_refused_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        srtp_protect = _binding.lib.srtp_init

    monkeypatch.setattr(_binding, "lib", Other())
    with pytest.raises(ImportError, match=r"pylibsrtp 1\.0\.0"):
        check_libsrtp()


def test_other_c_types_are_refused_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "SRTP_CALLS", ("srtp_init",))
    with pytest.raises(ImportError, match="C types"):
        check_libsrtp()


def test_unknown_handles_are_key_errors(wire: Wire) -> None:
    relay = wire.relay
    for call in (
        lambda: relay.remove_peer(0),
        lambda: relay.remove_up(-1),
        lambda: relay.down_figures(7),
        lambda: relay.receive(9),
        lambda: relay.tap_write(0, 3, 1, b""),
        lambda: relay.validate(3, wire.number, ("127.0.0.1", 9)),
    ):
        with pytest.raises(KeyError):
            call()


def test_a_removed_handle_is_not_given_again_at_once(wire: Wire) -> None:
    first = wire.relay.add_peer(b"first")
    wire.relay.remove_peer(first)
    assert wire.relay.add_peer(b"second") != first
    with pytest.raises(KeyError):
        wire.relay.peer_figures(first)


def test_five_hundred_tracks_are_refused_with_words(wire: Wire) -> None:
    peer = wire.far().handle

    def add_tracks() -> None:
        for number in range(500):
            wire.relay.add_up(peer, video_up(mid=b"%d" % number, ssrcs=((0, 10 + number, 0),)))

    def add_slots() -> None:
        for number in range(500):
            wire.relay.add_down(peer, video_down(10_000 + 2 * number))

    with pytest.raises(ValueError, match="up tracks already"):
        add_tracks()
    with pytest.raises(ValueError, match="slots already"):
        add_slots()


def test_an_ssrc_of_another_track_is_refused(wire: Wire) -> None:
    peer = wire.far().handle
    wire.relay.add_up(peer, video_up())
    with pytest.raises(ValueError, match="belongs to another track"):
        wire.relay.add_up(peer, audio_up(ssrcs=((0, 2222, 0),)))
    with pytest.raises(ValueError, match="announced twice"):
        wire.relay.add_up(peer, audio_up(ssrcs=((0, 9, 9),)))


def test_a_slots_ssrc_is_never_used_twice_in_a_connection(wire: Wire) -> None:
    peer = wire.far().handle
    slot = wire.relay.add_down(peer, video_down(5000))
    wire.relay.remove_down(slot)
    with pytest.raises(ValueError, match="was used"):
        wire.relay.add_down(peer, audio_down(5001))


@pytest.mark.parametrize(
    "change",
    [
        {"codecs": ()},
        {"codecs": (CodecRow(CodecNumber.OPUS, 111),)},
        {"codecs": (CodecRow(CodecNumber.H264, 200),)},
        {"layers": ()},
        {"layers": (b"l", b"l")},
        {"layers": tuple(b"%d" % n for n in range(9))},
        {"mid": b"m" * 17},
        {"mid_id": 15},
        {"ring_bytes": (10,)},
        {"ring_bytes": (1 << 30,)},
        {"ring_bytes": ()},
        {"ssrcs": ((3, 1, 0),)},
    ],
)
def test_rows_that_do_not_fit_are_value_errors_and_leave_nothing(wire: Wire, change: dict[str, Any]) -> None:
    peer = wire.far().handle
    with pytest.raises(ValueError):
        wire.relay.add_up(peer, video_up(**change))
    wire.relay.add_up(peer, video_up())


def test_a_second_pair_of_sessions_is_refused(wire: Wire) -> None:
    with pytest.raises(ValueError, match="already"):
        wire.relay.secure(wire.far().handle, *session_pair())


def test_only_udp_sockets_are_adopted() -> None:
    relay = Relay()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream, pytest.raises(ValueError, match="UDP"):
        relay.adopt(stream.fileno())


def test_a_slot_without_the_codec_is_told(wire: Wire) -> None:
    relay, sender, viewer = wire.relay, wire.far(), wire.far()
    vp8_only = relay.add_down(viewer.handle, video_down(codecs=(CodecRow(CodecNumber.VP8, 98),)))
    h264 = relay.add_up(sender.handle, video_up(codecs=(H264,)))
    sound = relay.add_up(sender.handle, audio_up())
    assert relay.point(vp8_only, h264) is False
    assert relay.point(vp8_only, sound) is False
    with pytest.raises(ValueError, match="no layer"):
        relay.point(vp8_only, h264, 3)


def test_removing_a_peer_removes_its_tracks_and_slots(wire: Wire) -> None:
    sender, viewer = wire.far(), wire.far()
    up = wire.relay.add_up(sender.handle, video_up())
    down = wire.relay.add_down(viewer.handle, video_down())
    wire.relay.point(down, up)
    camera = Camera(sender)
    camera.send(3, key=True)
    wire.run()
    assert len(viewer.packets()) == 3
    wire.relay.remove_peer(sender.handle)
    with pytest.raises(KeyError):
        wire.relay.layer_figures(up)
    camera.send(3, key=True)
    wire.run()
    assert viewer.packets() == []
    wire.relay.remove_peer(viewer.handle)
    with pytest.raises(KeyError):
        wire.relay.down_figures(down)


def test_a_relay_with_everything_in_it_goes_without_a_trace() -> None:
    made = Wire()
    sender, viewer = made.far(), made.far()
    memory = os.memfd_create("ring")
    os.ftruncate(memory, 1 << 20)
    tap = made.relay.add_tap(memory, 1 << 20)
    up = made.relay.add_up(sender.handle, video_up())
    for down in (made.relay.add_tap_down(tap, 1, True), made.relay.add_down(viewer.handle, video_down())):
        made.relay.point(down, up)
    Camera(sender).send(5, key=True)
    made.run()
    assert made.told(EventKind.UP_LIVE)
    made.close()
    os.close(memory)
    del made.relay
