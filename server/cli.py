"""The command `lianke`. Each verb imports what it needs when it runs, so that help is quick."""

from __future__ import annotations

import json
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from server import running
from server.cli_demo import demo
from server.cli_recording import recording
from server.cli_source import run_probe
from server.cli_store import add_to
from server.config import load
from server.errors import LiankeError, UserFault
from server.running import Running

app = App(
    name="lianke",
    help="联课 Lianke: brings the good teacher into the village classroom, live and recorded.",
    version=lambda: distribution_version("lianke"),
)
lesson = App(name="lesson", help="Start, end and list lessons of the server on this machine.")
person = App(name="person", help="Hand out or erase what the store knows of one person.")
bench = App(name="bench", help="Measure what this machine can carry.")
app.command(lesson)
app.command(person)
app.command(recording)
app.command(bench)
app.command(demo)
app.command(run_probe, name="probe")
add_to(app)

ConfigFile = Annotated[Path | None, Parameter(name="--config", help="TOML file; defaults where left out.")]
AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON for programs.")]

TIMEOUT_S = 30.0
LESSON_COLUMNS = ("lesson", "state", "room", "seconds", "title")


@app.command
def serve(*, config: ConfigFile = None) -> int:
    """Run everything: campus, media workers, recorder. Ends on Ctrl-C or SIGTERM."""
    from server import supervisor
    from server.ops import logs

    settings = load(config)
    logs.set_up("supervisor", settings.logs.level, settings.logs.format)
    return supervisor.serve(settings, config)


@app.command
def version() -> None:
    """Print the version."""
    print(distribution_version("lianke"))


