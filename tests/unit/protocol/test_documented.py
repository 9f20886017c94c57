"""docs/protocol.md says everything that can be said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from server.domain.lesson import LessonNotice
from server.domain.seats import TABLE
from server.protocol import messages as m
from server.protocol.parameters import Source
from server.protocol.session import FAULTS, CloseCode

TEXT = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()
WORDS = set(re.findall(r"[a-z0-9_]+", TEXT))


def variants() -> list[type[msgspec.Struct]]:
    return [*get_args(m.ToServer), *get_args(m.FromServer)]


@pytest.mark.parametrize("kind", variants(), ids=lambda kind: kind.__name__)
def test_every_message_has_a_row_with_each_of_its_fields(kind: type[msgspec.Struct]) -> None:
    tag = kind.__struct_config__.tag
    row = re.search(rf"^\| `{tag}` \|.*$", TEXT, re.MULTILINE)
    assert row is not None, f"{tag} is not documented"
    missing = [name for name in kind.__struct_fields__ if f"`{name}`" not in row[0]]
    assert not missing, f"{tag}: {missing}"


@pytest.mark.parametrize("kind", [m.LessonView, m.Seat, m.SlotReport], ids=lambda kind: kind.__name__)
def test_every_field_of_what_messages_hold_is_named(kind: type[msgspec.Struct]) -> None:
    assert [name for name in kind.__struct_fields__ if f"`{name}`" not in TEXT] == []


def test_states_details_notices_sources_and_codes_are_named() -> None:
    said = [row.state for row in TABLE] + [row.detail for row in TABLE if row.detail]
    said += [*m.LessonState, *LessonNotice, *Source]
    said += list(FAULTS)
    assert [word for word in said if word not in WORDS] == []
    assert [code for code in CloseCode if str(int(code)) not in TEXT] == []


def test_the_limits_are_those_of_the_code() -> None:
    assert m.MAX_MESSAGE == 64 * 1024
    assert "| a message to the server | 64 KiB |" in TEXT
