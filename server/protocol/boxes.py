"""Cameras and encoders of the main room, as its studio is told of them (docs/protocol.md). A part of the
WebSocket's language. Pure.
"""

from __future__ import annotations

import msgspec

from server.protocol.parameters import Source
from server.protocol.words import Words


class Box(msgspec.Struct, frozen=True):
    """One that teaches in this lesson by itself. `sound`: its sound is the teacher's voice; `state` is the
    ingest's word ("" where it was not heard of yet), `words` what to do where it does not come."""

    source: Source
    sound: bool
    state: str = ""
    words: Words | None = None


class Boxes(msgspec.Struct, frozen=True, tag="boxes"):
    """To the studio, before its lesson's first view and at every change: what it need not ask of its
    browser. Their pictures come in the slots "tile_camera", "tile_camera2", "tile_screen", their sound in
    "own_voice" (to be measured, not played), before Start too."""

    boxes: list[Box]