@app.command
def cert(
    *names: str,
    folder: Path = Path("/etc/lianke/tls"),
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make (or renew) the server's certificate under a private CA; the CA is made once and never again.

    Parameters
    ----------
    names:
        Host names and addresses that browsers open; left out: those of the configuration.
    folder:
        Where ca.pem, ca.key, server.pem and server.key lie.
    """
    from server import cli_road

    _show(cli_road.make_certificate(names, folder, load(config)), as_json=as_json)


@app.command
def doctor(*, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Is this machine fit for lessons: ports, certificate, TURN, disk, clock, kernel? Exit 1 where not."""
    from server import cli_road

    return cli_road.see_the_doctor(load(config), as_json=as_json)


@lesson.command
def start(*, room: str, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Start a lesson in a main room, with all its receiving rooms."""
    _show(_ask(config, "POST", "lessons", {"room": room}), as_json=as_json)


@lesson.command
def end(lesson_id: str, /, *, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """End a lesson now."""
    _show(_ask(config, "POST", f"lessons/{lesson_id}/end", {}), as_json=as_json)


@lesson.command(name="list")
def list_lessons(*, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """The newest lessons."""
    _show(_ask(config, "GET", "lessons", None), as_json=as_json)


@person.command
def export(person_id: str, /, *, config: ConfigFile = None) -> None:
    """Everything the store knows of a person, as JSON."""
    _show(_ask(config, "GET", f"people/{person_id}/export", None), as_json=True)


@person.command
def erase(person_id: str, /, *, config: ConfigFile = None) -> None:
    """Erase a person's name, log-in, posts, sessions and tokens. Lessons and the audit log stay."""
    _ask(config, "DELETE", f"people/{person_id}", None)


@app.command
def drill(
    *,
    points: int = 3,
    seconds: float = 30,
    server: str | None = None,
    out: Path | None = None,
    source: str = "",
    county: bool = False,
    mains: Annotated[int, Parameter(validator=Number(gte=1, lte=55))] = 55,
    days: Annotated[int, Parameter(validator=Number(gte=1, lte=5))] = 5,
    periods: Annotated[int, Parameter(validator=Number(gte=1, lte=8))] = 2,
    as_json: AsJson = False,
) -> int:
    """Hold a whole lesson without a camera or a browser and judge it; exit 1 where a teacher would notice.

    --source rtsp or rtmp: the main room teaches by a box that the drill starts itself; --source FILE: by a
    film in a loop; --source URL: by a real camera. --county: a week of 55 main rooms and their 127 points
    (or --mains, --days, --periods a day) over a virtual clock, with faults; exit 1 where what is stored is
    not what was done.
    """
    from server.drill import commands

    if county:
        return commands.play_county(mains, days, periods, as_json=as_json)
    return commands.hold_drill(points, seconds, server, out, source, as_json=as_json)


@bench.command
def relay(
    *,
    viewers: int = 40,
    seconds: float = 10,
    pps: int = 250,
    profile: Literal["gcm", "sha1"] = "gcm",
    bursts: bool = True,
    layers: Annotated[int, Parameter(validator=Number(gte=1, lte=3))] = 1,
    feedback: bool = False,
    joining: int = 0,
    as_json: AsJson = False,
) -> int:
    """What one media worker pays to forward a packet.

    --no-bursts: packets evenly, not frame by frame. --layers 3: the publisher sends simulcast. --feedback:
    viewers tell when packets came, as browsers do. --joining 20: so many more viewers come each second.
    """
    from server.drill import commands
    from server.drill.bench_relay import Load

    load = Load(viewers, seconds, pps, profile, bursts, layers, feedback, joining)
    return commands.bench_relay(load, as_json=as_json)


@recording.command
def retry(lesson_id: str, /, *, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Try again what failed after class; what is done stays."""
    _show(_ask(config, "POST", f"lessons/{lesson_id}/publishing/retry", {}), as_json=as_json)


@recording.command(name="make-export")
def make_export(lesson_id: str, /, *, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Have the competition's file made: 1080p, title card, at most 1 GB."""
    _show(_ask(config, "POST", f"lessons/{lesson_id}/publishing/export", {}), as_json=as_json)


@recording.command
def keep(
    lesson_id: str,
    /,
    *,
    kept_as: Literal["ordinary", "model", "trial"] = "ordinary",
    hold: str = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """How long a recording is kept; --hold REASON: it is not deleted until the hold is taken off."""
    body = {"kept_as": kept_as, "hold": hold}
    _show(_ask(config, "PUT", f"lessons/{lesson_id}/retention", body), as_json=as_json)


def _server(config_file: Path | None) -> Running:
    """The server to ask: of this configuration; else the one this user started; else the default one."""
    found = running.find() if config_file is None else None
    return found or running.of(load(config_file))


def _token(server: Running) -> str:
    try:
        return Path(server.token_file).read_text().strip()
    except OSError as error:
        raise UserFault(
            "not_running",
            zh=f"读不到 {server.token_file}:联课没有运行,或您不是运行它的用户。",
            en=f"Cannot read {server.token_file}: Lianke does not run, or not as your user. "
            "Give the same --config as to `lianke serve`.",
        ) from error


def _ask(config_file: Path | None, method: str, path: str, body: object) -> Any:
    """One REST call with the operator's token. UserFault with the server's words, or where it is away."""
    server = _server(config_file)
    request = urllib.request.Request(
        f"{server.url}/api/v1/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {_token(server)}", "Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *_knowing(server.certificate))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            said = response.read()
            return json.loads(said) if said else None
    except urllib.error.HTTPError as error:
        with error:
            raise _told(error) from error
    except OSError as error:
        raise UserFault(
            "not_running",
            zh=f"连不上 {server.url},请先运行 lianke serve。",
            en=f"No answer from {server.url}. Run `lianke serve` first.",
        ) from error


def _knowing(certificate: str) -> list[urllib.request.BaseHandler]:
    """The server on this machine is known by its own certificate, whatever name it is asked under."""
    if not certificate:
        return []
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return [urllib.request.HTTPSHandler(context=context)]


def _told(error: urllib.error.HTTPError) -> UserFault:
    try:
        problem = json.loads(error.read())
        return UserFault(problem["code"], **problem["words"])
    except (ValueError, KeyError, TypeError):
        return UserFault(
            "bad_answer", zh=f"服务器回答 {error.code}。", en=f"The server answered {error.code}."
        )


def _show(value: Any, *, as_json: bool) -> None:
    """JSON for programs; for people a table of lessons, or a lesson's doors line by line."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console(soft_wrap=True)
    if isinstance(value, dict):
        for name, part in value.items():
            console.print(f"{name:12} {_cell(part)}", highlight=False, markup=False)
    elif not value:
        console.print("没有课 · no lessons")
    else:
        console.print(_table(value))


def _table(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(box=None)
    for name in LESSON_COLUMNS:
        table.add_column(name)
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in LESSON_COLUMNS))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return " / ".join(str(part) for part in value.values())
    return "" if value is None else str(value)


def main(argv: Sequence[str] | None = None) -> int:
    """The command's entry point: errors become words in both languages, exit code 2. `argv` without the
    program's name; None: the process' own."""
    try:
        result = app(argv, result_action="return_value")
    except LiankeError as error:
        print(f"{error.words.zh}\n{error.words.en}", file=sys.stderr)
        return 2
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
