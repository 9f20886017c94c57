"""RTCP made in Python; aiortc's parser is the other opinion."""

from __future__ import annotations

from aiortc import rtp

from server.media import rtcp
from server.media.rtcp import ReportBlock


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


def test_a_report_has_at_most_31_blocks() -> None:
    [packet] = rtp.RtcpPacket.parse(rtcp.receiver_report([block()] * 40))
    assert isinstance(packet, rtp.RtcpRrPacket)
    assert len(packet.reports) == 31


def test_a_picture_loss_indication_is_what_others_read() -> None:
    [packet] = rtp.RtcpPacket.parse(rtcp.picture_loss(42))
    assert isinstance(packet, rtp.RtcpPsfbPacket)
    assert (packet.fmt, packet.media_ssrc) == (rtp.RTCP_PSFB_PLI, 42)
