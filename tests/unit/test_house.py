"""The house's rules: who imports whom, which library lives where, what is pure, how large things are."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("server", "recorder")
LONGEST_FILE = 400
LONGEST_FUNCTION = 80
USUAL_FUNCTION = 40

LAYERS: dict[str, set[str]] = {
    # part of the house: what it may import besides itself
    "server.errors": {"server.protocol"},
    "server.ids": set(),
    "server.clock": set(),
    "server.protocol": {"server.errors"},
    "server.domain": {"server.protocol", "server.errors"},
    "server.workbooks": {"server.domain", "server.protocol", "server.errors"},
    "server.feeds": {"server.protocol"},
    "server.ingest": {
        "server.protocol", "server.errors", "server.ops", "server.media.relay", "recorder.framing",
        "recorder.heartbeat", "recorder.lifeline", "recorder.control_server",
    },
    "server.settings": {"server.protocol"},
    "server.config": {"server.settings", "server.protocol", "server.errors", "server.ids"},
    "server.certificates": {"server.errors"},
    "server.turn": {"server.config", "server.protocol"},
    "server.doctor": {"server.config", "server.certificates", "server.running", "server.turn"},
    "server.running": {"server.config"},
    "server.ops": set(),
    "server.media": {
        "server.protocol", "server.errors", "server.ops", "recorder.contract", "recorder.framing",
        "recorder.heartbeat", "recorder.lifeline", "recorder.control_link", "recorder.control_server",
    },
    "server.store": {"server.domain", "server.protocol", "server.errors", "server.clock", "server.ids"},
    "server.demo": {"server.domain", "server.protocol"},
    "server.live": {
        "server.store", "server.media", "server.domain", "server.protocol", "server.errors", "server.clock",
        "server.config", "server.ids", "server.ops", "server.ingest.contract", "recorder.contract",
        "recorder.control_link", "recorder.publish.contract", "recorder.archive",
    },
    "server.api": {
        "server.turn", "server.workbooks", "server.feeds", "server.certificates",
        "server.live", "server.store", "server.domain", "server.protocol", "server.errors", "server.clock",
        "server.config", "server.ids", "server.ops", "server.ingest.address", "server.ingest.apart",
        "server.ingest.contract", "recorder.contract", "recorder.archive", "recorder.publish.problems",
    },
    "server.watchdog": {"recorder.heartbeat"},
    "server.supervisor": {
        "server.config", "server.errors", "server.ops", "server.running", "server.watchdog",
        "recorder.heartbeat",
    },
    "server.drill.week": {
        "server.drill", "server.live", "server.store", "server.domain", "server.media", "server.protocol",
        "server.errors", "server.config", "server.clock", "server.demo", "recorder.contract",
        "recorder.control_server",
    },
    "server.drill": {
        "server.ingest", "server.media", "server.protocol", "server.errors", "server.config",
        "server.running", "server.ops",
        "server.clock", "recorder.archive", "recorder.contract",
    },
    "recorder": set(),
}  # fmt: skip
BUILDERS = {
    "server.app",
    "server.cli",
    "server.cli_demo",
    "server.cli_recording",
    "server.cli_publishing",
    "server.cli_road",
    "server.cli_source",
    "server.cli_store",
    "server.__main__",
}  # they join the parts
OF_THE_STORE_LIVE_SEES = {"server.store.records"}

HOMES = {
    "aiohttp": {"server.api", "server.drill", "server.ingest.onvif_streams"},
    "onvif": {"server.ingest.onvif_streams"},
    "zeep": {"server.ingest.onvif_streams"},
    "lxml": {"server.ingest.discovery", "server.ingest.onvif_streams"},
    "sqlalchemy": {"server.store"},
    "alembic": {"server.store"},
    "aiosqlite": {"server.store"},
    "asyncpg": {"server.store"},
    "av": {
        "recorder.writer",
        "recorder.importing",
        "recorder.verification",
        "recorder.publish",
        "server.drill",
        "server.ingest",
    },
    "cv2": {"recorder.analysis", "server.drill"},
    "numpy": {
        "server.drill",
        "server.ingest",
        "recorder.ring",
        "recorder.analysis",
        "recorder.publish.composing",
        "recorder.publish.makers",
        "recorder.publish.exporting",
        "recorder.publish.titlecard",
    },
    "dbos": {"recorder.publish.pipeline"},
    "PIL": {"recorder.publish"},
    "obstore": {"recorder.archive.storage"},
    "aiortc": {"server.media", "server.ingest", "server.protocol.sdp_text", "server.drill"},
    "aioice": {"server.media", "server.ingest", "server.drill", "server.doctor.network"},
    "pylibsrtp": {"server.media", "server.ingest", "server.drill"},
    "uvloop": {"server.app", "server.media", "server.ingest", "recorder"},
    "prometheus_client": {"server.ops"},
    "argon2": {"server.api"},
    "pypinyin": {"server.store"},
    "segno": {"server.api"},
    "jwt": {"server.api"},
    "openpyxl": {"server.workbooks"},
    "icalendar": {"server.feeds"},
    "cryptography": {"server.certificates", "server.store.sealing", "server.api.device_keys"},
    "cyclopts": {
        "server.cli",
        "server.cli_demo",
        "server.cli_publishing",
        "server.cli_recording",
        "server.cli_source",
        "server.cli_store",
        "server.drill",
    },
    "rich": {"server.cli", "server.cli_recording", "server.cli_source", "server.drill"},
}

PURE = ("server.protocol", "server.domain", "recorder.assemble")
IMPURE_MODULES = {
    "time",
    "socket",
    "logging",
    "os",
    "io",
    "pathlib",
    "random",
    "secrets",
    "subprocess",
    "threading",
    "asyncio",
}
DRAWERS = re.compile(r"(^|_)(utils?|helpers?|managers?|common|misc)$")

BROAD = {"Exception", "BaseException"}
UNIT_BOUNDARIES = {
    "server.api.problems",  # a request
    "server.live.lesson_room",  # a message to a lesson
    "server.live.checking",  # a look at cameras before their lessons
    "server.live.scheduler",  # a look at the clock
    "server.media.commands",  # a command to a worker
    "server.ingest.ticking",  # a source's turn in the clock of all
    "recorder.engine",  # a recording
}


@cache
def modules() -> dict[str, Path]:
    """Every module of the two packages by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text())


