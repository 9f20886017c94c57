"""Finished recordings in an object store: a folder elsewhere or S3, by obstore. Growing files never go here.

Objects are named as in the archive: `{lesson}/{file}`. Blocking, but for what ends in `_async`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store, from_url

from recorder.archive.layout import check_lesson

CHUNK = 1 << 20
TIMEOUT = timedelta(seconds=30)


class StoreAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where: `url` "s3://bucket/prefix" or "file:///folder"; `endpoint` of an S3 server of one's own."""

    url: str
    endpoint: str = ""
    region: str = ""
    access_key: str = ""
    secret_key: str = ""


class StorageFailed(Exception):
    """The store cannot be reached, or refuses."""


class Storage:
    """One store. StorageFailed from every method, and for a URL that is none."""

    def __init__(self, at: StoreAt) -> None:
        try:
            self._store = _open(at)
        except (BaseError, ValueError) as error:
            raise StorageFailed(_said(error)) from error

    def put(self, lesson: str, path: Path) -> None:
        """A file as it is; large ones in parts."""
        try:
            obstore.put(self._store, _name(lesson, path.name), path, chunk_size=8 << 20)
        except (BaseError, OSError) as error:
            raise StorageFailed(_said(error)) from error

    def sizes(self, lesson: str) -> dict[str, int]:
        """Every object of the lesson by file name, with its bytes."""
        try:
            found = [
                meta for batch in obstore.list(self._store, f"{check_lesson(lesson)}/") for meta in batch
            ]
        except BaseError as error:
            raise StorageFailed(_said(error)) from error
        return {meta["path"].rpartition("/")[2]: meta["size"] for meta in found}

    def delete(self, lesson: str) -> int:
        """Every object of the lesson; their bytes."""
        sizes = self.sizes(lesson)
        try:
            if sizes:
                obstore.delete(self._store, [_name(lesson, name) for name in sizes])
        except BaseError as error:
            raise StorageFailed(_said(error)) from error
        return sum(sizes.values())

    async def size_async(self, lesson: str, name: str) -> int | None:
        """Bytes of one object; None where there is none."""
        try:
            return (await obstore.head_async(self._store, _name(lesson, name)))["size"]
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise StorageFailed(_said(error)) from error

    async def read_async(self, lesson: str, name: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes `start` to before `end`."""
        try:
            for at in range(start, end, CHUNK):
                until = min(at + CHUNK, end)
                yield bytes(
                    await obstore.get_range_async(self._store, _name(lesson, name), start=at, end=until)
                )
        except BaseError as error:
            raise StorageFailed(_said(error)) from error


def _open(at: StoreAt) -> S3Store | LocalStore:
    if at.url.startswith("s3://"):
        config = {"region": at.region or "us-east-1"}
        given = (
            ("endpoint", at.endpoint),
            ("access_key_id", at.access_key),
            ("secret_access_key", at.secret_key),
        )
        config |= {name: value for name, value in given if value}
        options = {"allow_http": at.endpoint.startswith("http://"), "timeout": TIMEOUT}
        return S3Store.from_url(at.url, config=config, client_options=options)  # type: ignore[arg-type]
    if at.url.startswith("file://"):
        Path(at.url.removeprefix("file://")).mkdir(parents=True, exist_ok=True)
        store = from_url(at.url)
        assert isinstance(store, LocalStore)
        return store
    raise ValueError(f"neither s3:// nor file://: {at.url[:80]}")


def _name(lesson: str, name: str) -> str:
    return f"{check_lesson(lesson)}/{name}"


def _said(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
