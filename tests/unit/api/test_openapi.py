"""server.api.openapi: the document tells every route, and the routes keep to it (schemathesis)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

from server.api import keys, passwords
from server.api.application import ROUTES
from server.domain.posts import Post, PostRole
from server.protocol.messages import Words
from server.store.county import FOUNDED
from tests.unit.api.conftest import Campus, Opener

EXAMPLES = 3
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
SLOW = ("/probe", "/find", "/discover", "/login", "/setup", "/unlock", "/password", "/logout", "/sessions")
"""Not asked in bulk: they wait on purpose, hash passwords, or end the session that asks."""


async def document(campus: Campus) -> Any:
    async with campus.browser.get("/api/v1/openapi.json") as reply:
        assert reply.status == 200
        return json.loads(await reply.text())


async def test_every_route_of_the_api_is_in_the_document(campus: Campus) -> None:
    told = await document(campus)
    said = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    routes = {
        (route.method, route.path)
        for module in ROUTES
        for route in module.routes()
        if route.path.startswith("/api/v1/") and ":" not in route.path
    }
    assert {(method, path) for method, path in routes if method not in ("HEAD", "OPTIONS", "*")} <= said
    setup = told["paths"]["/api/v1/setup"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert setup == {"$ref": "#/components/schemas/SetUp"}
    assert told["components"]["schemas"]["SetUp"]["additionalProperties"] is False


async def test_what_is_answered_keeps_to_the_document_whatever_is_asked(open_campus: Opener) -> None:
    campus = await open_campus(security={"wrong_tries": 100_000})
    store = campus.app[keys.STORE]
    hashed = await passwords.hashed(campus.app, "correct horse battery")
    await store.people.add("boss", Words(zh="管", en="Boss"), hashed, person="boss")
    county = await store.county.county()
    assert county is not None
    await store.people.appoint(Post("boss", PostRole.COUNTY_ADMIN, county.id, FOUNDED))
    body = {"name": "all", "scopes": [], "days": 1}
    async with campus.browser.post(
        "/api/v1/login", json={"login": "boss", "password": "correct horse battery"}
    ) as reply:
        body["scopes"] = [each for each in (await reply.json())["may"] if each != "change_own"]
    async with campus.browser.post("/api/v1/me/tokens", json=body) as reply:
        token = (await reply.json())["token"]
    told = await document(campus)
    url = str(campus.server.make_url("/")).rstrip("/")
    asked = await asyncio.to_thread(ask_everything, told, url, {"Authorization": f"Bearer {token}"})
    assert asked >= EXAMPLES * 40


def ask_everything(told: Any, url: str, headers: dict[str, str]) -> int:
    """Some examples of each operation; how many were asked. Blocks."""
    schema = schemathesis.openapi.from_dict(told)
    asked = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.path.endswith(SLOW):
            continue

        @BOUNDED
        @given(case=operation.as_strategy())
        def one(case: Any) -> None:
            nonlocal asked
            asked += 1
            response = case.call(base_url=url, headers=headers, timeout=40)
            assert response.status_code < 500 or response.status_code == 503, (case, response.text)
            if response.status_code >= 400:
                assert response.headers["content-type"][0] == "application/problem+json", case
                assert json.loads(response.content)["words"]["zh"], case
            else:
                case.validate_response(response, checks=(schemathesis.checks.response_schema_conformance,))

        one()
    return asked
