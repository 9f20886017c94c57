"""server.api.slowing: wrong tries cost time, per address, without growing for ever."""

import pytest

from server.api.slowing import LONGEST_WAIT_S, MAX_ADDRESSES, Slowing, TooSoon


def tries_within(slowing: Slowing, address: str, seconds: float) -> int:
    """How many wrong tries an address gets through in this time when it never rests."""
    now, done = 0.0, 0
    while now < seconds:
        try:
            slowing.attempt(address, now)
        except TooSoon as too_soon:
            now += too_soon.retry_after_s
            continue
        done += 1
    return done


def is_slowed(slowing: Slowing, address: str, now: float = 0.0) -> bool:
    try:
        slowing.attempt(address, now)
    except TooSoon:
        return True
    return False


def test_a_day_of_guessing_from_one_address_is_hopeless() -> None:
    assert tries_within(Slowing(5, 2.0), "192.0.2.1", 86400) < 400


def test_a_right_try_forgets_the_wrong_ones() -> None:
    slowing = Slowing(2, 2.0)
    slowing.attempt("192.0.2.1", 0.0)
    slowing.attempt("192.0.2.1", 0.0)
    slowing.right("192.0.2.1")
    assert not is_slowed(slowing, "192.0.2.1")


def test_the_wait_doubles_up_to_five_minutes() -> None:
    slowing = Slowing(1, 2.0)
    now, waits = 0.0, []
    for _ in range(12):
        slowing.attempt("192.0.2.1", now)
        with pytest.raises(TooSoon) as too_soon:
            slowing.attempt("192.0.2.1", now)
        waits.append(too_soon.value.retry_after_s)
        now += too_soon.value.retry_after_s
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == LONGEST_WAIT_S


def test_waiting_long_enough_is_forgiven() -> None:
    slowing = Slowing(1, 2.0)
    slowing.attempt("192.0.2.1", 0.0)
    assert is_slowed(slowing, "192.0.2.1", 1.0)
    assert not is_slowed(slowing, "192.0.2.1", 2.0)


def test_other_addresses_are_not_slowed_but_one_ipv6_network_is_one() -> None:
    slowing = Slowing(1, 2.0)
    slowing.attempt("2001:db8::1", 0.0)
    assert not is_slowed(slowing, "192.0.2.1")
    assert not is_slowed(slowing, "2001:db8:1::1")
    assert is_slowed(slowing, "2001:db8::2")


def test_what_is_remembered_is_bounded() -> None:
    slowing = Slowing(1, 2.0)
    for number in range(MAX_ADDRESSES + 500):
        slowing.attempt(f"host-{number}", 0.0)
    assert len(slowing._tries) == MAX_ADDRESSES
