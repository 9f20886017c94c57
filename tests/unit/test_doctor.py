"""The doctor's findings: what is well is called well, what is ill is named with what to do about it."""

from __future__ import annotations

import asyncio
import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server import certificates, cli
from server.config import Config, build
from server.doctor import machine, network
from server.doctor.examination import examine
from server.doctor.finding import State

NOW = datetime.now(UTC)


def config(folder: Path, **sections: dict[str, Any]) -> Config:
    document: dict[str, dict[str, Any]] = {
        "http": {"listen": "127.0.0.1", "port": free()},
        "media": {"listen": "127.0.0.1", "port_base": free(), "workers": 1},
        "data": {"directory": str(folder), "run_directory": str(folder / "run"), "least_free_bytes": 1000},
    }
    for name, section in sections.items():
        document[name] = {**document.get(name, {}), **section}
    return build(document, {})


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def test_every_finding_has_words_in_both_languages(tmp_path: Path) -> None:
    found = await examine(config(tmp_path))
    assert {each.check for each in found} >= {
        "server", "port", "addresses", "https", "udp_loopback", "clock", "disk", "archive", "kernel_buffers",
        "open_files", "fonts",
    }  # fmt: skip
    assert all(each.zh and each.en for each in found)
    by_name = {each.check: each.state for each in found}
    assert by_name["server"] is State.LOOK  # it does not run
    assert by_name["udp_loopback"] is by_name["archive"] is State.WELL


def test_a_port_of_another_program_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = list(network.ports(config(tmp_path, http={"port": port}), runs=False))
    ill = [each for each in found if each.state is State.HARM]
    assert [each.figures["port"] for each in ill] == [port]
    assert "http.port" in ill[0].en


def test_media_on_loopback_alone_reaches_no_room(tmp_path: Path) -> None:
    assert network.addresses(config(tmp_path)).state is State.HARM
    announced = config(tmp_path, media={"announce": ["192.0.2.77"]})
    assert network.addresses(announced).state is State.LOOK  # not of this machine: a router must forward


def test_https_is_asked_for(tmp_path: Path) -> None:
    assert network.secure_context(config(tmp_path)).state is State.HARM
    behind = config(tmp_path, http={"public_url": "https://a.cn"})
    assert network.secure_context(behind).state is State.WELL


def test_a_certificates_time_names_and_key_are_looked_at(tmp_path: Path) -> None:
    def state(names: list[str], now: datetime, host: str = "a.cn") -> State:
        made = certificates.make(tmp_path / "tls", names, now)
        section = {
            "certificate": str(made.certificate),
            "key": str(made.key),
            "public_url": f"https://{host}",
        }
        found = network.certificate(config(tmp_path, http=section))
        assert found is not None
        return found.state

    assert state(["a.cn"], NOW) is State.WELL
    assert state(["*.school.cn"], NOW, "lianke.school.cn") is State.WELL
    assert state(["b.cn"], NOW) is State.HARM
    assert state(["a.cn"], NOW - timedelta(days=810)) is State.LOOK
    assert state(["a.cn"], NOW - timedelta(days=900)) is State.HARM
    assert state(["a.cn"], NOW + timedelta(days=30)) is State.HARM
    assert state(["a.cn"], NOW) is State.WELL
    (tmp_path / "tls" / "server.key").chmod(0o644)
    section = {"certificate": str(tmp_path / "tls/server.pem"), "key": str(tmp_path / "tls/server.key")}
    found = network.certificate(config(tmp_path, http=section))
    assert found is not None
    assert found.state is State.LOOK


def test_too_little_room_is_harm(tmp_path: Path) -> None:
    assert machine.disk(config(tmp_path, data={"least_free_bytes": 1 << 60})).state is State.HARM


async def test_a_turn_server_that_does_not_answer_is_harm(tmp_path: Path) -> None:
    served = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = served.sockets[0].getsockname()[1]
    section = {"urls": [f"turn:127.0.0.1:{port}?transport=tcp"], "secret": "x"}
    (found,) = await network.turn(config(tmp_path, turn=section))
    served.close()
    assert found.state is State.HARM
    assert "secret" in found.en


def test_the_command_prints_json_and_tells_by_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "lianke.toml"
    file.write_text(f'[http]\nlisten = "127.0.0.1"\nport = {free()}\n[data]\ndirectory = "{tmp_path}"\n')
    assert cli.main(["doctor", "--config", str(file), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {"check", "state", "zh", "en", "figures"} == set(found[0])
