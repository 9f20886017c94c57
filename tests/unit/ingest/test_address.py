"""Addresses of sources: what is one, where it may lead, and that its password is never shown."""

from __future__ import annotations

import pytest

from server.ingest.address import BadAddress, allowed_networks, parse, resolve


def test_a_camera_with_a_password_is_read_and_shown_without_it() -> None:
    address = parse(" rtsp://admin:p%40ss@192.168.1.64/Streaming/Channels/101?a=1 ")
    assert (address.user, address.password, address.port) == ("admin", "p@ss", 554)
    assert str(address) == "rtsp://192.168.1.64:554/Streaming/Channels/101?a=1"
    assert "p@ss" not in repr(address)
    assert "p%40ss" not in repr(address)
    assert address.url("192.168.1.64") == "rtsp://admin:p%40ss@192.168.1.64:554/Streaming/Channels/101?a=1"
    assert parse("rtsp://[fd00::1]/x").url("fd00::1") == "rtsp://[fd00::1]:554/x"


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("rtsp://admin:12/3@192.168.1.64:554/live", "12/3"),
        ("rtsp://admin:12#3@192.168.1.64/live", "12#3"),
        ("rtsp://admin:what?@192.168.1.64/live", "what?"),
        ("rtsp://admin:p@ss/w@192.168.1.64/live", "p@ss/w"),
        ("rtsp://a@school.cn:1#2@[fd00::1]/live", "1#2"),
        ("rtsp://admin:\u5bc6\u7801@192.168.1.64/live", "\u5bc6\u7801"),
    ],
)
def test_a_password_may_be_typed_as_it_is_and_no_part_of_it_is_shown(text: str, password: str) -> None:
    address = parse(text)
    assert address.password == password
    place = "[fd00::1]" if ":" in address.host else "192.168.1.64"
    assert str(address) == f"rtsp://{place}:554/live"


@pytest.mark.parametrize(
    "text", ["rtsp://10.0.0.1/live@2", "rtsp://camera:554/live@2", "rtsp://u:p@10.0.0.1/a@b.c"]
)
def test_a_sign_in_a_path_is_no_login(text: str) -> None:
    assert parse(text).host in ("10.0.0.1", "camera")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "unknown_scheme"),
        ("192.168.1.64", "unknown_scheme"),
        ("file:///etc/passwd", "unknown_scheme"),
        ("concat:/etc/passwd|x", "unknown_scheme"),
        ("rtsp://", "bad_address"),
        ("rtsp://host:99999/", "bad_address"),
        ("rtsp://host:x/", "bad_address"),
        ("udp://239.0.0.1", "bad_address"),
        ("rtsp://a b/", "bad_address"),
        ("rtsp://host/\r\nX: y", "bad_address"),
        ("rtsp://[bad/", "bad_address"),
        ("rtsp://host/" + "a" * 2000, "bad_address"),
    ],
)
def test_what_is_no_address_is_told_in_words(text: str, code: str) -> None:
    with pytest.raises(BadAddress) as caught:
        parse(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://127.0.0.1/",
        "rtsp://localhost/",
        "http://169.254.169.254/latest",
        "rtsp://[::1]/",
        "rtsp://0.0.0.0/",
    ],
)
def test_an_address_outside_the_allowed_networks_is_not_opened(text: str) -> None:
    with pytest.raises(BadAddress) as caught:
        resolve(parse(text), allowed_networks(["192.168.0.0/16"]))
    assert caught.value.code == "network_not_allowed"
    assert "networks" in caught.value.words.en


def test_an_ipv4_address_written_as_ipv6_is_judged_as_what_it_is() -> None:
    with pytest.raises(BadAddress):
        resolve(parse("rtsp://[::ffff:127.0.0.1]/"), allowed_networks(["192.168.0.0/16", "fc00::/7"]))


def test_an_allowed_address_is_opened_by_its_number() -> None:
    assert resolve(parse("rtsp://localhost/"), allowed_networks(["127.0.0.0/8", "::1/128"])) in (
        "127.0.0.1",
        "::1",
    )
    assert resolve(parse("rtsp://192.168.1.64/"), allowed_networks(["192.168.0.0/16"])) == "192.168.1.64"


def test_a_name_that_means_nothing_is_told() -> None:
    with pytest.raises(BadAddress) as caught:
        resolve(parse("rtsp://camera.invalid/"), None)
    assert caught.value.code == "unknown_host"
