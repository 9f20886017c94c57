"""What the REST API says of the county's units and people (pure). TypeScript is made from here too.

Days are the county's, YYYY-MM-DD. Every change names the `version` that its author saw; an older one is 412.
"""

from __future__ import annotations

import msgspec

from server.protocol.messages import Words
from server.protocol.timetable import CellProblem


class UnitName(msgspec.Struct, frozen=True):
    since: str
    name: Words


class UnitParent(msgspec.Struct, frozen=True):
    since: str
    parent: str


class UnitRow(msgspec.Struct, frozen=True):
    """A unit as it is on the asked day. `kind`: domain.org.UnitKind; `main`: a room with a studio; `yours`:
    the asker may change it; `names`, `parents`: its history."""

    unit: str
    kind: str
    name: Words
    parent: str
    since: str
    until: str | None
    successor: str
    version: int
    main: bool
    yours: bool
    names: list[UnitName]
    parents: list[UnitParent]


class BondRow(msgspec.Struct, frozen=True):
    """`kind`: domain.org.BondKind; in a group or community the first leads."""

    kind: str
    first: str
    second: str
    since: str
    until: str | None


class County(msgspec.Struct, frozen=True):
    """All units and bonds that are there on a day."""

    day: str
    units: list[UnitRow]
    bonds: list[BondRow]


class NewUnit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST units`. `since`: today unless said."""

    kind: str
    name: Words
    parent: str = ""
    since: str | None = None
    main: bool = False


class UnitChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PATCH units/{unit}`: one change from `day` on (today unless said): another name or parent,
    with or without studio, closed, or merged `into` another."""

    version: int
    day: str | None = None
    name: Words | None = None
    parent: str | None = None
    main: bool | None = None
    close: bool = False
    into: str | None = None


class NewBond(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST bonds`, and of `POST bonds/end`."""

    kind: str
    first: str
    second: str
    day: str | None = None


class PostRow(msgspec.Struct, frozen=True):
    """`role`: domain.posts.PostRole."""

    number: int
    role: str
    unit: str
    unit_name: Words
    since: str
    until: str | None


class PersonRow(msgspec.Struct, frozen=True):
    """`yours`: the asker may change it."""

    person: str
    login: str
    name: Words
    active: bool
    has_password: bool
    must_change: bool
    version: int
    yours: bool
    posts: list[PostRow]


class PeoplePage(msgspec.Struct, frozen=True):
    people: list[PersonRow]
    total: int


class NewPost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST people/{person}/posts`."""

    role: str
    unit: str
    since: str | None = None


class NewPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST people`."""

    login: str
    name: Words
    post: NewPost


class PersonChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PATCH people/{person}`."""

    version: int
    name: Words | None = None
    active: bool | None = None


class FirstPassword(msgspec.Struct, frozen=True):
    """Told once; it has to be changed at the first log-in."""

    person: str
    login: str
    password: str


class PeopleImported(msgspec.Struct, frozen=True):
    """What an import did, or (`done` false) would do or cannot. `posts`: given anew; `same`: stand already;
    `passwords`: of the new people, told once. `problems_more`: there are more than are told."""

    done: bool
    lines: int
    new: int
    changed: int
    posts: int
    ended: int
    same: int
    problems: list[CellProblem]
    problems_more: bool = False
    markable: bool = False
    passwords: list[FirstPassword] = []


class AuditLine(msgspec.Struct, frozen=True):
    number: int
    at: int
    actor: str
    action: str
    thing: str
    details: dict[str, str]


class AuditPage(msgspec.Struct, frozen=True):
    """The newest first; `before`: for the next page, null at the end."""

    rows: list[AuditLine]
    before: int | None


class ConsentRow(msgspec.Struct, frozen=True):
    """`level`: domain.consent.Consent; `at` null: nobody said anything, which is none. `version`: to be given
    back with a change."""

    unit: str
    name: Words
    level: str
    at: int | None
    actor: str
    note: str
    version: int = 0


class ConsentPage(msgspec.Struct, frozen=True):
    """Classes by the order of units; `total`: of all pages."""

    rows: list[ConsentRow]
    total: int


class ConsentChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT consents/{unit}`. `note`: on which paper, by whom; `version`: as it was read."""

    version: int
    level: str
    note: str = ""


class ConsentChanged(msgspec.Struct, frozen=True):
    """`unpublished`: lessons that were closed by it; `version`: to change it again."""

    unpublished: list[str]
    version: int


class ApiTokenRow(msgspec.Struct, frozen=True):
    """`id` is no secret: it revokes the token, it is not the token."""

    id: str
    name: str
    scopes: list[str]
    created_at: int
    expires_at: int
    used_at: int | None


class NewApiToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST me/tokens`. `scopes`: actions, of those that the person may do."""

    name: str
    scopes: list[str]
    days: int = 90


class MadeApiToken(msgspec.Struct, frozen=True):
    """Told once."""

    id: str
    token: str


CountyResource = (
    County | PeoplePage | PersonRow | FirstPassword | PeopleImported | AuditPage | ConsentRow | ConsentPage
    | ConsentChanged
    | ApiTokenRow | MadeApiToken
)  # fmt: skip
CountyBody = (
    NewUnit | UnitChange | NewBond | NewPost | NewPerson | PersonChange | ConsentChange | NewApiToken
)  # fmt: skip
