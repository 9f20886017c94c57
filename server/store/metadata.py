"""What all tables share: the metadata they are listed in, and column types that both databases can keep."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

METADATA = MetaData()

MS = Integer().with_variant(BigInteger(), "postgresql")
"""Milliseconds since 1970: SQLite's INTEGER holds them, PostgreSQL's does not."""
