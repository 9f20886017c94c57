"""server.api.rights: the tables are whole, and each role reaches as far as they say."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api.rights import (
    MESSAGE_ACTIONS,
    RIGHTS,
    Action,
    NoRight,
    Thing,
    allows,
    enter_session,
    require_message,
)
from server.api.roles import ANYONE, Actor, ActorRole
from server.api.tokens import BadToken, TokenKind, Tokens
from server.clock import SystemClock
from server.protocol import messages as ws
from server.protocol.messages import Role

LESSON = Thing(lesson="L0000000001", main_room="main", seats=frozenset({"shahe", "yefan"}))
OTHER = Thing(lesson="L0000000002", main_room="other", seats=frozenset({"luoping"}))
STUDIO = Actor(ActorRole.STUDIO, room="main")
SHAHE = Actor(ActorRole.ROOM, room="shahe")
OPEN_TO_ALL = {
    Action.OPEN_PAGE, Action.READ_HELP, Action.READ_HEALTH, Action.READ_ME, Action.SET_UP, Action.LOG_IN,
    Action.LOG_OUT, Action.ENTER_CODE, Action.ENTER_LOBBY, Action.READ_FEED, Action.ASK_PAIRING,
    Action.ASK_OPTIONS, Action.CONNECT,
}  # fmt: skip


def test_every_action_has_a_row_and_every_websocket_message_an_action() -> None:
    assert set(RIGHTS) == set(Action)
    assert set(MESSAGE_ACTIONS) == set(get_args(ws.ToServer))


def test_what_anyone_may_do_is_this_short_list() -> None:
    assert {action for action in Action if allows(ANYONE, action, LESSON)} == OPEN_TO_ALL


def test_a_studio_teaches_its_own_room_and_no_other() -> None:
    assert allows(STUDIO, Action.TEACH, LESSON)
    assert not allows(STUDIO, Action.TEACH, OTHER)
    assert not allows(STUDIO, Action.TEACH)


def test_a_studio_token_of_one_lesson_is_good_for_that_lesson_alone() -> None:
    bound = Actor(ActorRole.STUDIO, room="main", lesson="L0000000001")
    assert allows(bound, Action.TEACH, LESSON)
    assert not allows(bound, Action.TEACH, Thing(lesson="L0000000003", main_room="main"))


def test_a_room_sends_and_receives_where_it_has_a_seat_and_never_teaches() -> None:
    assert allows(SHAHE, Action.SEND, LESSON)
    assert allows(SHAHE, Action.RECEIVE, LESSON)
    assert not allows(SHAHE, Action.RECEIVE, OTHER)
    assert not allows(SHAHE, Action.TEACH, LESSON)
    for action in (Action.LIST_LESSONS, Action.READ_REPLAY, Action.LIST_ROOMS, Action.READ_CODES):
        assert not allows(SHAHE, action, LESSON)


def test_the_operator_runs_lessons_and_opens_no_recording() -> None:
    operator = Actor(ActorRole.OPERATOR)
    assert allows(operator, Action.START_LESSON, LESSON)
    assert not allows(operator, Action.READ_REPLAY, LESSON)


@given(st.sampled_from(list(ActorRole)), st.sampled_from(list(Action)))
def test_no_role_that_is_bound_reaches_a_lesson_that_is_not_its_own(role: ActorRole, action: Action) -> None:
    stranger = Actor(role, room="elsewhere", lesson="L0000000009")
    unbound = {ActorRole.ADMIN, ActorRole.OPERATOR, ActorRole.DEMO_VISITOR, ActorRole.LOCAL}
    unbound |= {ActorRole.KEEPER, ActorRole.PERSON}  # by posts of the county, for what is no lesson's
    of_no_lesson = action in OPEN_TO_ALL | {Action.TEST_NETWORK, Action.TELL_OF_ITSELF, Action.ANSWER_CALL}
    if not of_no_lesson and role not in unbound:
        assert not allows(stranger, action, LESSON)


def test_hello_takes_a_pages_token_only() -> None:
    tokens = Tokens(bytes(32), SystemClock())
    token = tokens.issue(TokenKind.ROOM, lifetime_s=60, room="shahe")
    assert enter_session(tokens.read(token)) == (SHAHE, Role.ROOM)
    for kind in (TokenKind.WHIP, TokenKind.OPERATOR):
        with pytest.raises(NoRight):
            enter_session(tokens.read(tokens.issue(kind, lifetime_s=60)))
    with pytest.raises(BadToken):
        enter_session(tokens.read("no token"))


def test_a_message_without_the_right_is_refused_and_a_ping_needs_no_lesson() -> None:
    require_message(STUDIO, ws.Start(), LESSON)
    require_message(SHAHE, ws.Ping(at=1), Thing())
    with pytest.raises(NoRight):
        require_message(SHAHE, ws.Start(), LESSON)
    with pytest.raises(NoRight):
        require_message(STUDIO, ws.Hand(up=True), LESSON)
