"""Passwords: Argon2id in a thread, two at a time, and the rules for a good one."""

from __future__ import annotations

import asyncio

from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.errors import UserFault

HASHER = PasswordHasher()  # Argon2id with the library's (RFC 9106) parameters
SHORTEST = 10
LONGEST = 1024
NOBODYS_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5J3Mgc2FsdCE$wBMm0SkG/4DLdXzVJM7cHOXCm9yDMEHvE2WiUJfuCAM"
)
HASHING = web.AppKey("hashing", asyncio.Semaphore)


def check(password: str, login: str = "") -> None:
    """UserFault "weak_password" for one that is too short, too long or the log-in name itself."""
    if not SHORTEST <= len(password) <= LONGEST or (login and password.lower() == login.lower()):
        raise UserFault(
            "weak_password",
            zh=f"密码至少 {SHORTEST} 个字符，不能与登录名相同。",
            en=f"Use a password of at least {SHORTEST} characters that is not the log-in name.",
        )


async def hashed(app: web.Application, password: str) -> str:
    async with app[HASHING]:
        return await asyncio.to_thread(HASHER.hash, password)


async def is_right(app: web.Application, stored: str, password: str) -> bool:
    """Takes the same time where nothing is stored (""): who guesses learns no log-in names."""
    if len(password) > LONGEST:
        return False
    async with app[HASHING]:
        try:
            return await asyncio.to_thread(HASHER.verify, stored or NOBODYS_HASH, password) and bool(stored)
        except (VerificationError, InvalidHashError):
            return False
