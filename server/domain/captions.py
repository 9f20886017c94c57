"""Captions that people bring: WebVTT or SubRip text, read strictly and written again plainly (pure).

Only times and plain words are kept: no styles, regions, notes or markup. W3C WebVTT, section 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from server.errors import UserFault

MOST_CUES = 20_000
LONGEST_CUE = 500
LONGEST_TEXT = 200_000

_TIME = r"(?:(\d{1,3}):)?([0-5]?\d):([0-5]\d)[.,](\d{3})"
_TIMES = re.compile(rf"{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t].*)?", re.ASCII)
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Cue:
    start_s: float
    end_s: float
    text: str


def parse(text: str) -> list[Cue]:
    """The cues in order. UserFault "bad_captions" that names the block which cannot be read."""
    if len(text) > LONGEST_TEXT or "\0" in text:
        raise _bad("文件太大或不是文本。", "The file is too large, or no text.")
    blocks = re.split(r"\n{2,}", text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").strip("\n"))
    cues: list[Cue] = []
    for number, block in enumerate(blocks, 1):
        lines = block.split("\n")
        if lines[0].startswith(("WEBVTT", "NOTE", "STYLE", "REGION")) and not _TIMES.fullmatch(lines[0]):
            continue
        cue = _cue(lines)
        if cue is None:
            raise _bad(f"第 {number} 段的时间看不懂。", f"The times of block {number} cannot be read.")
        if cue.text:
            cues.append(cue)
    if not 1 <= len(cues) <= MOST_CUES:
        raise _bad("里面没有字幕，或者太多。", "It holds no captions, or too many.")
    return sorted(cues, key=lambda cue: cue.start_s)


def _cue(lines: list[str]) -> Cue | None:
    for at, line in enumerate(lines[:2]):
        found = _TIMES.fullmatch(line.strip())
        if found is None:
            continue
        start_s, end_s = _seconds(found.groups()[:4]), _seconds(found.groups()[4:])
        words = " ".join(" ".join(_TAG.sub("", one).split()) for one in lines[at + 1 :]).strip()
        return Cue(start_s, end_s, words[:LONGEST_CUE].replace("-->", "→")) if end_s > start_s else None
    return None


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def written(cues: list[Cue]) -> str:
    """A WebVTT file."""
    blocks = [f"{_clock(cue.start_s)} --> {_clock(cue.end_s)}\n{cue.text}" for cue in cues]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def _clock(seconds: float) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def _bad(zh: str, en: str) -> UserFault:
    return UserFault(
        "bad_captions",
        zh=f"这不是可用的字幕文件：{zh}请上传 WebVTT（.vtt）或 SRT 文件。",
        en=f"These captions cannot be used. {en} Upload a WebVTT (.vtt) or SRT file.",
    )
