"""How many pages may be open at once."""

from __future__ import annotations

import asyncio

from tests.unit.api.conftest import Opener


async def test_one_page_too_many_is_told_so_in_words_and_comes_in_when_another_left(
    open_campus: Opener,
) -> None:
    campus = await open_campus(http={"most_pages": 2})
    first, second = [await campus.browser.ws_connect("/ws") for _ in range(2)]
    async with campus.browser.ws_connect("/ws") as third:
        told = await third.receive_json()
        assert (told["type"], told["code"], told["fatal"]) == ("refused", "too_many", True)
        assert told["words"]["zh"]
        assert told["retry_after_ms"] > 0
        await third.receive()
        assert third.close_code == 4000
    await first.close()
    async with asyncio.timeout(5):
        while True:
            async with campus.browser.ws_connect("/ws") as again:
                await again.send_str("{}")
                if (await again.receive_json())["code"] == "bad_message":
                    break
    await second.close()
