"""server.ops.logs: one line a record, nothing private in it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from server.ops import logs
from server.ops.logs import Private, fields


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    before, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = before
    logger.setLevel(level)


def test_a_record_is_one_line_even_where_a_peer_wrote_line_breaks(
    root: logging.Logger,
) -> None:
    stream = io.StringIO()
    logs.set_up("campus", "info", "text", stream)
    logging.getLogger("live").info("said %s", "a\nFAKE ERROR\r\nline", extra=fields(lesson="L1"))
    assert len(stream.getvalue().splitlines()) == 1
    assert stream.getvalue().endswith("lesson=L1\n")
    assert " INFO campus live said " in stream.getvalue()


def test_a_traceback_stays_on_its_line(root: logging.Logger) -> None:
    for form in ("text", "json"):
        stream = io.StringIO()
        logs.set_up("campus", "info", form, stream)
        try:
            raise ValueError("broken")
        except ValueError:
            logging.getLogger("live").exception("failed")
        assert len(stream.getvalue().splitlines()) == 1
        assert "ValueError: broken" in stream.getvalue()


def test_a_private_value_shows_its_kind_and_can_be_told_from_another(root: logging.Logger) -> None:
    stream = io.StringIO()
    logs.set_up("campus", "info", "json", stream)
    address = Private("address", "192.0.2.77")
    logging.getLogger("api").info("from %s", address, extra=fields(token=Private("token", "secret")))
    said = json.loads(stream.getvalue())
    assert "192.0.2.77" not in stream.getvalue()
    assert "secret" not in stream.getvalue()
    assert said["message"].startswith("from <address ")
    assert str(address) == str(Private("address", "192.0.2.77"))
    assert str(address) != str(Private("address", "192.0.2.78"))
