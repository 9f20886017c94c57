"""The words under which a lesson is found, and what a person typed as a query (pure).

The databases' own tokenizers take a Chinese sentence for one word, so the index holds pairs of characters:
any two that stand together inside a title are found, any longer piece as the phrase of its pairs. Beside them
stand the pinyin of every stretch from each of its characters on, as initials ("dsdy") and whole
("disidanyuan").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

MOST_TERMS = 8
LONGEST_QUERY = 100
LONGEST_STRETCH = 40
"""Characters of one stretch that are told in pinyin."""

MOST_PLACES = 16_000
MOST_OF_A_WORD = 250
"""PostgreSQL's bounds of a tsvector, with room to spare."""

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
    found: dict[str, None] = {}
    for text in texts:
        for piece in _PIECE.finditer(text):
            if piece["han"] is not None:
                found |= dict.fromkeys(_spelt(piece["han"][:LONGEST_STRETCH]))
    return " ".join(found)


@lru_cache(maxsize=20_000)  # names of schools, teachers and subjects come again and again
def _spelt(han: str) -> tuple[str, ...]:
    from pypinyin import Style, lazy_pinyin  # its dictionaries take 0.2 s to load

    syllables = lazy_pinyin(han, style=Style.NORMAL)
    stretches = [syllables[at:] for at in range(len(syllables))]
    return tuple(
        word
        for stretch in stretches
        for word in ("".join(syllable[:1] for syllable in stretch), "".join(stretch))
    )


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query: pieces that follow each other; `prefix`: the last one as far as it goes;
    `pinyin`: looked for among the initials too."""

    pieces: tuple[str, ...]
    prefix: bool = False
    pinyin: bool = False


def terms_of(typed: str) -> list[Term]:
    """Everything that was typed, in at most MOST_TERMS terms."""
    terms: list[Term] = []
    for piece in _PIECE.finditer(typed[:LONGEST_QUERY]):
        if piece["han"] is None:
            terms.append(Term((piece["latin"].lower(),), prefix=True, pinyin=True))
        elif len(piece["han"]) == 1:
            terms.append(Term((piece["han"],), prefix=True))
        else:
            terms.append(Term(tuple(_pairs(piece["han"]))))
    return terms[:MOST_TERMS]


def fts5_of(terms: Iterable[Term]) -> str:
    """A query of SQLite's FTS5."""
    said = []
    for term in terms:
        columns = "{words initials}" if term.pinyin else "words"
        said.append(f'{columns} : "{" ".join(term.pieces)}"{" *" if term.prefix else ""}')
    return " AND ".join(said)


def tsquery_of(term: Term) -> str:
    """One term as text of PostgreSQL's type tsquery."""
    return " <-> ".join(f"'{piece}'" for piece in term.pieces) + (":*" if term.prefix else "")


def tsvector_of(words: str) -> str:
    """An index column as text of PostgreSQL's type tsvector: its own parser knows no Chinese."""
    places: dict[str, list[str]] = {}
    for place, word in enumerate(words.split()[:MOST_PLACES], 1):
        places.setdefault(word, []).append(str(place))
    return " ".join(f"'{word}':{','.join(found[:MOST_OF_A_WORD])}" for word, found in places.items())
