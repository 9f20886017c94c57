"""A name or sentence in both languages (pure)."""

from __future__ import annotations

import msgspec


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name or sentence in both languages."""

    zh: str
    en: str
