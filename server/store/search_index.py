"""The library's search index, where its two databases differ: SQLite's FTS5, PostgreSQL's tsvector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Text, and_, bindparam, cast, column, literal, or_, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncConnection

from server.store.searching import Term, fts5_of, initials_of, tsquery_of, tsvector_of, words_of

_TABLE = table("catalogue_search", column("number", Integer), column("words"), column("initials"))
_FTS5 = text("SELECT rowid FROM catalogue_search WHERE catalogue_search MATCH :match").columns(
    column("number", Integer)
)
_FORGET = {
    True: text("DELETE FROM catalogue_search WHERE rowid = :number"),
    False: text("DELETE FROM catalogue_search WHERE number = :number"),
}
_LEARN = {
    True: text("INSERT INTO catalogue_search (rowid, words, initials) VALUES (:number, :words, :initials)"),
    False: text(
        "INSERT INTO catalogue_search (number, words, initials) "
        "VALUES (:number, CAST(:words AS tsvector), CAST(:initials AS tsvector))"
    ).bindparams(bindparam("words", type_=Text), bindparam("initials", type_=Text)),
}


def found_by(terms: Sequence[Term], *, sqlite: bool) -> Any:
    """A subquery of the catalogue's numbers that hold all the terms."""
    if sqlite:
        return _FTS5.bindparams(match=fts5_of(terms))
    return select(_TABLE.c.number).where(and_(*map(_holds, terms)))


def _holds(term: Term) -> Any:
    query = cast(literal(tsquery_of(term), Text), TSQUERY)
    places = [_TABLE.c.words, _TABLE.c.initials] if term.pinyin else [_TABLE.c.words]
    return or_(*(place.op("@@")(query) for place in places))


def entry_of(number: int, texts: Sequence[str], *, sqlite: bool) -> dict[str, Any]:
    """A row of the index."""
    words, initials = words_of(texts), initials_of(texts)
    if not sqlite:
        words, initials = tsvector_of(words), tsvector_of(initials)
    return {"number": number, "words": words, "initials": initials}


async def learn(connection: AsyncConnection, entries: Sequence[dict[str, Any]], *, sqlite: bool) -> None:
    """In place of what was known under these numbers."""
    await forget(connection, [entry["number"] for entry in entries], sqlite=sqlite)
    await connection.execute(_LEARN[sqlite], list(entries))


async def forget(connection: AsyncConnection, numbers: Sequence[int], *, sqlite: bool) -> None:
    """Nothing is found by what was known under these numbers."""
    await connection.execute(_FORGET[sqlite], [{"number": number} for number in numbers])
