"""Every route that views, downloads, shares, changes or deletes writes a row of the audit log.

Walks the routes by their source: a handler, or a function of ours that it calls, writes the row. What it
holds is tested where the route is.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.api.application import ROUTES

VIEWS = ("/replay", "/receipt", "/audit", "/observe", "/export", "/download")
VIEWS += ("/sheets/{form}.{kind}", "/export.csv")
QUIET = {
    "/api/v1/room-code": "written inside, by the code",
    "/api/v1/lessons/{lesson}/watched": "where a viewer stopped, told every few seconds",
}
QUIET_PARTS = ("/network/", "/whip", "/whep", "/pairing", "/hear", "/health", "/seen", "/beat")
"""Tests of a line, media doors of a lesson that was logged when it was opened, devices' own reports."""


def calls(function: Callable[..., Any], seen: set[object]) -> Iterator[str]:
    """Everything that a function calls, as it is written, and what ours among those call."""
    if function in seen:
        return
    seen.add(function)
    module = inspect.getmodule(function)
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if not isinstance(node, ast.Call):
            continue
        said = ast.unparse(node.func)
        yield said
        found = getattr(module, said, None)
        if inspect.isfunction(found) and found.__module__.startswith("server.api"):
            yield from calls(found, seen)


def audited(handler: Callable[..., Any]) -> bool:
    return any(said.endswith((".audit", "audit.write")) or "audit" in said for said in calls(handler, set()))


def walked() -> list[Any]:
    found = []
    for module in ROUTES:
        for route in module.routes():
            path = getattr(route, "path", "")
            changes = getattr(route, "method", "GET") in ("POST", "PUT", "PATCH", "DELETE")
            views = path.startswith("/api/v1/") and path.endswith(VIEWS)
            if (changes or views) and path not in QUIET and not any(part in path for part in QUIET_PARTS):
                found.append(pytest.param(route.handler, id=f"{route.method} {path}"))
    return found


@pytest.mark.parametrize("handler", walked())
def test_the_route_writes_a_row(handler: Callable[..., Any]) -> None:
    assert audited(handler)
