"""Viewers with receiver reports and REMB only: down by loss, up where there is none."""

from __future__ import annotations

import struct

from server.media import rtcp
from server.media.estimate import START_BPS, Cause
from server.media.reported import Reported


def seconds(line: Reported, count: int, loss: float, sent_bps: float, since: float = 0.0) -> float:
    for second in range(count):
        line.report(loss, 250, sent_bps, since + second)
    return since + count


def test_loss_that_ends_with_a_lower_rate_keeps_it_low_for_a_while() -> None:
    line = Reported()
    line.report(0.0, 250, 2e6, 0.0)
    line.report(0.5, 250, 2e6, 1.0)
    assert line.bps < 1e6
    assert line.cause is Cause.LOSS
    line.report(0.0, 120, 0.8e6, 2.0)
    assert line.bps < 1.1e6
    seconds(line, 40, 0.0, 0.8e6, 3.0)
    assert line.bps > 2e6


def test_a_line_that_is_well_again_has_all_back_within_twenty_seconds() -> None:
    line = Reported()
    line.report(0.0, 250, 2e6, 0.0)
    line.report(0.5, 250, 2e6, 1.0)
    line.bps = 400_000
    seconds(line, 20, 0.0, 0.4e6, 2.0)
    assert line.bps > 3e6


def test_loss_that_does_not_end_is_the_lines_own() -> None:
    line = Reported()
    seconds(line, 6, 0.2, 2e6)
    assert line.bps >= START_BPS
    assert 0.15 < line.losses.own < 0.25


def test_remb_lowers_where_it_says_less_than_is_sent_and_is_old_after_a_while() -> None:
    line = Reported()
    line.remb(500_000, 0.0)
    line.report(0.0, 250, 2e6, 1.0)
    assert line.bps == 500_000
    line.remb(900_000, 6.0)
    line.report(0.0, 60, 450_000, 7.0)
    assert line.bps == 900_000
    line.remb(100_000, 10.0)
    line.report(0.0, 60, 450_000, 30.0)
    assert line.bps >= 900_000


def test_a_viewer_that_was_sent_nothing_is_not_judged() -> None:
    line = Reported()
    line.report(1.0, 0, 0.0, 1.0)
    assert line.bps == START_BPS


def remb(mantissa: int, exponent: int) -> bytes:
    body = b"REMB" + bytes([1, exponent << 2 | mantissa >> 16]) + struct.pack("!HI", mantissa & 0xFFFF, 5000)
    return struct.pack("!BBHII", 0x8F, 206, 2 + len(body) // 4, 1, 0) + body


def test_remb_is_read_among_other_blocks() -> None:
    bye = struct.pack("!BBHI", 0x81, 203, 1, 1)
    assert rtcp.read_remb(bye + remb(200_000, 3) + bye) == 1_600_000
    assert rtcp.read_remb(bye) is None
    assert rtcp.read_remb(remb(1, 0)[:14]) is None
    assert rtcp.read_remb(b"") is None
