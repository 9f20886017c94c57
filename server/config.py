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

import msgspec

from server.errors import UserFault
from server.ids import is_room_id
from server.protocol.messages import Words

PREFIX = "LIANKE_"
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Pages, API and signalling."""

    listen: str = "0.0.0.0"
    port: int = 8080
    public_url: str = ""  # as browsers see it behind a proxy, e.g. "https://lianke.example.cn"
    trusted_proxies: list[str] = []  # addresses whose X-Forwarded-For is believed
    max_body_bytes: int = 256 * 1024
    request_timeout_s: float = 20.0
    certificate: str = ""  # PEM file, with its chain; read again when it changes. Empty: plain HTTP
    key: str = ""  # PEM file of its key
    help_port: int = 0  # a page over plain HTTP for panels that cannot open HTTPS; 0: none
    ca: str = ""  # PEM file of a private CA, offered on that page
    most_pages: int = 2000  # WebSockets open at once; further pages are told to come back


class Media(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The media workers: worker k uses UDP port `port_base + k`, and the TCP port of that number."""

    listen: str = "0.0.0.0"
    announce: list[str] = []  # the addresses browsers reach; empty: the listening ones
    port_base: int = 40000
    tcp: bool = True  # for rooms whose firewall lets no UDP through
    workers: int = 0  # 0: one less than there are cores, at least one


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A TURN server (coturn with `use-auth-secret`) for rooms that reach no media worker by themselves."""

    urls: list[str] = []  # e.g. "turns:lianke.example.cn:443?transport=tcp"
    secret: str = ""  # coturn's static-auth-secret
    credential_hours: int = 12


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where things lie. `archive` empty: a folder of `directory`."""

    directory: str = "/var/lib/lianke"
    archive: str = ""
    run_directory: str = "/run/lianke"
    least_free_bytes: int = 2_000_000_000  # below this /readyz says no


class Lessons(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rules of a lesson's time."""

    ad_hoc_minutes: int = 60
    notice_before_bell_s: int = 120
    closing_s: int = 60
    resume_s: int = 60  # a session that lost its line comes back as the same one
    main_away_closes_s: int = 600
    record_pupils: bool = False


class Broadcast(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A lesson for many: who has its link watches."""

    webrtc_viewers: int = 200  # of one lesson; further ones get the live playlist, some seconds later
    viewers: int = 2000  # of one lesson
    link_hours: int = 4  # a link that nobody ended is over after this
    remote_hours: int = 4  # the phone remote


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of a recording after its lesson."""

    keep_journal: bool = False  # else it goes once every picture and sound was decoded and every sum taken


PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


class Ingest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cameras and encoders that the server opens by their address."""

    networks: list[str] = msgspec.field(default_factory=lambda: list(PRIVATE_NETWORKS))


class Library(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Recordings as people find, keep and bring them."""

    upload_most_bytes: int = 8_000_000_000  # of one film that is brought into the library


class Publishing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is made of a recording after class, and at what cost."""

    hours: str = ""  # when the bulk lane may work, "22:00-06:30"; empty: whenever lessons leave it room
    nice: int = 19  # its priority: 19 gives way to everything
    preset: str = "veryfast"  # x264's
    threads: int = 2  # of an encoder
    film_height: int = 720


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Days for which recordings are kept, by their class; 0: for ever. What is held is never deleted."""

    ordinary_days: int = 1095
    model_days: int = 0
    trial_days: int = 30


class Storage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where finished recordings go besides the archive's folder."""

    url: str = ""  # "s3://bucket/prefix", "file:///mnt/archive"; empty: nowhere else
    endpoint: str = ""  # of an S3 server of one's own
    region: str = ""
    access_key: str = ""
    secret_key: str = ""
    local_days: int = 0  # media in the store leave the folder after so many days; 0: never


class Security(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Lifetimes and slowness."""

    session_hours: int = 12
    room_token_days: int = 400
    lesson_token_hours: int = 12
    media_url_minutes: float = 10.0  # renewed by the page that plays
    wrong_tries: int = 5  # free wrong codes or passwords of one address, then it waits
    wrong_tries_wait_s: float = 2.0  # doubled at each further one, at most 5 minutes


class Supervisor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the processes are watched."""

    drain_s: float = 10.0  # after SIGTERM; then they are killed
    restart_first_s: float = 0.2
    restart_most_s: float = 10.0
    hung_after_s: float = 30.0  # a process without a heartbeat for so long is started again; 0: never


class Logs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    level: str = "info"  # debug, info, warning, error
    format: str = "text"  # text, json


class Demo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The sample county: tokens for who sits at this machine. Refuses any address but loopback."""

    enabled: bool = False


class RoomEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A room of the installation. Ids are [a-z0-9-], 1 to 32 characters."""

    id: str
    zh: str
    en: str
    main: bool = False

    @property
    def name(self) -> Words:
        return Words(zh=self.zh, en=self.en)


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
