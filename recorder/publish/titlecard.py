"""The export's title card: title, school, teacher, date, drawn by Pillow with the font shipped here."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from recorder.publish.contract import Card

FONT = Path(__file__).with_name("fonts") / "title.otf"
BACKGROUND, INK, SOFT, LINE = (18, 52, 86), (255, 255, 255), (188, 208, 228), (240, 180, 60)
LONGEST_WORD = 20
CHINESE = "\u2e80"  # what stands from here on may be broken anywhere
SIDE = 0.1  # of the width, left free on each side
TITLE, OTHERS, SMALLEST = 0.11, 0.05, 0.03  # of the height


def draw(card: Card, width: int, height: int) -> Image.Image:
    """The card as a picture. A title too long for a line is set in up to three, smaller where it must be."""
    image = Image.new("RGB", (width, height), BACKGROUND)
    pen = ImageDraw.Draw(image)
    title, font = _fitted(pen, card.title or "课堂实录", round(width * (1 - 2 * SIDE)), height)
    others = [text for text in (card.school, card.subject, card.teacher, card.date) if text]
    small = ImageFont.truetype(FONT, round(height * OTHERS))
    step, small_step = round(font.size * 1.35), round(height * OTHERS * 1.6)
    y = (height - step * len(title) - small_step * len(others) - round(height * 0.06)) // 2
    for text in title:
        _centred(pen, text, font, width, y, INK)
        y += step
    y += round(height * 0.02)
    pen.rectangle((width * 0.42, y, width * 0.58, y + max(2, height // 180)), fill=LINE)
    y += round(height * 0.04)
    for text in others:
        _centred(pen, text[:40], small, width, y, SOFT)
        y += small_step
    return image


def frame(card: Card, width: int, height: int) -> av.VideoFrame:
    """The card for an encoder."""
    picture = np.asarray(draw(card, width, height))
    return av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")


def _fitted(
    pen: ImageDraw.ImageDraw, text: str, most: int, height: int
) -> tuple[list[str], ImageFont.FreeTypeFont]:
    size = round(height * TITLE)
    while True:
        font = ImageFont.truetype(FONT, size)
        lines = _broken(pen, text[:120], font, most)
        if len(lines) <= 3 or size <= height * SMALLEST:
            return lines[:3], font
        size = round(size * 0.85)


def _broken(pen: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont, most: int) -> list[str]:
    """Chinese may be broken after any character, Latin at spaces."""
    lines, line = [], ""
    for word in _words(text):
        if line and pen.textlength((line + word).rstrip(), font=font) > most:
            lines.append(line.rstrip())
            line = ""
        line += word
    return [*lines, line.rstrip()]


def _words(text: str) -> list[str]:
    words = [""]
    for character in " ".join(text.split()):
        before = words[-1][-1:]
        may_break = character > CHINESE or before > CHINESE or before == " " or len(words[-1]) >= LONGEST_WORD
        if before and may_break:
            words.append("")
        words[-1] += character
    return words


def _centred(
    pen: ImageDraw.ImageDraw,
    text: str,
    font: ImageFont.FreeTypeFont,
    width: int,
    y: int,
    ink: tuple[int, int, int],
) -> None:
    pen.text(((width - pen.textlength(text, font=font)) / 2, y), text, font=font, fill=ink)
