"""`lianke cert` and `lianke doctor`: what they need of the configuration, and what they print."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import ifaddr
import msgspec

from server import certificates
from server.config import Config
from server.doctor.examination import examine
from server.doctor.finding import State

MARKS = {State.WELL: "✓", State.LOOK: "!", State.HARM: "✗"}


def make_certificate(names: Sequence[str], folder: Path, config: Config) -> dict[str, object]:
    """Make it; what was made, in words and paths. UserFault where it cannot be."""
    made = certificates.make(folder, names or names_of(config), datetime.now(UTC))
    return {
        "certificate": str(made.certificate),
        "key": str(made.key),
        "ca": str(made.ca),
        "new_ca": made.new_ca,
        "names": list(made.names),
        "expires": made.expires.date().isoformat(),
        "next_zh": "把 http.certificate、http.key、http.ca 设为上面的路径;"
        f"在每台教室电脑上安装 {made.ca.name}。私钥 {certificates.CA_KEY} 请另存备份,勿外传。",
        "next_en": "Set http.certificate, http.key and http.ca to the paths above; install "
        f"{made.ca.name} on every panel. Keep a copy of {certificates.CA_KEY} where nobody else reads it.",
    }


def names_of(config: Config) -> list[str]:
    """What browsers may open: the public name, the announced addresses, else this machine's."""
    found = []
    if config.http.public_url:
        found.append(urlsplit(config.http.public_url).hostname or "")
    found += config.media.announce or machine_addresses()
    return [*dict.fromkeys(name for name in found if name), "localhost", "127.0.0.1"]


def machine_addresses() -> list[str]:
    """Every address of this machine that others can reach, as text."""
    found = [
        str(ip.ip) if ip.is_IPv4 else str(ip.ip[0]) for adapter in ifaddr.get_adapters() for ip in adapter.ips
    ]
    kept = [each for each in found if not _is_own(each)]
    return list(dict.fromkeys(kept))


def _is_own(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_loopback or parsed.is_link_local


def see_the_doctor(config: Config, *, as_json: bool) -> int:
    """Print every finding in both languages, what is ill last. 1 where something will not work."""
    found = asyncio.run(examine(config))
    if as_json:
        print(json.dumps(msgspec.to_builtins(found), ensure_ascii=False))
    else:
        for state in State:
            for each in found:
                if each.state is state:
                    print(f"{MARKS[state]} {each.zh}\n  {each.en}")
    return int(any(each.state is State.HARM for each in found))
