"""People as values: what `store.people` gives. No database in here."""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.posts import Post
from server.protocol.messages import Words


@dataclass(frozen=True, slots=True)
class Person:
    """Who can hold posts. `version` rises with each change; `must_change`: the password is a first one."""

    id: str
    login: str
    name: Words
    language: str = ""
    has_password: bool = False
    must_change: bool = False
    active: bool = True
    version: int = 1


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post with the number under which it is ended."""

    number: int
    post: Post
