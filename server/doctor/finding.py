"""What a check found, in words of both languages."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """LOOK: lessons can be held, but look at it. HARM: something will not work."""

    WELL = "well"
    LOOK = "look"
    HARM = "harm"


class Finding(msgspec.Struct, frozen=True):
    """One check's answer. `figures`: what was measured, by name (units in the names)."""

    check: str
    state: State
    zh: str
    en: str
    figures: dict[str, float | int | str] = {}


def well(check: str, zh: str, en: str, **figures: float | int | str) -> Finding:
    return Finding(check, State.WELL, zh, en, figures)


def look(check: str, zh: str, en: str, **figures: float | int | str) -> Finding:
    return Finding(check, State.LOOK, zh, en, figures)


def harm(check: str, zh: str, en: str, **figures: float | int | str) -> Finding:
    return Finding(check, State.HARM, zh, en, figures)
