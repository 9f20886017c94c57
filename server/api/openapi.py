"""The OpenAPI document of `/api/v1`, made from the routes and the msgspec types that their handlers use.

Nothing is written down twice: what a route takes is the type that its handler gives to `body_of`, what it
answers the type that it gives to `answer`, both read from the handler's own source; its words are the
docstring.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, get_type_hints

import msgspec
from aiohttp import web

from server.api.guarding import answer
from server.api.rights import Action, require
from server.protocol.resources import Problem

PREFIX = "/api/v1/"
PATH = PREFIX + "openapi.json"
REF = "#/components/schemas/{name}"
NO_CONTENT = 204
PROBLEM_TYPE = "application/problem+json"
PROBLEM = {"$ref": REF.format(name="Problem")}
_PARAMETER = re.compile(r"\{(\w+)(?::[^{}]*(?:\{[^}]*\}[^{}]*)*)?\}")
DOCUMENT = web.AppKey("openapi", dict[str, Any])


@dataclass(frozen=True, slots=True)
class Operation:
    """What the source of a handler tells of it."""

    body: Any = None
    answer: Any = None
    status: int = 200
    query: tuple[str, ...] = ()


@functools.cache
def operation_of(handler: Callable[..., Any]) -> Operation:
    """Read from the source; what cannot be told from it stays open."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(handler)))
    names = inspect.getmodule(handler).__dict__
    body, said, status, query = None, None, 200, []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "body_of":
            body = names.get(ast.unparse(node.args[1]))
        elif called == "answer" and said is None:
            said, status = _type_of(node.args[0], names), _status_of(node, 200)
        elif called in ("web.Response", "response.Response") and said is None:
            status = _status_of(node, 200)
        elif body is None and _is_beside(names.get(called), handler):
            body = operation_of(names[called]).body
        elif called.endswith("query.get") and isinstance(node.args[0], ast.Constant):
            query.append(str(node.args[0].value))
    return Operation(body, said, status, tuple(dict.fromkeys(query)))


def _is_beside(found: object, handler: Callable[..., Any]) -> bool:
    """Another function of the handler's module, which may read the body for it."""
    return (
        inspect.iscoroutinefunction(found)
        and found is not handler
        and getattr(found, "__module__", "") == handler.__module__
    )


def _status_of(call: ast.Call, default: int) -> int:
    given = [word.value for word in call.keywords if word.arg == "status"]
    literal = [value.value for value in given if isinstance(value, ast.Constant)]
    return int(literal[0]) if literal and isinstance(literal[0], int) else default


def _type_of(node: ast.expr, names: dict[str, Any]) -> Any:
    """The struct that an expression makes, a list of one, or None where the source does not tell."""
    match node:
        case ast.Await(value=value):
            return _type_of(value, names)
        case ast.Call(func=ast.Name(id=name)):
            found = names.get(name)
            if isinstance(found, type) and issubclass(found, msgspec.Struct):
                return found
            hints = get_type_hints(found) if inspect.isfunction(found) else {}
            said = hints.get("return")
            return said if isinstance(said, type) and issubclass(said, msgspec.Struct) else None
        case ast.ListComp(elt=inner):
            kind = _type_of(inner, names)
            return list[kind] if kind is not None else None  # type: ignore[valid-type]
        case _:
            return None


def document_of(app: web.Application) -> dict[str, Any]:
    """OpenAPI 3.1."""
    routes = [route for route in app.router.routes() if _is_ours(route)]
    found = [(route, operation_of(route.handler)) for route in routes]
    types = {each for _, one in found for each in (one.body, one.answer) if each is not None} | {Problem}
    kinds = sorted(types, key=str)
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route, operation in found:
        assert route.resource is not None
        path = _PARAMETER.sub(r"{\1}", route.resource.canonical)
        paths.setdefault(path, {})[route.method.lower()] = _described(route, operation, path, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lianke", "version": "1", "description": "docs/api.md says what each is for."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "lianke_session"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{}, {"session": []}, {"token": []}],
    }


def _is_ours(route: web.AbstractRoute) -> bool:
    resource = route.resource
    plain = resource is not None and resource.canonical.startswith(PREFIX)
    return plain and route.method not in ("HEAD", "OPTIONS", "*")


def _described(
    route: web.AbstractRoute, operation: Operation, path: str, schema_of: dict[Any, Any]
) -> dict[str, Any]:
    handler = route.handler
    words = inspect.getdoc(handler) or ""
    told: dict[str, Any] = {
        "operationId": f"{handler.__module__.rpartition('.')[2]}_{handler.__name__}_{route.method.lower()}",
        "summary": words.partition(".")[0] or handler.__name__,
        "parameters": _parameters("path", _PARAMETER.findall(path)) + _parameters("query", operation.query),
        "responses": {
            str(operation.status): _said(operation, schema_of),
            "default": {"description": "A problem", "content": {PROBLEM_TYPE: {"schema": PROBLEM}}},
        },
    }
    if operation.body is not None:
        content = {"application/json": {"schema": schema_of[operation.body]}}
        told["requestBody"] = {"required": True, "content": content}
    return told


def _said(operation: Operation, schema_of: dict[Any, Any]) -> dict[str, Any]:
    if operation.status == NO_CONTENT:
        return {"description": "Done"}
    if operation.answer is None:
        return {"description": "See docs/api.md"}
    return {"description": "Done", "content": {"application/json": {"schema": schema_of[operation.answer]}}}


def _parameters(place: str, names: Iterable[str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}}
        for name in names
    ]


async def read(request: web.Request) -> web.Response:
    """The document itself; for everybody: it says what there is, not what there is to see."""
    require(request, Action.OPEN_PAGE)
    known = request.app[DOCUMENT]
    if not known:
        known.update(await asyncio.to_thread(document_of, request.app))
    return answer(known)


def routes() -> list[web.RouteDef]:
    return [web.get(PATH, read)]
