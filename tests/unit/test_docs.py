"""A setting, message, route, verb or metric that is not documented fails here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from server.api.application import ROUTES
from server.api.problems import BY_STATUS, STATUS_OF_CODE
from server.cli import app, lesson
from server.ops.metrics import Metrics
from server.protocol import messages

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_route_is_in_the_interfaces_page() -> None:
    text = page("docs/api.md")
    paths = {
        re.sub(r"{(\w+):[^}]*}(?=\W|$)", r"{\1}", route.path)
        for module in ROUTES
        for route in module.routes()
    }
    plain = {re.sub(r"{(\w+):.*?[}\]]}?", r"{\1}", path) for path in paths}
    missing = {path for path in plain if f"{path}`" not in text}
    assert {path for path in missing if "media" not in path} == set()
    assert "/media/{expires}.{signature}/{lesson}/{file}" in text


def test_every_problem_code_is_in_the_interfaces_page() -> None:
    text = page("docs/api.md")
    codes = set(STATUS_OF_CODE) | {code for code, _ in BY_STATUS.values()}
    assert {code for code in codes if f"`{code}`" not in text} == set()


@pytest.mark.parametrize("union", [messages.ToServer, messages.FromServer])
def test_every_websocket_message_is_in_the_protocols_page(union: object) -> None:
    text = page("docs/protocol.md")
    tags = {str(arm.__struct_config__.tag) for arm in get_args(union)}
    assert {tag for tag in tags if f"`{tag}`" not in text} == set()


def test_every_verb_of_the_command_line_is_in_the_readme() -> None:
    text = page("README.md")
    verbs = {f"lianke {name}" for name in app if not name.startswith("-")}
    verbs |= {f"lianke lesson {name}" for name in lesson if not name.startswith("-")}
    assert {verb for verb in verbs if verb not in text} == set()


def test_every_metric_of_campus_is_in_the_interfaces_page() -> None:
    text = page("docs/api.md")
    metrics = Metrics(lambda: {"lessons_live": 1, "pages": 2, "inbox_dropped": 0})
    metrics.responses.labels(method="GET", status=200).inc()
    metrics.refused.labels(code="x").inc()
    said = re.findall(r"^# TYPE (\S+) (?:counter|gauge)$", metrics.text().decode(), re.MULTILINE)
    named = {name for name in said if not name.endswith("_created")}
    assert len(named) >= 5
    assert {name for name in named if name not in text} == set()
