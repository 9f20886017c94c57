"""The session machine: hello first, limits, heart-beat, refusals."""

from __future__ import annotations

import msgspec
import pytest

from server.protocol import messages as m
from server.protocol.outbox import LIMIT, Outbox
from server.protocol.session import (
    BURST,
    TRANSITIONS,
    Close,
    CloseCode,
    Decide,
    Deliver,
    Effect,
    LocalFault,
    Send,
    Session,
    SessionEvent,
    SessionState,
)

WELCOME = m.Welcome(session="s" * 20, role=m.Role.ROOM, room="shahe", name=m.Words("沙河", "Shahe"), now=1)
HELLO = m.Hello(token="t")


def text(message: m.ToServer) -> str:
    return msgspec.json.encode(message).decode()


def opened() -> Session:
    session = Session(0.0)
    session.receive(text(HELLO), 0.1)
    session.accept(WELCOME)
    return session


def refusal(effects: list[Effect]) -> str:
    assert isinstance(effects[0], Send)
    assert isinstance(effects[0].message, m.Refused)
    assert effects[0].message.fatal
    assert isinstance(effects[1], Close)
    return effects[0].message.code


def test_hello_is_decided_and_then_welcomed() -> None:
    session = Session(0.0)
    assert session.receive(text(HELLO), 0.1) == [Decide(HELLO)]
    assert session.state is SessionState.DECIDING
    assert session.accept(WELCOME) == [Send(WELCOME)]
    assert session.receive(text(m.Hand(up=True)), 0.2) == [Deliver(m.Hand(up=True))]


def test_whatever_comes_before_hello_ends_the_session() -> None:
    session = Session(0.0)
    assert refusal(session.receive(text(m.Start()), 0.1)) == "hello_first"
    assert session.state is SessionState.CLOSED
    assert session.receive(text(HELLO), 0.2) == []


def test_what_comes_while_we_decide_ends_it_too() -> None:
    session = Session(0.0)
    session.receive(text(HELLO), 0.1)
    assert refusal(session.receive(text(m.Start()), 0.1)) == "hello_first"
    assert session.accept(WELCOME) == []


def test_a_second_hello_is_refused() -> None:
    assert refusal(opened().receive(text(HELLO), 0.3)) == "hello_twice"


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{}",
        "nonsense",
        '{"type":"shutdown"}',
        '{"type":"hand","up":true,"more":1}',
        '{"type":"hand","up":"yes"}',
        '{"type":"stage","source":"kitchen"}',
        "[" * 60_000,
        b"\xff\xfe\x00",
        '{"type":"hello","token":' + "[" * 10_000 + "}",
    ],
)
def test_what_is_not_of_this_language_is_refused_and_hung_up(data: str | bytes) -> None:
    assert refusal(opened().receive(data, 0.2)) == "bad_message"


def test_a_message_over_the_limit_is_refused() -> None:
    effects = opened().receive(" " * (m.MAX_MESSAGE + 1), 0.2)
    assert refusal(effects) == "too_big"
    assert isinstance(effects[1], Close)
    assert effects[1].code is CloseCode.TOO_BIG


def test_another_version_is_told_to_reload() -> None:
    assert refusal(Session(0.0).receive(text(m.Hello(token="t", version=99)), 0.1)) == "bad_version"


def test_a_flood_is_refused_after_the_burst() -> None:
    session = opened()
    count = 0
    while (effects := session.receive(text(m.Ping(at=1)), 0.1)) == [Send(m.Pong(at=1, now=0))]:
        count += 1
    assert refusal(effects) == "too_fast"
    assert count == BURST - 1  # the hello was one


def test_a_ping_is_answered_with_the_servers_time() -> None:
    assert opened().receive(text(m.Ping(at=7)), 1.0, wall_ms=42) == [Send(m.Pong(at=7, now=42))]


def test_ten_seconds_of_silence_end_it_and_any_message_puts_that_off() -> None:
    session = opened()
    assert session.deadline() == pytest.approx(10.1)
    session.receive(text(m.Ping(at=7)), 5.0)
    assert session.tick(14.9) == []
    assert session.tick(15.0) == [Close(CloseCode.SILENT, "silent")]
    assert session.deadline() is None
    assert session.tick(99.0) == []


def test_who_does_not_say_hello_is_hung_up_and_may_come_back() -> None:
    session = Session(0.0)
    effects = session.tick(5.0)
    assert refusal(effects) == "no_hello"
    assert isinstance(effects[0], Send)
    assert isinstance(effects[0].message, m.Refused)
    assert effects[0].message.retry_after_ms > 0


def test_every_entry_of_the_table_is_reachable_and_every_gap_names_itself() -> None:
    for state in SessionState:
        for event in SessionEvent:
            session = Session(0.0, state)
            if event in TRANSITIONS[state]:
                session._to(event)
                assert session.state is TRANSITIONS[state][event]
            else:
                with pytest.raises(LocalFault, match=str(event)):
                    session._to(event)


def test_a_slow_page_gets_the_newest_view_and_not_all_of_them() -> None:
    outbox = Outbox()
    assert outbox.put(m.Notice(id="a"))
    for at in range(1000):
        assert outbox.put(m.Levels(rooms={"a": -at}))
        assert outbox.put(m.Slots(connection="c", slots={}))
        assert outbox.put(m.Slots(connection="d", slots={}))
    assert len(outbox) == 4
    assert outbox.take() == m.Notice(id="a")
    assert outbox.take() == m.Levels(rooms={"a": -999})


def test_a_page_that_takes_nothing_is_found_out() -> None:
    outbox = Outbox()
    assert all(outbox.put(m.Notice(id="a")) for _ in range(LIMIT))
    assert not outbox.put(m.Notice(id="a"))
    assert outbox.put(m.Lesson(lesson=None)) is False
