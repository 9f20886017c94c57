"""What the REST API says of log-ins, people and posts (pure; docs/api.md). TypeScript is made from here too.

Days are the county's, written YYYY-MM-DD; times are milliseconds since 1970.
"""

from __future__ import annotations

import msgspec

from server.protocol.messages import Words


class SetUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST setup`: the first county admin. `code`: of the server's log, from another machine.
    `county`, `school`, `room`: names, where the wizard asked for them."""

    password: str
    code: str | None = None
    login: str = "admin"
    name: Words | None = None
    county: Words | None = None
    school: Words | None = None
    room: Words | None = None


class LogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST login` and `POST unlock`."""

    password: str
    login: str = "admin"


class PasswordChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT me/password`: ends the person's other sessions."""

    old: str
    new: str


class LanguageChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT me/language`: "zh", "en", or "" for the browser's."""

    language: str


class MyPost(msgspec.Struct, frozen=True):
    """A post held today. `role`: domain.posts.PostRole."""

    role: str
    unit: str
    unit_name: Words


class Me(msgspec.Struct, frozen=True):
    """Who this browser is. `needs_setup`: nobody can log in yet. `must_change`: nothing goes before a new
    password. `locked`: the session came to another network, and the password is asked for once more.
    `may`: actions of which the pages offer entries."""

    admin: bool
    needs_setup: bool
    demo: bool
    needs_setup_code: bool = False  # the set-up form has to ask for the code that the log shows
    person: str = ""
    login: str = ""
    name: Words | None = None
    language: str = ""
    must_change: bool = False
    locked: bool = False
    posts: list[MyPost] = []
    may: list[str] = []


class SessionRow(msgspec.Struct, frozen=True):
    """A log-in that is still good. `id` is no secret: it ends the session, it does not open it."""

    id: str
    agent: str
    created_at: int
    seen_at: int
    expires_at: int
    here: bool  # the one that asks


class CertificateView(msgspec.Struct, frozen=True):
    """The server's certificate. `secure`: this page came over HTTPS; `host`: under which name or address;
    `made`: there is one here, good for `names` until `expires`; `covers`: the host is among them; `used`: the
    configuration names it; `private`: of our own CA, which panels have to learn; `lines`: what to write under
    [http] of the configuration before the next start."""

    secure: bool
    host: str
    made: bool
    used: bool
    names: list[str]
    expires: int | None
    private: bool
    covers: bool
    lines: list[str]


class MakeCertificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST certificate`. `names`: host names and addresses that browsers open; none: this page's."""

    names: list[str] = []


class OwnCertificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT certificate`: PEM texts, the certificate with its chain."""

    certificate: str
    key: str


AccountResource = Me | SessionRow | CertificateView
AccountBody = SetUp | LogIn | PasswordChange | LanguageChange | MakeCertificate | OwnCertificate
