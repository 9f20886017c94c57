"""`lianke cert`: names out of the configuration, the certificate, and what to do with it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import ifaddr

from server import certificates
from server.config import Config


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
