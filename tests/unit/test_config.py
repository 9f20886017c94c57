"""server.config: defaults, file, environment, and errors in words."""

import tomllib
from pathlib import Path

import pytest

from server.config import SECTIONS, Config, build, load
from server.errors import UserFault

CONFIGS = Path(__file__).parents[2] / "configs"


def told(document: dict[str, object], environment: dict[str, str] | None = None) -> str:
    with pytest.raises(UserFault) as caught:
        build(document, environment or {})
    assert caught.value.words.zh
    return caught.value.words.en


def test_the_annotated_file_is_the_defaults_and_names_every_setting() -> None:
    document = tomllib.loads((CONFIGS / "lianke.toml").read_text())
    assert build(document, {}) == Config()
    for section in SECTIONS:
        written, known = document[section], getattr(Config(), section).__struct_fields__
        assert list(written) == list(known), section


def test_the_sample_county_is_on_loopback_with_its_four_rooms() -> None:
    config = load(CONFIGS / "dev.toml", {})
    assert config.demo.enabled
    assert [room.id for room in config.rooms if room.main] == ["main"]
    assert [room.id for room in config.rooms if not room.main] == ["luoping", "shahe", "yefan"]
    assert config.own_url == "http://localhost:8080"


def test_the_small_school_is_a_valid_configuration() -> None:
    assert load(CONFIGS / "small-school.toml", {}).own_url == "https://lianke.school.example"


def test_the_environment_wins_over_the_file() -> None:
    config = build(
        {"http": {"port": 9000}},
        {"LIANKE_HTTP_PORT": "81", "LIANKE_MEDIA_ANNOUNCE": "192.0.2.1, 192.0.2.2", "HOME": "/"},
    )
    assert config.http.port == 81
    assert config.media.announce == ["192.0.2.1", "192.0.2.2"]


def test_a_demo_refuses_any_address_but_loopback() -> None:
    said = told({"demo": {"enabled": True}})
    assert "http.listen" in said
    assert "127.0.0.1" in said
    assert build({"demo": {"enabled": True}, "http": {"listen": "127.0.0.1"}}, {}).demo.enabled


@pytest.mark.parametrize(
    ("document", "environment", "named"),
    [
        ({"htp": {}}, {}, "htp"),
        ({"http": 3}, {}, "http"),
        ({"http": {"prot": 1}}, {}, "prot"),
        ({"http": {"port": "eighty"}}, {}, "http.port"),
        ({"http": {"port": 70000}}, {}, "http.port"),
        ({"http": {"listen": "localhost"}}, {}, "http.listen"),
        ({"logs": {"level": "loud"}}, {}, "logs.level"),
        ({"logs": {"format": "xml"}}, {}, "logs.format"),
        ({"rooms": [{"id": "A b", "zh": "一", "en": "one"}]}, {}, "rooms.id"),
        ({"rooms": [{"id": "a", "zh": "一", "en": "1"}] * 2}, {}, "rooms.id"),
        ({"rooms": [{"id": "a"}]}, {}, "rooms[0]"),
        ({}, {"LIANKE_HTTP_PROT": "1"}, "LIANKE_HTTP_PROT"),
        ({}, {"LIANKE_ROOMS": "1"}, "LIANKE_ROOMS"),
    ],
)
def test_what_cannot_be_is_told_by_the_name_of_its_setting(
    document: dict[str, object], environment: dict[str, str], named: str
) -> None:
    assert named in told(document, environment)


def test_a_missing_or_broken_file_is_told_by_its_path(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(UserFault, match=str(path)):
            load(path, {})
    broken = tmp_path / "broken.toml"
    broken.write_text("[http\n")
    with pytest.raises(UserFault, match="not valid TOML"):
        load(broken, {})
