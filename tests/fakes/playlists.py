"""What of a playlist stays for good."""

from __future__ import annotations

FINISHED = ("#EXT-X-MAP", "#EXT-X-PROGRAM", "#EXT-X-DISCONTINUITY", "#EXTINF", "#EXT-X-BYTERANGE")


def finished_lines(text: str) -> list[str]:
    """The lines of finished segments: none of the header, no part."""
    return [line for line in text.splitlines() if line.startswith(FINISHED) or not line.startswith("#")]
