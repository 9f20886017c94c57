"""server.protocol.typescript: what the pages are compiled against is what campus says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from server.protocol import messages, resources
from server.protocol.typescript import generate, typescript_of

MESSAGES = Path(__file__).parents[3] / "web" / "src" / "protocol" / "messages.ts"


def test_the_file_in_the_tree_is_up_to_date() -> None:
    assert MESSAGES.read_text() == generate()


def test_every_message_and_resource_is_there_once_with_its_tag() -> None:
    text = generate()
    arms = [*get_args(messages.ToServer), *get_args(messages.FromServer)]
    for arm in arms:
        assert text.count(f'export interface {arm.__name__} {{\n  type: "{arm.__struct_config__.tag}";') == 1
    for arm in (*get_args(resources.Resource), *get_args(resources.Body)):
        assert len(re.findall(rf"^export interface {arm.__name__} \{{$", text, re.MULTILINE)) == 1


def test_what_a_page_says_may_leave_out_defaults_and_what_campus_says_is_whole() -> None:
    text = generate()
    hello = text[text.index("interface Hello") :].partition("}")[0]
    assert "  token: string;" in hello
    assert "  resume?: string | null;" in hello
    welcome = text[text.index("interface Welcome") :].partition("}")[0]
    assert "?" not in welcome


@pytest.mark.parametrize(
    ("annotation", "typescript"),
    [
        (str | None, "string | null"),
        (list[int], "number[]"),
        (list[str | None], "(string | null)[]"),
        (dict[str, messages.Words], "Record<string, Words>"),
        (messages.Role, "Role"),
    ],
)
def test_python_types_become_typescript(annotation: object, typescript: str) -> None:
    assert typescript_of(annotation) == typescript


def test_a_type_without_a_counterpart_is_refused() -> None:
    with pytest.raises(TypeError, match="complex"):
        typescript_of(complex)
