"""Simulcast in SDP: `a=rid` (RFC 8851) and `a=simulcast` (RFC 8853), read and written. Pure.

`aiortc.sdp` passes both over. Only what we have a use for is read: the RIDs an m-section offers to send. Of
alternatives the first counts; `~` (begins paused) and the restrictions of a RID are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_LAYERS = 4
_RID = re.compile(r"[A-Za-z0-9]{1,16}")  # RFC 8852 forbids "-" and "_"
_ORDERS = (("q", "h", "f"), ("l", "m", "h"), ("low", "mid", "high"), ("lo", "mid", "hi"))
"""Names whose order is known, lowest first, wherever they stand in the line."""


def read_simulcast(text: str) -> dict[int, tuple[str, ...]]:
    """By place of the m-section: the RIDs it offers to send, lowest first. A section whose lines do not fit
    together offers none, and is then a single encoding."""
    found: dict[int, tuple[str, ...]] = {}
    place, named, sent = -1, set[str](), list[str]()
    for line in [*text.splitlines(), "m="]:
        if line.startswith("m="):
            rids = lowest_first(sent)
            if len(set(sent)) == len(sent) and 1 < len(rids) <= MAX_LAYERS and set(rids) <= named:
                found[place] = rids
            place, named, sent = place + 1, set(), []
        elif line.startswith("a=rid:"):
            rid, _, direction = line[6:].partition(" ")
            if _RID.fullmatch(rid) and direction.split(" ")[0] == "send":
                named.add(rid)
        elif line.startswith("a=simulcast:"):
            sent = _sent(line[12:])
    return found


def lowest_first(rids: Sequence[str]) -> tuple[str, ...]:
    """Names of a known order in that order; others as they stand, which is lowest first in browsers."""
    for order in _ORDERS:
        if set(rids) <= set(order):
            return tuple(rid for rid in order if rid in rids)
    return tuple(rids)


def simulcast_lines(rids: Sequence[str]) -> list[str]:
    """An answer's lines that take all of these."""
    if not rids:
        return []
    return [*(f"a=rid:{rid} recv" for rid in rids), f"a=simulcast:recv {';'.join(rids)}"]


def _sent(value: str) -> list[str]:
    words = value.split()
    for direction, streams in zip(words[::2], words[1::2], strict=False):
        if direction == "send":
            return [each.split(",")[0].removeprefix("~") for each in streams.split(";")]
    return []
