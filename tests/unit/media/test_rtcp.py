"""RTCP made and read in Python; aiortc's parser is the other opinion."""

from __future__ import annotations

import pytest
from aiortc import rtp

from server.media import rtcp
from server.media.rtcp import Remb, ReportBlock


def block(**changes: int | float) -> ReportBlock:
    values = {
        "ssrc": 7,
        "loss": 0.25,
        "lost": 3,
        "highest_sequence": 70_000,
        "jitter": 9,
        "last_sr": 5,
        "delay": 6,
    }
    return ReportBlock(**{**values, **changes})  # type: ignore[arg-type]


def test_a_receiver_report_is_what_others_read() -> None:
    [packet] = rtp.RtcpPacket.parse(rtcp.receiver_report([block(), block(ssrc=8, lost=-2)]))
    assert isinstance(packet, rtp.RtcpRrPacket)
    assert packet.ssrc == rtcp.SENDER_SSRC
    first, second = packet.reports
    assert (first.ssrc, first.fraction_lost, first.packets_lost) == (7, 64, 3)
    assert (first.highest_sequence, first.jitter, first.lsr, first.dlsr) == (70_000, 9, 5, 6)
    assert second.packets_lost == -2


def test_reports_that_we_make_we_read() -> None:
    blocks = [block(), block(ssrc=9, loss=0.0, lost=-5)]
    assert list(rtcp.read(rtcp.receiver_report(blocks))) == blocks


def test_a_report_has_at_most_31_blocks() -> None:
    assert len(list(rtcp.read(rtcp.receiver_report([block()] * 40)))) == 31


def test_a_picture_loss_indication_is_what_others_read() -> None:
    [packet] = rtp.RtcpPacket.parse(rtcp.picture_loss(42))
    assert isinstance(packet, rtp.RtcpPsfbPacket)
    assert (packet.fmt, packet.media_ssrc) == (rtp.RTCP_PSFB_PLI, 42)


def test_a_remb_of_others_is_read() -> None:
    fci = rtp.pack_remb_fci(4_160_000, [1, 2_529_072_847])
    packet = bytes(rtp.RtcpPsfbPacket(fmt=rtp.RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci))
    [remb] = rtcp.read(rtcp.receiver_report([]) + packet)
    assert remb == Remb(4_160_000, (1, 2_529_072_847))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\xc9\xff\xff" + bytes(8), bytes(40), b"\xff" * 64])
def test_garbage_reads_as_nothing(data: bytes) -> None:
    assert list(rtcp.read(data)) == []
