"""Writes web/src/protocol/messages.ts from the unions of this package (pure: text on stdout).

`python -m server.protocol.typescript` prints the whole file; `make types` compares it with the tree.
What campus sends has every field; what a page sends may leave out fields that have a default.
"""

from __future__ import annotations

import inspect
import json
import sys
import types
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from server.protocol import (
    accounts,
    county,
    devices,
    library,
    lobby,
    messages,
    publishing,
    rehearsing,
    resources,
    sources,
    timetable,
)

HEAD = """\
// Generated from the unions of server/protocol by `make messages`. Do not edit.

export const VERSION = {version};
export const MAX_MESSAGE = {max_message};
"""

PRIMITIVES: dict[Any, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    bytes: "string",
    type(None): "null",
}


def _arms(union: Any) -> list[type[msgspec.Struct]]:
    return list(get_args(union))


def _is_struct(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


def _is_enum(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, StrEnum)


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def typescript_of(annotation: Any) -> str:
    """The TypeScript type of a Python annotation. TypeError for one that has none here."""
    if annotation in PRIMITIVES:
        return PRIMITIVES[annotation]
    if _is_struct(annotation) or _is_enum(annotation):
        return str(annotation.__name__)
    if _is_union(annotation):
        return " | ".join(typescript_of(arm) for arm in get_args(annotation))
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is list:
        inner = typescript_of(args[0])
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if origin is dict:
        return f"Record<string, {typescript_of(args[1])}>"
    raise TypeError(f"no TypeScript for {annotation!r}")


def _named_types(annotation: Any) -> list[type]:
    """Structs and enums an annotation names, its own arguments included."""
    if _is_struct(annotation) or _is_enum(annotation):
        return [annotation]
    return [name for argument in get_args(annotation) for name in _named_types(argument)]


def reachable(roots: list[type[msgspec.Struct]]) -> list[type]:
    """The roots and every struct and enum below them, each once, what is used before its user."""
    found: dict[type, None] = {}

    def visit(name: type) -> None:
        if name in found:
            return
        if _is_struct(name):
            for annotation in get_type_hints(name).values():
                for below in _named_types(annotation):
                    visit(below)
        found[name] = None

    for root in roots:
        visit(root)
    return list(found)


def _comment(described: type) -> str:
    text = described.__doc__
    inherited = text and text.startswith(described.__name__ + "(")
    if not text or inherited:
        return ""
    lines = inspect.cleandoc(text).splitlines()
    if len(lines) == 1:
        return f"/** {lines[0]} */\n"
    return "/**\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */\n"


def _enum(name: type[StrEnum]) -> str:
    values = " | ".join(json.dumps(member.value) for member in name)
    return f"{_comment(name)}export type {name.__name__} = {values};\n"


def _interface(name: type[msgspec.Struct], *, may_omit: bool) -> str:
    hints = get_type_hints(name)
    rows = []
    tag = name.__struct_config__.tag
    if tag is not None:
        rows.append(f"  {name.__struct_config__.tag_field}: {json.dumps(tag)};")
    for field in msgspec.structs.fields(name):
        mark = "?" if may_omit and not field.required else ""
        rows.append(f"  {field.encode_name}{mark}: {typescript_of(hints[field.name])};")
    body = "".join(row + "\n" for row in rows)
    return f"{_comment(name)}export interface {name.__name__} {{\n{body}}}\n"


def _union(name: str, arms: list[type[msgspec.Struct]]) -> str:
    return f"export type {name} =\n" + "\n".join(f"  | {arm.__name__}" for arm in arms) + ";\n"


def generate() -> str:
    """The whole of messages.ts."""
    to_server, from_server = _arms(messages.ToServer), _arms(messages.FromServer)
    said = _arms(resources.Resource) + _arms(library.LibraryResource) + _arms(publishing.PublishingResource)
    said += _arms(sources.SourceResource) + _arms(accounts.AccountResource)
    said += _arms(county.CountyResource) + _arms(lobby.LobbyResource)
    said += _arms(timetable.Resource) + _arms(devices.DeviceResource) + rehearsing.RESOURCES
    bodies = _arms(resources.Body) + _arms(library.LibraryBody) + publishing.BODIES
    bodies += _arms(sources.SourceBody) + _arms(accounts.AccountBody) + _arms(timetable.Body)
    bodies += _arms(devices.DeviceBody) + _arms(county.CountyBody) + rehearsing.BODIES
    bodies += _arms(lobby.LobbyBody)
    said_by_server = set(reachable(from_server + said))
    parts = [HEAD.format(version=messages.VERSION, max_message=messages.MAX_MESSAGE)]
    for name in reachable(to_server + from_server + said + bodies):
        if issubclass(name, StrEnum):
            parts.append(_enum(name))
        elif issubclass(name, msgspec.Struct):
            parts.append(_interface(name, may_omit=name not in said_by_server))
    parts.append(_union("ToServer", to_server))
    parts.append(_union("FromServer", from_server))
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(generate())