@cache
def nodes(name: str) -> list[ast.AST]:
    return list(ast.walk(tree(name)))


def imports(name: str) -> Iterator[str]:
    """What a module imports, as dotted module names; what only type checkers see included."""
    for node in nodes(name):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules() else node.module


def within(name: str, part: str) -> bool:
    return name == part or name.startswith(part + ".")


def part_of(name: str) -> str | None:
    """The part of the house a module belongs to; None for a builder or the bare packages."""
    fitting = [part for part in LAYERS if within(name, part)]
    return max(fitting, key=len, default=None)


def functions(name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(name):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_every_module_belongs_to_a_part_of_the_house() -> None:
    homeless = [name for name in modules() if part_of(name) is None and name not in BUILDERS | {"server"}]
    assert homeless == []


def test_imports_go_one_way() -> None:
    wrong = []
    for name in modules():
        part = part_of(name)
        if part is None or name in BUILDERS:
            continue
        for imported in imports(name):
            if not imported.startswith(PACKAGES) or within(imported, part):
                continue
            if not any(within(imported, allowed) for allowed in LAYERS[part]):
                wrong.append(f"{name} imports {imported}")
    assert wrong == []


def test_campus_sees_of_a_worker_only_its_contract_and_client() -> None:
    seen = {
        imported
        for name in modules()
        if within(name, "server.live") or within(name, "server.api")
        for imported in imports(name)
        if within(imported, "server.media")
    }
    assert seen <= {"server.media.contract", "server.media.client"}


def test_live_sees_of_the_store_only_its_records() -> None:
    seen = {
        imported
        for name in modules()
        if within(name, "server.live")
        for imported in imports(name)
        if within(imported, "server.store")
    }
    assert seen <= OF_THE_STORE_LIVE_SEES


def test_each_heavy_library_has_its_home() -> None:
    wrong = []
    for name in modules():
        for imported in imports(name):
            homes = HOMES.get(imported.partition(".")[0])
            if homes is not None and not any(within(name, home) for home in homes):
                wrong.append(f"{name} imports {imported}")
    assert wrong == []


def test_pure_parts_import_no_clock_socket_log_or_file_and_await_nothing() -> None:
    wrong = []
    for name in modules():
        if not name.startswith(PURE):
            continue
        reached = {imported.partition(".")[0] for imported in imports(name)}
        wrong += [f"{name} imports {module}" for module in reached & IMPURE_MODULES]
        for node in nodes(name):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await):
                wrong.append(f"{name}:{node.lineno} awaits")
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"open", "print"}
            ):
                wrong.append(f"{name}:{node.lineno} calls {node.func.id}")
    assert wrong == []


