"""The timetable's last actions, each with what it takes to undo it whole: a series as one.

Kept in memory, the newest: a page offers to undo only what it did last, and a campus that began again says
that it no longer can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aiohttp import web

from server.errors import UserFault
from server.store.timetable_records import Booked

MOST = 200


@dataclass(frozen=True, slots=True)
class Done:
    """One action. `back`: what it changed, as it was before, with the versions that it left; `added`: what it
    booked, with their versions; `main_rooms`: of all that it touched."""

    back: list[Booked] = field(default_factory=list)
    added: Mapping[str, int] = field(default_factory=dict)
    main_rooms: frozenset[str] = frozenset()


UNDOABLE = web.AppKey("undoable", dict[tuple[str, int], Done])


def keep_undoable(app: web.Application) -> None:
    app[UNDOABLE] = {}


def remember(request: web.Request, pairs: Sequence[tuple[Booked | None, Booked]]) -> None:
    """An action was done: each lesson before (None: it was booked) and after it. The first one names it."""
    done = Done(
        [replace(before, version=after.version) for before, after in pairs if before is not None],
        {after.lesson: after.version for before, after in pairs if before is None},
        frozenset(each.main_room for pair in pairs for each in pair if each is not None),
    )
    first, kept = pairs[0][1], request.app[UNDOABLE]
    kept[first.lesson, first.version] = done
    while len(kept) > MOST:
        del kept[next(iter(kept))]


def remembered(request: web.Request, lesson: str, version: int) -> Done:
    """UserFault "cannot_undo" where it is not known (any more)."""
    done = request.app[UNDOABLE].get((lesson, version))
    if done is None:
        raise UserFault(
            "cannot_undo",
            zh="这一步已不能撤销（服务器重新启动过，或后来又有改动）。请手动改回。",
            en="This can no longer be undone: the server was restarted, or much was changed since. "
            "Change it back by hand.",
        )
    return done


def forget(request: web.Request, lesson: str, version: int) -> None:
    """It was taken back."""
    request.app[UNDOABLE].pop((lesson, version), None)
