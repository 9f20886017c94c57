"""Configuration: defaults -> TOML file -> environment, validated once, then frozen sections.

The one module that reads the environment. A key `KEY` of section `[SECTION]` is overridden by
`LIANKE_SECTION_KEY`; rooms come from the file only. configs/lianke.toml is the annotated reference
and equal to these defaults (a test compares them).
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from server.errors import UserFault
from server.ids import is_room_id
from server.settings import (
    Broadcast as Broadcast,
)
from server.settings import (
    County as County,
)
from server.settings import (
    Data as Data,
)
from server.settings import (
    Demo as Demo,
)
from server.settings import (
    Http as Http,
)
from server.settings import (
    Ingest as Ingest,
)
from server.settings import (
    Lessons as Lessons,
)
from server.settings import (
    Library as Library,
)
from server.settings import (
    Logs as Logs,
)
from server.settings import (
    Media as Media,
)
from server.settings import (
    Publishing as Publishing,
)
from server.settings import (
    Recording as Recording,
)
from server.settings import (
    Retention as Retention,
)
from server.settings import (
    RoomEntry as RoomEntry,
)
from server.settings import (
    Security as Security,
)
from server.settings import (
    Storage as Storage,
)
from server.settings import (
    Supervisor as Supervisor,
)
from server.settings import (
    Turn as Turn,
)

PREFIX = "LIANKE_"
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    http: Http = Http()
    media: Media = Media()
    turn: Turn = Turn()
    data: Data = Data()
    lessons: Lessons = Lessons()
    broadcast: Broadcast = Broadcast()
    recording: Recording = Recording()
    publishing: Publishing = Publishing()
    retention: Retention = Retention()
    storage: Storage = Storage()
    ingest: Ingest = Ingest()
    library: Library = Library()
    county: County = County()
    security: Security = Security()
    supervisor: Supervisor = Supervisor()
    logs: Logs = Logs()
    demo: Demo = Demo()
    rooms: list[RoomEntry] = []

    @property
    def worker_count(self) -> int:
        return self.media.workers or max(1, (os.cpu_count() or 1) - 1)

    @property
    def store_path(self) -> Path:
        return Path(self.data.directory) / "lianke.sqlite3"

    @property
    def store_place(self) -> Path | str:
        """PostgreSQL's URL, or the SQLite file."""
        return self.data.database or self.store_path

    @property
    def archive_path(self) -> Path:
        return Path(self.data.archive) if self.data.archive else Path(self.data.directory) / "archive"

    @property
    def run_path(self) -> Path:
        return Path(self.data.run_directory)

    @property
    def own_url(self) -> str:
        """The one address to tell people."""
        if self.http.public_url:
            return self.http.public_url.rstrip("/")
        host = self.http.listen
        if host in ("0.0.0.0", "::", "127.0.0.1", "::1"):
            host = "localhost"
        return f"{self.scheme}://{host}:{self.http.port}"

    @property
    def scheme(self) -> str:
        """Of campus itself, whatever a proxy before it speaks."""
        return "https" if self.http.certificate else "http"


SECTIONS: tuple[str, ...] = tuple(name for name in Config.__struct_fields__ if name != "rooms")