def test_only_the_configuration_reads_the_environment() -> None:
    readers = {
        name
        for name in modules()
        for node in nodes(name)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    service_manager = {"recorder.heartbeat", "server.supervisor"}  # sd_notify(3) is told by environment
    assert readers <= {"server.config", "server.drill.own_server", *service_manager}


def test_files_and_functions_keep_to_the_sizes_of_good_code() -> None:
    files = {name: path.read_text().count("\n") for name, path in modules().items()}
    assert {name: lines for name, lines in files.items() if lines > LONGEST_FILE} == {}
    assert sorted(files.values())[len(files) // 2] <= 200
    sizes = {f"{name}.{node.name}": length(node) for name in modules() for node in functions(name)}
    assert {name: lines for name, lines in sizes.items() if lines > LONGEST_FUNCTION} == {}
    assert sum(lines <= USUAL_FUNCTION for lines in sizes.values()) >= 0.9 * len(sizes)


def test_no_file_is_a_drawer() -> None:
    assert [name for name in modules() if DRAWERS.search(name.rpartition(".")[2])] == []


def test_every_module_says_what_it_is() -> None:
    assert [
        name for name in modules() if not ast.get_docstring(tree(name)) and modules()[name].stat().st_size
    ] == []


def broad_handlers() -> Iterator[str]:
    for name in modules():
        for node in nodes(name):
            if not isinstance(node, ast.ExceptHandler) or isinstance(node.body[-1], ast.Raise):
                continue
            caught = node.type
            names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
            if any(one is None or (isinstance(one, ast.Name) and one.id in BROAD) for one in names):
                yield name


def test_everything_is_caught_only_at_a_units_boundary() -> None:
    assert set(broad_handlers()) <= UNIT_BOUNDARIES


def test_the_lock_file_has_every_dependency_with_hashes_and_names_no_registry() -> None:
    locked = (ROOT / "requirements.lock").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[\[<>=~! ]", line)[0].lower().replace("_", "-") for line in wanted}
    pinned = {line.partition("==")[0] for line in locked.splitlines() if "==" in line}
    assert names - pinned == set()
    assert "://" not in locked
    assert locked.count("==") <= locked.count("--hash=sha256:")


TRACKED = subprocess.run(
    ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
).stdout.split("\0")


@pytest.mark.skipif(not any(TRACKED), reason="not a git checkout: nothing to look through")
def test_the_project_stands_by_itself() -> None:
    """No file leads out of the project's folder or to one machine's paths."""
    leads_out = re.compile(r"\.\./shared/|/(?:home|root|tmp|work)/[a-z]")
    found = []
    for name in filter(None, TRACKED):
        path = ROOT / name
        if (
            path.suffix not in {".py", ".md", ".toml", ".ts", ".vue", ".pyx", ".sh", ".yaml", ""}
            or not path.is_file()
        ):
            continue
        if path != Path(__file__) and leads_out.search(path.read_text(errors="replace")):
            found.append(name)
    assert found == []
