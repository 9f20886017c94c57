"""The county's schools, points, rooms and classes, each with its dates (pure).

Nothing is ever overwritten: a rename, a move, a merger adds a line that holds from a day on. So what is asked
about last year is answered as it was last year, and a lesson given in a school that is no more stays findable
under the school that took it over. A span holds from its first day to the day before `until`; None: still.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Generic, TypeVar

from server.errors import UserFault
from server.protocol.messages import Words

T = TypeVar("T")


class UnitKind(StrEnum):
    """What a unit of the tree is."""

    COUNTY = "county"
    SCHOOL = "school"
    CAMPUS = "campus"
    POINT = "point"  # 教学点
    ROOM = "room"
    CLASS = "class"  # mixed grades in one room are several


class BondKind(StrEnum):
    """What binds schools beside the tree; a school may have several at once."""

    GROUP = "group"  # 集团校: the first leads
    COMMUNITY = "community"  # 共同体: the first leads
    PAIR = "pair"  # 结对校: the first gives lessons to the second


PARENTS: Mapping[UnitKind, frozenset[UnitKind]] = {
    UnitKind.COUNTY: frozenset(),
    UnitKind.SCHOOL: frozenset({UnitKind.COUNTY}),
    UnitKind.CAMPUS: frozenset({UnitKind.SCHOOL}),
    UnitKind.POINT: frozenset({UnitKind.SCHOOL, UnitKind.COUNTY}),
    UnitKind.ROOM: frozenset({UnitKind.SCHOOL, UnitKind.CAMPUS, UnitKind.POINT}),
    UnitKind.CLASS: frozenset({UnitKind.ROOM, UnitKind.SCHOOL, UnitKind.CAMPUS, UnitKind.POINT}),
}


class BadOrganisation(UserFault):
    """A change that would leave the tree untrue."""


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """What holds from a day on."""

    since: date
    value: T


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit with its history; `names` and `parents` in the order of their days, the first at `since`."""

    id: str
    kind: UnitKind
    since: date
    names: tuple[Dated[Words], ...]
    parents: tuple[Dated[str], ...] = ()
    until: date | None = None
    successor: str = ""  # the unit that took it over on `until`

    def name(self, day: date) -> Words:
        """What it was called that day; its first name before it was there, its last after it closed."""
        return (_at(self.names, day) or self.names[0]).value

    def parent(self, day: date) -> str:
        found = _at(self.parents, day)
        return found.value if found else ""

    def there(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Bond:
    """Two schools bound for a time."""

    kind: BondKind
    first: str
    second: str
    since: date
    until: date | None = None

    def there(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True)
class Organisation:
    """All units and bonds. Answers are for a day; who is not there that day is not in them."""

    units: Mapping[str, Unit]
    bonds: tuple[Bond, ...] = ()

    def up(self, unit: str, day: date) -> Iterator[Unit]:
        """The unit and what stands above it, to the county."""
        seen: set[str] = set()
        while unit in self.units and unit not in seen:
            seen.add(unit)
            yield self.units[unit]
            unit = self.units[unit].parent(day)

    def below(self, unit: str, day: date) -> Iterator[Unit]:
        """The unit and all under it, parents first."""
        if unit in self.units and self.units[unit].there(day):
            yield self.units[unit]
            for child in self._children.get(unit, ()):
                if self.units[child].parent(day) == unit:
                    yield from self.below(child, day)

    def ever_below(self, unit: str) -> frozenset[str]:
        """The unit with all that stands under it last, closed ones too, and with all that went into one of
        them: under which ids its old lessons stand."""
        found: set[str] = set()
        waiting = [unit]
        while waiting:
            one = waiting.pop()
            if one in found or one not in self.units:
                continue
            found.add(one)
            children = (self.units[child] for child in self._children.get(one, ()))
            waiting += [child.id for child in children if child.parents[-1].value == one]
            waiting += self._went_into.get(one, ())
        return frozenset(found)

    def school(self, unit: str, day: date) -> Unit | None:
        """The school (or the point that stands alone) to which a room, class or campus belongs."""
        schools = [each for each in self.up(unit, day) if each.kind in (UnitKind.SCHOOL, UnitKind.POINT)]
        return schools[-1] if schools else None

    def within(self, unit: str, other: str, day: date) -> bool:
        """Whether a unit is the other one or stands under it."""
        return any(each.id == other for each in self.up(unit, day))

    def led_by(self, school: str, day: date) -> frozenset[str]:
        """The schools that this one leads, in groups and communities."""
        leads = (BondKind.GROUP, BondKind.COMMUNITY)
        return frozenset(
            b.second for b in self.bonds if b.first == school and b.kind in leads and b.there(day)
        )

    def now(self, unit: str) -> str:
        """The unit that stands for this one today: itself, or who took it over, or who took that one over."""
        seen: set[str] = set()
        while unit in self.units and self.units[unit].successor and unit not in seen:
            seen.add(unit)
            unit = self.units[unit].successor
        return unit

    def were(self, unit: str) -> frozenset[str]:
        """The unit and all that went into it: under which ids its old lessons stand."""
        return frozenset(each for each in self.units if self.now(each) == unit) | {unit}

    @cached_property
    def _went_into(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for unit in self.units.values():
            if unit.successor:
                found.setdefault(unit.successor, []).append(unit.id)
        return found

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        children: dict[str, list[str]] = {}
        for unit in self.units.values():
            for parent in dict.fromkeys(line.value for line in unit.parents):
                children.setdefault(parent, []).append(unit.id)
        return children


NAME_LIMIT = 80
MOST_UNITS = 10_000
"""The tree is told whole to pages: eight times the largest county that is planned for."""
MOST_BONDS = 5_000
BOUND_KINDS = frozenset({UnitKind.SCHOOL, UnitKind.POINT})


def founded(
    unit: str, kind: UnitKind, name: Words, parent: str, day: date, organisation: Organisation
) -> Unit:
    """A new unit from a day on. BadOrganisation where its name, its parent or its id cannot be."""
    check_name(name)
    if len(organisation.units) >= MOST_UNITS:
        raise _full(MOST_UNITS, "单位", "units")
    if unit in organisation.units:
        raise BadOrganisation("unit_there", zh="这个编号已经有了。", en="There is a unit of this id already.")
    if kind is UnitKind.COUNTY:
        if any(each.kind is UnitKind.COUNTY for each in organisation.units.values()):
            raise BadOrganisation("second_county", zh="已经有一个县了。", en="There is a county already.")
        return Unit(unit, kind, day, (Dated(day, name),))
    bare = Unit(unit, kind, day, (Dated(day, name),))
    above = organisation.units.get(parent)
    if above is None:
        raise BadOrganisation("bad_parent", zh="请先选上级单位。", en="Choose the unit above it first.")
    return moved(bare, above, day, organisation)


def _full(most: int, zh: str, en: str) -> BadOrganisation:
    return BadOrganisation(
        "county_full",
        zh=f"一个县最多登记 {most} 个{zh}（包括已停用的）。请另建一个县的服务器。",
        en=f"A county has at most {most} {en}, those that are no more included. Give another its own server.",
    )


def check_name(name: Words) -> None:
    """BadOrganisation for a name that is empty, too long or has control characters."""
    for text in (name.zh, name.en):
        if not text.strip() or len(text) > NAME_LIMIT or not text.isprintable():
            raise BadOrganisation(
                "bad_name",
                zh=f"名称要有 1 至 {NAME_LIMIT} 个可见字符，中文和英文都要填。",
                en=f"A name has 1 to {NAME_LIMIT} visible characters, in Chinese and in English.",
            )


def check_bond(bond: Bond, organisation: Organisation) -> None:
    """BadOrganisation where one of the two is no school that day, or they are bound so already."""
    for end in (bond.first, bond.second):
        unit = organisation.units.get(end)
        if unit is None or unit.kind not in BOUND_KINDS or not unit.there(bond.since):
            raise BadOrganisation(
                "bad_bond",
                zh="只有在用的学校和教学点可以结对。",
                en="Only schools and points that are there.",
            )
    if len(organisation.bonds) >= MOST_BONDS:
        raise _full(MOST_BONDS, "结对", "bonds")
    same = (each for each in organisation.bonds if each.kind is bond.kind and each.there(bond.since))
    if bond.first == bond.second or any((e.first, e.second) == (bond.first, bond.second) for e in same):
        raise BadOrganisation("bad_bond", zh="它们已经这样结对了。", en="They are bound so already.")


def merged(unit: str, into: str, day: date, organisation: Organisation) -> list[Unit]:
    """What changes when a unit goes into another of its kind: what is right under it moves, then it closes.
    In the order in which they are to be saved, the closed one last. BadOrganisation as `moved`."""
    old, new = organisation.units[unit], organisation.units[into]
    children = [each for each in organisation.below(unit, day) if each.parent(day) == unit]
    changed = [moved(each, new, day, organisation) for each in children]
    after = Organisation({**organisation.units, **{each.id: each for each in changed}}, organisation.bonds)
    return [*changed, closed(old, day, after, new)]


def renamed(unit: Unit, name: Words, day: date) -> Unit:
    """The unit under another name from a day on. BadOrganisation before its last name began."""
    check_name(name)
    return replace(unit, names=_added(unit, unit.names, day, name))


def moved(unit: Unit, parent: Unit, day: date, organisation: Organisation) -> Unit:
    """The unit under another parent from a day on. BadOrganisation where kinds or dates do not fit, or the
    parent stands under the unit."""
    if parent.kind not in PARENTS[unit.kind] or not parent.there(day):
        raise BadOrganisation(
            "bad_parent",
            zh=f"“{unit.name(day).zh}”不能放在“{parent.name(day).zh}”下面。",
            en=f'"{unit.name(day).en}" cannot stand under "{parent.name(day).en}".',
        )
    if organisation.within(parent.id, unit.id, day):
        raise BadOrganisation(
            "parent_below", zh="不能把单位放到它自己的下级。", en="A unit cannot stand under itself."
        )
    return replace(unit, parents=_added(unit, unit.parents, day, parent.id))


def closed(unit: Unit, day: date, organisation: Organisation, successor: Unit | None = None) -> Unit:
    """The unit gone from a day on, taken over by `successor` where it was merged. BadOrganisation while
    units under it are still there, or where the successor is of another kind or not there."""
    left = [each for each in organisation.below(unit.id, day) if each.id != unit.id]
    if left:
        raise BadOrganisation(
            "has_units",
            zh=f"它下面还有“{left[0].name(day).zh}”等 {len(left)} 个单位，请先移走或停用。",
            en=f'It still has {len(left)} under it ("{left[0].name(day).en}"): move or close them first.',
        )
    if day <= unit.since or (unit.until is not None and unit.until <= day):
        raise _too_early()
    if successor and (successor.id == unit.id or successor.kind is not unit.kind or not successor.there(day)):
        raise BadOrganisation(
            "bad_successor",
            zh="只能并入同类的、仍在使用的单位。",
            en="It can only go into a unit of its kind that is still there.",
        )
    return replace(unit, until=day, successor=successor.id if successor else "")


def _added(unit: Unit, lines: tuple[Dated[T], ...], day: date, value: T) -> tuple[Dated[T], ...]:
    if not unit.there(day) or (lines and day < lines[-1].since):
        raise _too_early()
    kept = lines[:-1] if lines and lines[-1].since == day else lines  # corrected on its own day
    return (*kept, Dated(day, value))


def _at(lines: Iterable[Dated[T]], day: date) -> Dated[T] | None:
    found = None
    for line in lines:
        if line.since <= day:
            found = line
    return found


def _too_early() -> BadOrganisation:
    return BadOrganisation(
        "wrong_day",
        zh="日期早于上一次变更，或该单位那天不在使用。",
        en="The day is before the last change, or the unit is not there that day.",
    )
