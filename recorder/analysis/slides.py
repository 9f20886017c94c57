"""Where the courseware turns to another page, from small grey pictures of the screen.

A picture is compared with the page that stands, in small blocks. Blocks that change again and again (a clock,
a cursor, a video in the page) are left out of account for as long as they do. A page has turned when a good
part of the rest looks different, and goes on looking so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 320, 180
BLOCK = 10  # pixels: 32 x 18 blocks
DIFFERENT = 10.0  # of 255: a block's mean difference from the page
TURNED = 0.025  # part of the quiet blocks that must differ
RESTLESS = 0.2  # a block that differs from the picture before so often is not quiet
FORGET_S = 4.0  # how fast restlessness fades
LASTING_S = 0.4  # another page stands at least so long

Grey = NDArray[np.uint8]  # HEIGHT x WIDTH


@dataclass(slots=True)
class Slides:
    """Feed pictures in order with `see`; `turns` are the moments at which a page began, the first too."""

    turns: list[float] = field(default_factory=list)
    page: Grey | None = None
    _before: Grey | None = None
    _before_s: float = 0.0
    _restless: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((HEIGHT // BLOCK, WIDTH // BLOCK), np.float32)
    )
    _turning_s: float | None = None

    def recall(self, turns: list[float], page: Grey | None) -> None:
        """Go on where another stood: the pages it saw, and the one that stood then."""
        self.turns += turns
        if page is not None:
            self.page = self._before = page
            self._before_s = self.turns[-1] if self.turns else 0.0

    def see(self, at_s: float, picture: Grey) -> None:
        """A picture that stands from `at_s` on."""
        if self.page is None or self._before is None:
            self.page = self._before = picture
            self._before_s = at_s
            if not self.turns:
                self.turns.append(at_s)
            return
        moved = _difference(self._before, picture) > DIFFERENT
        turned = self._turned(picture)
        self._remember(moved, at_s, calm=not turned)
        if not turned:
            self._turning_s = None
            self._follow(picture)
        elif self._turning_s is None or moved[self._quiet].mean() > TURNED:
            self._turning_s = at_s  # (again) another picture: it must stand
        self._before, self._before_s = picture, at_s
        self.pass_to(at_s)

    def pass_to(self, at_s: float) -> None:
        """Nothing new until `at_s`: what stands may have stood long enough."""
        if self._turning_s is not None and at_s - self._turning_s >= LASTING_S and self._before is not None:
            self.turns.append(self._turning_s)
            self.page = self._before
            self._turning_s = None

    @property
    def _quiet(self) -> NDArray[np.bool_]:
        return self._restless < RESTLESS

    def _turned(self, picture: Grey) -> bool:
        assert self.page is not None
        quiet = self._quiet
        if quiet.mean() < 0.2:
            return False  # a film fills the screen
        return bool((_difference(self.page, picture)[quiet] > DIFFERENT).mean() > TURNED)

    def _remember(self, moved: NDArray[np.bool_], at_s: float, *, calm: bool) -> None:
        """How often each block moves. A turn itself makes no block restless."""
        keep = float(np.exp(-max(at_s - self._before_s, 0.0) / FORGET_S))
        if calm:
            self._restless = self._restless * keep + moved.astype(np.float32) * (1 - keep)

    def _follow(self, picture: Grey) -> None:
        """The page sharpens slowly after a turn (encoders do that): the page that stands follows."""
        assert self.page is not None
        self.page = cv2.addWeighted(self.page, 0.9, picture, 0.1, 0).astype(np.uint8)


def _difference(one: Grey, other: Grey) -> NDArray[np.float32]:
    """Mean absolute difference by block."""
    apart = cv2.absdiff(one, other)
    shape = (WIDTH // BLOCK, HEIGHT // BLOCK)
    return cv2.resize(apart, shape, interpolation=cv2.INTER_AREA).astype(np.float32)
