"""The sections of the configuration and their defaults (configs/lianke.toml says them with words)."""

from __future__ import annotations

import msgspec

from server.protocol.messages import Words


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
    database: str = ""  # "postgresql://user:password@host/name"; empty: an SQLite file in the directory
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
    open_before_s: int = 900  # the studio may prepare a booked lesson
    join_before_s: int = 180  # its rooms come in untouched
    start_at_bell: bool = True  # by itself, where the studio is open
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
    """Cameras and encoders: those the server opens by their address, those that push to it by RTMP."""

    networks: list[str] = msgspec.field(default_factory=lambda: list(PRIVATE_NETWORKS))
    rtmp_listen: str = "0.0.0.0"
    rtmp_port: int = 0
    check_before_s: int = 300  # a look at each source that starts with a booked lesson; 0: none


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


class County(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The county itself; its schools, rooms and people are in the store."""

    time_zone: str = "Asia/Shanghai"  # whose days and bells are meant


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
