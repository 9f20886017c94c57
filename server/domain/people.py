"""Log-in names of people (pure)."""

from __future__ import annotations

from server.errors import UserFault

LOGIN_LIMIT = 64


def plain_login(login: str) -> str:
    return login.strip().lower()


def checked_login(login: str) -> str:
    """In lower case. UserFault "bad_login"."""
    plain = plain_login(login)
    if not 1 <= len(plain) <= LOGIN_LIMIT or not plain.isprintable() or any(c.isspace() for c in plain):
        raise UserFault(
            "bad_login",
            zh=f"登录名为 1 至 {LOGIN_LIMIT} 个字符，不含空格。",
            en=f"A log-in name has 1 to {LOGIN_LIMIT} characters and no space.",
        )
    return plain
