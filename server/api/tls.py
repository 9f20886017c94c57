"""HTTPS in campus itself: the certificate, read again when its file changes. A renewed one needs no restart.

A file that cannot be read any more changes nothing: the old certificate stays, the log says so.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from server.config import Http
from server.errors import UserFault

LOOK_EVERY_S = 10.0

log = logging.getLogger("tls")


class Certificate:
    """The TLS side of the listening socket. UserFault where the files do not fit."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate, self._key = certificate, key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._seen = self._stamp()
        try:
            self.context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise UserFault(
                "bad_setting",
                zh=f"http.certificate / http.key 用不了({error})。可用 lianke cert 生成。",
                en=f"http.certificate / http.key cannot be used ({error}). `lianke cert` makes a pair.",
            ) from error

    async def follow(self) -> None:
        """Until cancelled: new connections get the new certificate."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> bool:
        """Read the files again where they changed; whether a new certificate is used from now on."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self._certificate, self._key)
            self.context.load_cert_chain(self._certificate, self._key)
        except (OSError, ssl.SSLError) as error:
            log.error("the new certificate cannot be used, the old one stays: %s", error)
            return False
        log.info("the certificate was renewed")
        return True

    def _stamp(self) -> tuple[int, ...]:
        """When the two files changed; the files come one after the other, so both count."""
        try:
            return tuple(path.stat().st_mtime_ns for path in (self._certificate, self._key))
        except OSError:
            return ()


def certificate_of(http: Http) -> Certificate | None:
    """None for plain HTTP."""
    return Certificate(Path(http.certificate), Path(http.key)) if http.certificate else None