def bad_setting(key: str, *, zh: str, en: str) -> UserFault:
    """A setting that cannot be: the words name it and say what to do."""
    return UserFault("bad_setting", zh=f"配置项 {key}:{zh}", en=f"Setting {key}: {en}")


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise UserFault(
            "config_unreadable",
            zh=f"无法读取配置文件 {path}({error.strerror})。请检查 --config 后的路径。",
            en=f"Cannot read the configuration {path} ({error.strerror}). Check the path after --config.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserFault(
            "config_not_toml",
            zh=f"配置文件 {path} 不是有效的 TOML:{error}",
            en=f"The configuration {path} is not valid TOML: {error}",
        ) from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Overrides by section; a list is written with commas. UserFault for a key that does not exist."""
    found: dict[str, dict[str, Any]] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX):
            continue
        section, _, key = variable.removeprefix(PREFIX).lower().partition("_")
        kind = get_type_hints(Config)[section] if section in SECTIONS else None
        if kind is None or key not in kind.__struct_fields__:
            raise bad_setting(
                variable,
                zh="没有这个配置项,请删除该环境变量或更正拼写。",
                en="there is no such setting. Remove this environment variable or correct its name.",
            )
        is_list = isinstance(getattr(kind(), key), list)
        value = [part.strip() for part in text.split(",") if part.strip()] if is_list else text
        found.setdefault(section, {})[key] = value
    return found


def _convert(section: str, values: object) -> Any:
    kind = get_type_hints(Config)[section]
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        detail, _, where = str(error).partition(" - at `$")
        key = section + where.rstrip("`") if where else section
        raise bad_setting(
            key, zh=f"取值不对:{detail}。", en=f"{detail}. Compare with configs/lianke.toml."
        ) from error


def _check_address(key: str, text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError as error:
        raise bad_setting(
            key, zh=f"“{text}”不是 IP 地址。", en=f'"{text}" is not an IP address (write digits, not a name).'
        ) from error


def _check_network(key: str, text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise bad_setting(
            key,
            zh=f"“{text}”不是网段，应类似 192.168.1.0/24。",
            en=f'"{text}" is no network like 192.168.1.0/24.',
        ) from error


def _check_between(key: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise bad_setting(
            key, zh=f"{value} 不在 {low} 到 {high} 之间。", en=f"{value} is not between {low} and {high}."
        )


def _check_road(config: Config) -> None:
    """Certificate, help page and TURN fit together."""
    http, turn = config.http, config.turn
    _check_between("http.help_port", http.help_port, 0, 65535)
    if bool(http.certificate) != bool(http.key):
        raise bad_setting(
            "http.certificate", zh="证书和私钥要一起给出。", en="certificate and key go together: give both."
        )
    if http.help_port == http.port:
        raise bad_setting("http.help_port", zh="不能与 http.port 相同。", en="it must differ from http.port.")
    for url in turn.urls:
        if not url.startswith(("turn:", "turns:")):
            raise bad_setting(
                "turn.urls",
                zh=f"“{url}”应以 turn: 或 turns: 开头。",
                en=f'"{url}" must begin with turn: or turns:.',
            )
    if bool(turn.urls) != bool(turn.secret):
        raise bad_setting("turn.secret", zh="urls 和 secret 要一起给出。", en="urls and secret go together.")
    _check_between("turn.credential_hours", turn.credential_hours, 1, 24 * 7)


def _check_demo(config: Config) -> None:
    if not config.demo.enabled:
        return
    if not ipaddress.ip_address(config.http.listen).is_loopback:
        raise bad_setting(
            "http.listen",
            zh=f"演示配置只能监听 127.0.0.1,不能用 {config.http.listen}。"
            "正式使用请以 small-school.toml 为底稿。",
            en=f"the demo listens on 127.0.0.1 only, not on {config.http.listen}. "
            "For a real installation start from configs/small-school.toml.",
        )


def _check_hours(text: str) -> None:
    if text and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d", text, re.ASCII):
        raise bad_setting(
            "publishing.hours",
            zh=f"“{text}”应写成 22:00-06:30。",
            en=f'"{text}" should look like 22:00-06:30.',
        )


def _check_database(url: str) -> None:
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise bad_setting(
            "data.database",
            zh="应以 postgresql:// 开头；留空则用本机的 SQLite 文件。",
            en="it begins with postgresql://; empty: an SQLite file on this machine.",
        )


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise bad_setting(
            "county.time_zone",
            zh=f"没有“{name}”这个时区，应类似 Asia/Shanghai。",
            en=f'there is no time zone "{name}": write it like Asia/Shanghai.',
        ) from error


def _check_rooms(rooms: list[RoomEntry]) -> None:
    seen: set[str] = set()
    for room in rooms:
        if not is_room_id(room.id):
            raise bad_setting(
                "rooms.id",
                zh=f"“{room.id}”不可用,只能用小写字母、数字和连字符,最多 32 个字符。",
                en=f'"{room.id}" cannot be used: lower-case letters, digits and hyphens, at most 32.',
            )
        if room.id in seen:
            raise bad_setting("rooms.id", zh=f"“{room.id}”重复了。", en=f'"{room.id}" is there twice.')
        seen.add(room.id)


def _check(config: Config) -> Config:
    _check_address("http.listen", config.http.listen)
    _check_address("media.listen", config.media.listen)
    for address in (*config.media.announce, *config.http.trusted_proxies):
        _check_address("media.announce / http.trusted_proxies", address)
    for network in config.ingest.networks:
        _check_network("ingest.networks", network)
    _check_address("ingest.rtmp_listen", config.ingest.rtmp_listen)
    _check_between("ingest.rtmp_port", config.ingest.rtmp_port, 0, 65535)
    _check_between("http.port", config.http.port, 1, 65535)
    _check_between("media.workers", config.media.workers, 0, 256)
    _check_between("media.port_base", config.media.port_base, 1024, 65535 - config.worker_count)
    _check_between("lessons.ad_hoc_minutes", config.lessons.ad_hoc_minutes, 1, 600)
    _check_between("security.media_url_minutes", config.security.media_url_minutes, 0.05, 24 * 60)
    _check_between("publishing.nice", config.publishing.nice, 0, 19)
    _check_between("publishing.threads", config.publishing.threads, 1, 64)
    _check_between("publishing.film_height", config.publishing.film_height, 180, 2160)
    _check_hours(config.publishing.hours)
    if config.publishing.preset not in PRESETS:
        raise bad_setting("publishing.preset", zh=f"只能是 {'、'.join(PRESETS)}。",
                          en=f"it is one of {', '.join(PRESETS)}.")  # fmt: skip
    _check_between("retention.trial_days", config.retention.trial_days, 0, 36500)
    if config.logs.level not in ("debug", "info", "warning", "error"):
        raise bad_setting("logs.level", zh="只能是 debug、info、warning、error。",
                          en="it is one of debug, info, warning, error.")  # fmt: skip
    if config.logs.format not in ("text", "json"):
        raise bad_setting("logs.format", zh="只能是 text 或 json。", en="it is text or json.")
    _check_database(config.data.database)
    _check_zone(config.county.time_zone)
    _check_road(config)
    _check_demo(config)
    _check_rooms(config.rooms)
    return config


def build(document: Mapping[str, Any], environment: Mapping[str, str]) -> Config:
    """The configuration of a parsed file and an environment. UserFault with words where it cannot be."""
    overrides = _from_environment(environment)
    for key in document:
        if key not in Config.__struct_fields__:
            raise bad_setting(
                key, zh="没有这个小节,请对照 configs/lianke.toml。",
                en="there is no such section. Compare with configs/lianke.toml.",
            )  # fmt: skip
    sections: dict[str, Any] = {}
    for name in SECTIONS:
        written = document.get(name, {})
        if not isinstance(written, dict):
            raise bad_setting(name, zh="应为小节。", en=f"write it as a section, [{name}].")
        sections[name] = _convert(name, {**written, **overrides.get(name, {})})
    return _check(Config(**sections, rooms=_convert("rooms", document.get("rooms", []))))


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> Config:
    """Read, override, validate. `environment` defaults to the process'."""
    document = _read_file(path) if path is not None else {}
    return build(document, os.environ if environment is None else environment)
