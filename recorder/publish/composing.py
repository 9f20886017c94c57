"""The film's picture: the tracks' latest pictures on one canvas, drawn again only where something changed."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from recorder.publish.layouts import Box, Scene, boxes, within

BLACK = (16, 128, 128)


class Canvas:
    """A picture of `width` x `height` (even). `put` what came, `draw` when a picture is due."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._frame = av.VideoFrame(width, height, "yuv420p")
        self._latest: dict[str, av.VideoFrame] = {}
        self._stale: set[str] = set()
        self._drawn: Scene | None = None

    def put(self, track: str, frame: av.VideoFrame) -> None:
        """The track's picture from now on."""
        self._latest[track] = frame
        self._stale.add(track)

    def draw(self, scene: Scene) -> av.VideoFrame:
        """The canvas with this scene; the same object each time, drawn over."""
        places = boxes(scene, self.width, self.height)
        again = scene != self._drawn
        if again:
            for plane, level in zip(self._planes(self._frame), BLACK, strict=True):
                plane[:] = level
        for name, box in places:
            frame = self._latest.get(name)
            if frame is not None and (again or name in self._stale):
                self._place(frame, box)
                again = True  # what lies above it has to be drawn over it
        self._stale -= {name for name, _ in places}
        self._drawn = scene
        return self._frame

    def _place(self, frame: av.VideoFrame, box: Box) -> None:
        fitting = within(box, frame.width, frame.height)
        if not fitting.width or not fitting.height:
            return
        small = frame.reformat(width=fitting.width, height=fitting.height, format="yuv420p")
        for k, (into, plane) in enumerate(zip(self._planes(self._frame), self._planes(small), strict=True)):
            half = 1 if k == 0 else 2
            x, y = fitting.x // half, fitting.y // half
            into[y : y + plane.shape[0], x : x + plane.shape[1]] = plane

    @staticmethod
    def _planes(frame: av.VideoFrame) -> list[NDArray[Any]]:
        """Views into the picture, without the padding of its lines."""
        return [
            np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[
                :, : plane.width
            ]
            for plane in frame.planes
        ]
