"""server.api.tokens: a token is ours, of its kind, and not over."""

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api.tokens import BadToken, Claims, TokenKind, Tokens

KEY = bytes(range(32))


class Wall:
    """A clock set by hand."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self.now_ms = now_ms

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic(self) -> float:
        return self.now_ms / 1000


def test_a_token_says_what_it_was_issued_with_until_it_is_over() -> None:
    clock = Wall()
    tokens = Tokens(KEY, clock)
    token = tokens.issue(TokenKind.ROOM, lifetime_s=60, room="shahe", lesson="L0000000001")
    assert tokens.read(token) == Claims(TokenKind.ROOM, "shahe", "L0000000001")
    clock.now_ms += 60_000
    with pytest.raises(BadToken):
        tokens.read(token)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "lianke", "kind": "room"},
        {"aud": "other", "kind": "room", "exp": 2_000_000_000},
        {"aud": "lianke", "kind": "emperor", "exp": 2_000_000_000},
        {"aud": "lianke", "exp": 2_000_000_000},
        {"aud": "lianke", "kind": "room", "room": 7, "exp": 2_000_000_000},
        {"aud": "lianke", "kind": "room", "exp": "soon"},
        {"aud": "lianke", "kind": "room", "exp": 1_600_000_000},
    ],
)
def test_a_token_with_wrong_claims_is_refused_though_its_signature_is_right(
    claims: dict[str, object],
) -> None:
    with pytest.raises(BadToken):
        Tokens(KEY, Wall()).read(jwt.encode(claims, KEY, algorithm="HS256"))


def test_a_token_of_another_key_or_of_no_algorithm_is_refused() -> None:
    claims = {"aud": "lianke", "kind": "admin", "exp": 2_000_000_000}
    tokens = Tokens(KEY, Wall())
    for token in (
        jwt.encode(claims, bytes(32), algorithm="HS256"),
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode(claims, KEY * 2, algorithm="HS512"),
    ):
        with pytest.raises(BadToken):
            tokens.read(token)


@given(st.text(max_size=3000))
def test_text_from_the_network_is_never_a_token(text: str) -> None:
    with pytest.raises(BadToken):
        Tokens(KEY, Wall()).read(text)
