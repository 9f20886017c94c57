"""The words under which a lesson is found, and what a person typed as a query of SQLite's FTS5 (pure).

FTS5's own tokenizers take a Chinese sentence for one word, so the index holds pairs of characters: any two
that stand together inside a title are found, any longer piece as the phrase of its pairs. Beside them stand
the pinyin of every stretch from each of its characters on, as initials ("dsdy") and whole ("disidanyuan").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MOST_TERMS = 8
LONGEST_QUERY = 100
LONGEST_STRETCH = 40
"""Characters of one stretch that are told in pinyin."""

_PIECE = re.compile(r"(?P<han>[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+)|(?P<latin>[^\W_]+)")


def words_of(texts: Iterable[str]) -> str:
    """The index's first column: pairs of characters, and the last one alone; other words in lower case."""
    return " ".join(word for text in texts for word in _words(text))


def _words(text: str) -> Iterator[str]:
    for piece in _PIECE.finditer(text):
        han = piece["han"]
        if han is None:
            yield piece["latin"].lower()
        else:
            yield from _pairs(han)
            yield han[-1]


def _pairs(han: str) -> Iterator[str]:
    return (han[at : at + 2] for at in range(len(han) - 1))


def initials_of(texts: Iterable[str]) -> str:
    """The index's second column: pinyin of each stretch of Chinese, from each of its characters on."""
    from pypinyin import Style, lazy_pinyin  # its dictionaries take 0.2 s to load

    found: dict[str, None] = {}
    for text in texts:
        for piece in _PIECE.finditer(text):
            if piece["han"] is None:
                continue
            syllables = lazy_pinyin(piece["han"][:LONGEST_STRETCH], style=Style.NORMAL)
            for at in range(len(syllables)):
                found["".join(syllable[:1] for syllable in syllables[at:])] = None
                found["".join(syllables[at:])] = None
    return " ".join(found)


def match_of(typed: str) -> str | None:
    """An FTS5 query for everything that was typed, each word as far as it goes; None where nothing was."""
    terms: list[str] = []
    for piece in _PIECE.finditer(typed[:LONGEST_QUERY]):
        if piece["han"] is None:
            terms.append(f'{{words initials}} : "{piece["latin"].lower()}" *')
        elif len(piece["han"]) == 1:
            terms.append(f'words : "{piece["han"]}" *')
        else:
            terms.append(f'words : "{" ".join(_pairs(piece["han"]))}"')
    return " AND ".join(terms[:MOST_TERMS]) or None
