"""The ICE-lite agent: who gets a reply, what it says, and where media may go."""

from __future__ import annotations

import pytest
from aioice import stun

from server.media.ice import Check, Credentials, Dropped, IceLite

OURS = Credentials("our1", "our-password-our-password")
NEWER = Credentials("our2", "new-password-new-password")
ADDRESS = ("192.0.2.9", 5000)


def request(username: str = "our1:them", pwd: str = OURS.pwd, **attributes: object) -> bytes:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1
    for name, value in attributes.items():
        message.attributes[name.replace("_", "-")] = value
    message.add_message_integrity(pwd.encode())
    return bytes(message)


def agent() -> IceLite:
    ice = IceLite([OURS])
    ice.set_remote("them")
    return ice


@pytest.mark.parametrize("address", [ADDRESS, ("2001:db8::9", 5000)])
def test_a_good_check_is_answered_with_its_address_and_our_integrity(address: tuple[str, int]) -> None:
    data = request(ICE_CONTROLLING=1)
    check = agent().receive(data, address)
    assert isinstance(check, Check)
    assert (check.valid, check.nominated) == (True, False)
    reply = stun.parse_message(check.reply)
    assert reply.message_class is stun.Class.RESPONSE
    assert reply.transaction_id == stun.parse_message(data).transaction_id
    assert reply.attributes["XOR-MAPPED-ADDRESS"] == address
    assert reply.check_message_integrity(OURS.pwd.encode())
    assert "FINGERPRINT" in reply.attributes


def test_use_candidate_nominates() -> None:
    check = agent().receive(request(ICE_CONTROLLING=1, USE_CANDIDATE=None), ADDRESS)
    assert isinstance(check, Check)
    assert check.nominated


def test_a_controlled_peer_is_told_the_role_conflict_and_not_validated() -> None:
    check = agent().receive(request(ICE_CONTROLLED=1, USE_CANDIDATE=None), ADDRESS)
    assert isinstance(check, Check)
    assert (check.valid, check.nominated) == (False, False)
    assert stun.parse_message(check.reply).error_code == 487


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (request(pwd="x" * 24), Dropped.BAD_INTEGRITY),
        (request("else:them"), Dropped.UNKNOWN_USER),
        (request("our1:stranger"), Dropped.UNKNOWN_USER),
        (request("our1"), Dropped.UNKNOWN_USER),
        (bytes(stun.Message(stun.Method.BINDING, stun.Class.INDICATION)), Dropped.NO_REQUEST),
        (bytes(stun.Message(stun.Method.ALLOCATE, stun.Class.REQUEST)), Dropped.NO_REQUEST),
        (request()[:-1], Dropped.UNREADABLE),
        (b"", Dropped.UNREADABLE),
    ],
    ids=lambda value: value.name if isinstance(value, Dropped) else "",
)
def test_what_does_not_prove_our_password_gets_no_reply(data: bytes, why: Dropped) -> None:
    assert agent().receive(data, ADDRESS) is why


def test_a_request_without_integrity_gets_no_reply() -> None:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = "our1:them"
    assert agent().receive(bytes(message), ADDRESS) is Dropped.BAD_INTEGRITY


def test_before_the_other_side_is_known_its_user_fragment_may_be_any() -> None:
    assert isinstance(IceLite([OURS]).receive(request("our1:any"), ADDRESS), Check)


def test_after_a_restart_both_generations_are_answered_and_only_the_newer_nominates() -> None:
    ice = agent()
    ice.restart(NEWER)
    ice.set_remote("them2")
    old, new = request(USE_CANDIDATE=None), request("our2:them2", NEWER.pwd, USE_CANDIDATE=None)
    nominated = []
    for data in (old, new, old):
        check = ice.receive(data, ADDRESS)
        assert isinstance(check, Check)
        nominated.append(check.nominated)
    assert nominated == [True, True, False]
    ice.restart(Credentials("our3", "third-password-third-password"))
    assert ice.receive(old, ADDRESS) is Dropped.UNKNOWN_USER


def test_a_reply_is_never_longer_than_the_request_that_earned_it() -> None:
    data = request(ICE_CONTROLLING=1)
    check = agent().receive(data, ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65535))
    assert isinstance(check, Check)
    assert len(check.reply) <= len(data)
