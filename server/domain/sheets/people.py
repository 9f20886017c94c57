"""People and their posts read from a spreadsheet's rows: one row a post (pure).

Nobody is removed by a file: who is not in it stays. A row may end a post (its last day), and a person with
several posts has several rows. The same file again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from server.domain.org import Organisation, UnitKind, check_name
from server.domain.people import checked_login
from server.domain.posts import PLACES, PostRole
from server.domain.sheets.cells import Findings, Sheet
from server.domain.sheets.headings import HEADING_ROWS, columns_of, is_too_long, lacks, rows_below
from server.errors import UserFault
from server.protocol.messages import Words

HEADINGS: dict[str, str] = {
    **dict.fromkeys(("登录名", "账号", "login", "log-in name"), "login"),
    **dict.fromkeys(("姓名", "name"), "name"),
    **dict.fromkeys(("英文名", "name in english", "english name"), "english"),
    **dict.fromkeys(("职务", "角色", "role", "post"), "role"),
    **dict.fromkeys(("单位", "学校", "unit", "school"), "unit"),
    **dict.fromkeys(("起", "任职日期", "from", "since"), "since"),
    **dict.fromkeys(("止", "离任日期", "until"), "until"),
}
NEEDED = {
    "login": Words("登录名", "login"),
    "name": Words("姓名", "name"),
    "role": Words("职务", "role"),
    "unit": Words("单位", "unit"),
}
ROLE_NAMES: dict[str, PostRole] = {
    **dict.fromkeys(("县管理员", "county admin"), PostRole.COUNTY_ADMIN),
    **dict.fromkeys(("校管理员", "学校管理员", "school admin"), PostRole.SCHOOL_ADMIN),
    **dict.fromkeys(("教师", "老师", "teacher"), PostRole.TEACHER),
    **dict.fromkeys(("助教", "assistant"), PostRole.ASSISTANT),
    **dict.fromkeys(("教研员", "researcher"), PostRole.RESEARCHER),
    **dict.fromkeys(("运维", "keeper", "operator"), PostRole.OPERATOR),
    **{role.value: role for role in PostRole},
}
ROLE_WORDS = {role: next(name for name, each in ROLE_NAMES.items() if each is role) for role in PostRole}
TITLES = ("登录名", "姓名", "英文名", "职务", "单位", "起", "止")
EXAMPLE = ("zhangmin", "张敏", "Zhang Min", "教师", "第一小学", "", "")


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One row: a person and a post; `since` None: today. `row` counts from 0."""

    login: str
    name: Words
    role: PostRole
    unit: str
    since: date | None
    until: date | None
    sheet: Sheet
    row: int


@dataclass(frozen=True, slots=True)
class UnitDirectory:
    """The units that are there, by each name they may be given in a file: name -> id. `shared`: names of
    several units; "school/unit" tells them apart."""

    units: Mapping[str, str]
    kinds: Mapping[str, UnitKind]
    shared: frozenset[str]


def unit_directory(organisation: Organisation, day: date) -> UnitDirectory:
    """All units of a day, by id, name, and name with that of the unit above."""
    names: dict[str, str] = {}
    shared: set[str] = set()
    kinds: dict[str, UnitKind] = {}

    def call(name: str, unit: str) -> None:
        if names.setdefault(name, unit) != unit:
            shared.add(name)

    for unit in organisation.units.values():
        if not unit.there(day):
            continue
        kinds[unit.id] = unit.kind
        words, above = unit.name(day), organisation.units.get(unit.parent(day))
        for name in {words.zh, words.en}:
            call(name, unit.id)
        if above is not None:
            call(f"{above.name(day).zh}/{words.zh}", unit.id)
            call(f"{above.name(day).en}/{words.en}", unit.id)
    names.update({unit: unit for unit in kinds})
    return UnitDirectory({name: unit for name, unit in names.items() if name not in shared}, kinds,
                         frozenset(shared - kinds.keys()))  # fmt: skip


def unit_name(unit: str, organisation: Organisation, directory: UnitDirectory, day: date) -> str:
    """How a unit is written into a file so that it is found again."""
    found = organisation.units.get(unit)
    if found is None:
        return unit
    above = organisation.units.get(found.parent(day))
    plain = found.name(day).zh
    longer = f"{above.name(day).zh}/{plain}" if above is not None else plain
    return next((name for name in (plain, longer) if directory.units.get(name) == unit), unit)


@dataclass(slots=True)
class PeopleReading(Findings):
    """What was found in a file so far. `names`: of each log-in name, with the row that said it."""

    directory: UnitDirectory
    lines: list[PersonLine] = field(default_factory=list)
    names: dict[str, tuple[Words, int]] = field(default_factory=dict)
    posts: dict[tuple[str, PostRole, str], int] = field(default_factory=dict)


