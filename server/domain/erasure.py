"""A person's names taken out of free words: titles, "taught by", labels (pure).

Only the whole name as the register has it is known: "Teacher Wang" or a nickname stays what it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from server.protocol.messages import Words

ERASED = Words(zh="已删除", en="Erased")
SHORTEST = 2
"""Characters; a shorter name is a part of too many words."""
LATIN = "[0-9A-Za-z_\u00c0-\u024f]"
WORDS_OF_LESSON = ("title", "teacher")
PASSES_OF_LESSON = ("watch_pass", "remote_pass")


def neutral(name: Words) -> dict[str, str]:
    """Each name of this person with the word that takes its place; none of who is erased already."""
    if name == ERASED:
        return {}
    said = {name.en.strip(): ERASED.en, name.zh.strip(): ERASED.zh}
    return {own: word for own, word in said.items() if len(own) >= SHORTEST}


def without(text: str, names: Mapping[str, str]) -> str:
    """The text with neutral words in place of these names. A name in Latin letters counts as a word of its
    own only, in any case."""
    for name in sorted(names, key=len, reverse=True):
        before = f"(?<!{LATIN})" if re.match(LATIN, name[0]) else ""
        after = f"(?!{LATIN})" if re.match(LATIN, name[-1]) else ""
        text = re.sub(before + re.escape(name) + after, names[name], text, flags=re.IGNORECASE)
    return text


def lesson_without(value: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A `domain.lesson.Lesson` as JSON has it (some of its fields may be missing): its title, its teacher and
    the labels of its links; ids stay."""
    changed = dict(value)
    for field in WORDS_OF_LESSON:
        words = value.get(field)
        if isinstance(words, Mapping):
            changed[field] = {language: without(text, names) for language, text in words.items()}
    for field in PASSES_OF_LESSON:
        given = value.get(field)
        if isinstance(given, Mapping):
            changed[field] = {**given, "label": without(str(given.get("label", "")), names)}
    return changed
