"""What of a recording is shown: in, out and cuts, in seconds on the lesson's clock (pure).

Nothing of the recording is touched: the player and the exports leave out what the list leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.errors import UserFault

MOST_CUTS = 100
SHORTEST_S = 1.0
"""What has to be left, and what a cut has to be longer than a tenth of."""


@dataclass(frozen=True, slots=True)
class Cut:
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class EditList:
    """From `in_s` to `out_s` (None: to the end), without the cuts."""

    in_s: float = 0.0
    out_s: float | None = None
    cuts: tuple[Cut, ...] = ()

    @property
    def empty(self) -> bool:
        return self.in_s <= 0 and self.out_s is None and not self.cuts


WHOLE = EditList()


def kept(edits: EditList, seconds: float) -> list[Cut]:
    """The stretches that are shown, in order."""
    end = seconds if edits.out_s is None else min(seconds, edits.out_s)
    at = max(0.0, edits.in_s)
    stretches: list[Cut] = []
    for cut in sorted(edits.cuts, key=lambda cut: cut.start_s):
        if cut.start_s > at:
            stretches.append(Cut(at, min(cut.start_s, end)))
        at = max(at, cut.end_s)
        if at >= end:
            break
    if at < end:
        stretches.append(Cut(at, end))
    return [stretch for stretch in stretches if stretch.end_s > stretch.start_s]


def checked(edits: EditList, seconds: float) -> EditList:
    """The same list in order, its cuts within the recording and apart. UserFault where it cannot be."""
    numbers = [edits.in_s, edits.out_s or 0.0, *(at for cut in edits.cuts for at in (cut.start_s, cut.end_s))]
    if len(edits.cuts) > MOST_CUTS or any(not 0 <= number < 1e6 for number in numbers):
        raise _bad()
    if any(cut.end_s <= cut.start_s for cut in edits.cuts):
        raise _bad()
    joined: list[Cut] = []
    for cut in sorted(edits.cuts, key=lambda cut: cut.start_s):
        start, end = cut.start_s, min(cut.end_s, seconds)
        if end - start < SHORTEST_S / 10:
            continue
        if joined and start <= joined[-1].end_s:
            joined[-1] = Cut(joined[-1].start_s, max(joined[-1].end_s, end))
        else:
            joined.append(Cut(start, end))
    out_s = None if edits.out_s is None or edits.out_s >= seconds else edits.out_s
    tidy = EditList(edits.in_s, out_s, tuple(joined))
    if sum(stretch.end_s - stretch.start_s for stretch in kept(tidy, seconds)) < SHORTEST_S:
        raise UserFault(
            "nothing_left",
            zh="这样剪下来什么都不剩了，请至少留下一秒。",
            en="Nothing would be left. Keep at least a second.",
        )
    return tidy


def _bad() -> UserFault:
    return UserFault(
        "bad_edit",
        zh="剪辑的起止时间不对，请检查后重试。",
        en="These times do not make an edit: each cut ends after it starts, within the recording.",
    )