def read_people(sheets: Sequence[Sheet], reading: PeopleReading) -> None:
    """Every sheet that has anything in it, into `reading`."""
    for sheet in sheets:
        if any(cell.strip() for row in sheet.rows for cell in row):
            _read_sheet(sheet, reading)


def _read_sheet(sheet: Sheet, reading: PeopleReading) -> None:
    if is_too_long(sheet, reading):
        return
    for row in range(min(HEADING_ROWS, len(sheet.rows))):
        columns = columns_of(sheet, row, HEADINGS)
        if len(columns) < 3:
            continue
        if not lacks(sheet, row, columns, NEEDED, reading):
            for below in rows_below(sheet, row):
                _Row(sheet, below, columns, reading).read()
        return
    zh, en = "找不到表头。请使用模板。", "No headings found. Use the template."
    reading.tell(sheet, 0, 0, "no_headings", zh, en)


@dataclass(slots=True)
class _Row:
    sheet: Sheet
    row: int
    columns: Mapping[str, int]
    reading: PeopleReading
    wrong: bool = False

    def read(self) -> None:
        login, name = self._login(), self._name()
        role, unit = self._role(), self._unit()
        since, until = self._day("since"), self._day("until")
        if since and until and until <= since:
            self._tell("until", "bad_days", "离任要晚于任职。", "The end has to come after the beginning.")
        if self.wrong or role is None:
            return
        if self.reading.directory.kinds[unit] not in PLACES[role]:
            self._tell("role", "bad_post", "这个职务不能设在这个单位。",
                       "Such a post cannot be held in such a unit.")  # fmt: skip
            return
        said = self.reading.names.setdefault(login, (name, self.row))
        if said[0] != name:
            row = said[1] + 1
            self._tell("name", "other_name", f"第 {row} 行的同一登录名是另一个姓名。",
                       f"Row {row} gives this log-in name another name.")  # fmt: skip
            return
        before = self.reading.posts.setdefault((login, role, unit), self.row)
        if before != self.row:
            zh, en = f"与第 {before + 1} 行是同一职务。", f"The same post as row {before + 1}."
            self._tell("role", "twice", zh, en)
            return
        self.reading.lines.append(PersonLine(login, name, role, unit, since, until, self.sheet, self.row))

    def _text(self, kind: str) -> str:
        text = self.sheet.at(self.row, self.columns[kind]) if kind in self.columns else ""
        return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@") else text

    def _tell(self, kind: str, code: str, zh: str, en: str) -> None:
        self.wrong = True
        self.reading.tell(self.sheet, self.row, self.columns.get(kind, 0), code, zh, en)

    def _login(self) -> str:
        try:
            return checked_login(self._text("login"))
        except UserFault as error:
            self._tell("login", error.code, error.words.zh, error.words.en)
            return ""

    def _name(self) -> Words:
        name, english = self._text("name"), self._text("english")
        words = Words(name or english, english or name)
        try:
            check_name(words)
        except UserFault as error:
            self._tell("name", error.code, error.words.zh, error.words.en)
        return words

    def _role(self) -> PostRole | None:
        text = self._text("role")
        found = ROLE_NAMES.get(text.lower())
        if found is None:
            self._tell("role", "bad_role", f"没有“{text[:40]}”这种职务。", f'"{text[:40]}" is no post.')
        return found

    def _unit(self) -> str:
        text, directory = self._text("unit"), self.reading.directory
        found = directory.units.get(text)
        if found is None and text in directory.shared:
            zh = f"有几个单位叫“{text[:40]}”，请写成“上级单位/{text[:40]}”。"
            en = f'Several units are called "{text[:40]}": write the one above, a slash, it.'
            self._tell("unit", "shared_name", zh, en)
        elif found is None:
            self._tell("unit", "unknown_unit", f"没有名为“{text[:40]}”的单位。请先建立，或改正名称。",
                       f'There is no unit "{text[:40]}". Add it first, or correct the name.')  # fmt: skip
        return found or ""

    def _day(self, kind: str) -> date | None:
        text = self._text(kind).replace("/", "-").replace(".", "-")
        if not text:
            return None
        try:
            year, month, day = (int(part) for part in text.split("-"))
            return date(year, month, day)
        except ValueError:
            self._tell(kind, "bad_day", f"看不懂日期“{text[:40]}”，请写成 2026-09-01。",
                       f'"{text[:40]}" is no day: write it as 2026-09-01.')  # fmt: skip
            return None
