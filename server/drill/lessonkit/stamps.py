"""The number every picture carries.

A strip along the top edge, STRIP of the picture's height and as wide as the picture, of BITS + 3
blocks: white, black, the frame number in binary (most significant block first) and the sync block.
Its blocks scale with the picture and are flat, so that scaling and compression leave them readable.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BITS = 20
STRIP = 1 / 18
SYNC_EVERY_S = 5.0
SYNC_LENGTH_S = 0.2

_WHITE, _BLACK = 150, 105  # a block between these two is neither: the strip is not to be trusted

Picture = NDArray[np.uint8]


class Stamp(NamedTuple):
    """What a picture says of itself."""

    number: int
    sync: bool


def sync_on(at_s: float) -> bool:
    """Whether the sync block is white and the tone sounds at this moment of the lesson."""
    return (at_s + 1e-9) % SYNC_EVERY_S < SYNC_LENGTH_S


def draw_stamp(picture: Picture, stamp: Stamp) -> None:
    """Write the strip into a picture (height x width, grey or with channels), in place."""
    height, width = picture.shape[:2]
    bits = (stamp.number >> np.arange(BITS - 1, -1, -1)) & 1
    blocks = np.concatenate(([1, 0], bits, [int(stamp.sync)])).astype(np.uint8) * 255
    strip = blocks[np.arange(width) * len(blocks) // width]
    picture[: max(int(height * STRIP), 1)] = strip if picture.ndim == 2 else strip[:, None]


def read_stamp(picture: NDArray[Any]) -> Stamp | None:
    """The stamp of a grey or colour picture; None where it bears no strip that can be trusted."""
    height, width = picture.shape[:2]
    blocks = BITS + 3
    band = picture[int(height * STRIP * 0.25) : max(int(height * STRIP * 0.75), 1)]
    row = band.reshape(len(band), width, -1).mean(axis=(0, 2))
    centres = (np.arange(blocks)[:, None] + np.linspace(0.3, 0.7, 5)) * width / blocks
    levels = row[centres.astype(int)].mean(axis=1)
    if levels[0] < _WHITE or levels[1] > _BLACK or ((levels > _BLACK) & (levels < _WHITE)).any():
        return None
    bits = levels > (_WHITE + _BLACK) / 2
    number = int((bits[2 : 2 + BITS].astype(int) << np.arange(BITS - 1, -1, -1)).sum())
    return Stamp(number, bool(bits[-1]))
