"""The network: ports, addresses, certificate, secure context, TURN."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import ifaddr
from aioice import stun
from aioice import turn as turn_client

from server import certificates, running
from server.config import Config
from server.doctor.finding import Finding, harm, look, well
from server.turn import ice_servers

SOON_DAYS = 30
TURN_TIMEOUT_S = 8.0


def answers(config: Config) -> Finding:
    """Whether Lianke runs, and what it says of itself."""
    url = running.of(config).url
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = (
        False,
        ssl.CERT_NONE,
    )  # this machine, a yes or no
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(f"{url}/readyz", timeout=5):
            return well("server", "联课正在运行,一切就绪。", "Lianke runs and is ready.")
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(2000).decode(errors="replace")
        return harm(
            "server",
            f"联课在运行,但没有就绪:{said}",
            f"Lianke runs but is not ready: {said}",
        )
    except OSError:
        return look("server", "联课现在没有运行。", "Lianke does not run now.")


def ports(config: Config, *, runs: bool) -> Iterator[Finding]:
    """Every port of the configuration: ours while the server runs, else free."""
    wanted = [("http.port", config.http.listen, config.http.port, socket.SOCK_STREAM)]
    if config.http.help_port:
        wanted.append(("http.help_port", config.http.listen, config.http.help_port, socket.SOCK_STREAM))
    kinds = [socket.SOCK_DGRAM, *([socket.SOCK_STREAM] if config.media.tcp else [])]
    for number in range(config.worker_count):
        port = config.media.port_base + number
        wanted += [("media.port_base", config.media.listen, port, kind) for kind in kinds]
    for key, host, port, kind in wanted:
        name = f"{'UDP' if kind == socket.SOCK_DGRAM else 'TCP'} {port}"
        problem = _bind_problem(host, port, kind)
        if problem is None and not runs:
            yield well("port", f"{name} 空闲。", f"{name} is free.", port=port)
        elif problem is None:
            yield harm(
                "port",
                f"联课在运行,却没有监听 {name}。请看日志,并重启。",
                f"Lianke runs, but does not listen on {name}. Look at its log, and restart it.",
                port=port,
            )
        elif problem == errno.EADDRINUSE and runs:
            yield well("port", f"{name} 由联课使用。", f"{name} is in use by Lianke.", port=port)
        else:
            why = errno.errorcode.get(problem, str(problem))
            yield harm(
                "port",
                f"{name} 用不了({why}):被别的程序占用,或没有权限。请改 {key}。",
                f"{name} cannot be used ({why}): another program has it, or there is no right to it. "
                f"Change {key}.",
                port=port,
            )


def _bind_problem(host: str, port: int, kind: socket.SocketKind) -> int | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno or 0
    return None


def addresses(config: Config) -> Finding:
    """What rooms are told to send to."""
    own = {str(ip.ip) if ip.is_IPv4 else str(ip.ip[0]) for a in ifaddr.get_adapters() for ip in a.ips}
    told = config.media.announce or (
        sorted(each for each in own if _fits(each, config.media.listen))
        if ipaddress.ip_address(config.media.listen).is_unspecified
        else [config.media.listen]
    )
    reachable = [each for each in told if not ipaddress.ip_address(each).is_loopback]
    words = "、".join(reachable), ", ".join(reachable)
    if not reachable:
        return harm(
            "addresses",
            "教室连不上:媒体只在本机地址上。请检查网络,或设 media.listen、media.announce。",
            "No room can reach the media: only this machine's own address is told. Look at media.listen and "
            "media.announce.",
        )
    foreign = [each for each in reachable if each not in own]
    if foreign:
        return look(
            "addresses",
            f"对外公布 {words[0]};其中 {foreign[0]} 不在本机,须由路由器转发 UDP 和 TCP 媒体端口。",
            f"Rooms are told {words[1]}; {foreign[0]} is not of this machine: the router must forward the "
            "media "
            "ports, UDP and TCP.",
        )
    return well("addresses", f"对外公布 {words[0]}。", f"Rooms are told {words[1]}.")


def _fits(own: str, listen: str) -> bool:
    """Whether media that listens everywhere in one family is reached here."""
    address = ipaddress.ip_address(own)
    return address.version == ipaddress.ip_address(listen).version and not address.is_link_local


def secure_context(config: Config) -> Finding:
    https = config.http.certificate or config.http.public_url.startswith("https:")
    if not https:
        return harm(
            "https",
            "没有 HTTPS:除本机外,浏览器不给摄像头和麦克风。请用 lianke cert 生成证书,或放在 HTTPS 代理之后。",
            "No HTTPS: browsers on other machines give neither camera nor microphone. Make a certificate "
            "with "
            "`lianke cert`, or put an HTTPS proxy before it and set http.public_url.",
        )
    return well("https", "网页走 HTTPS。", "The pages come over HTTPS.")


def certificate(config: Config) -> Finding | None:
    """Its time, its names, its key; None where campus has none of its own."""
    if not config.http.certificate:
        return None
    try:
        found = certificates.read(Path(config.http.certificate))
        private = Path(config.http.key).stat().st_mode & 0o077 == 0
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(config.http.certificate, config.http.key)
    except (OSError, ValueError) as error:
        return harm(
            "certificate",
            f"证书或私钥用不了({error})。可用 lianke cert 重新生成。",
            f"Certificate or key cannot be used ({error}). `lianke cert` makes a pair.",
        )
    days = (found.expires - datetime.now(UTC)).days
    host = urlsplit(config.http.public_url).hostname
    expires = found.expires.date().isoformat()
    if days < 0 or found.begins > datetime.now(UTC):
        return harm(
            "certificate",
            f"证书不在有效期内(到 {expires})。请运行 lianke cert 续期,或校准时钟。",
            f"The certificate is not valid now (until {expires}). Renew it with `lianke cert`, or set the "
            "clock.",
            days=days,
        )
    if host is not None and not _covers(found.names, host):
        return harm(
            "certificate",
            f"证书不含 {host},浏览器会拒绝。请运行 lianke cert {host}。",
            f"The certificate is not for {host}: browsers refuse it. Run `lianke cert {host}`.",
            names=", ".join(found.names),
        )
    if days < SOON_DAYS or not private:
        return look(
            "certificate",
            f"证书到 {expires} 为止" + ("。" if private else ";私钥文件其他用户也能读,请 chmod 600。"),
            f"The certificate ends on {expires}"
            + ("." if private else "; others can read its key: chmod 600."),
            days=days,
        )
    return well(
        "certificate", f"证书到 {expires} 为止。", f"The certificate is good until {expires}.", days=days
    )


def _covers(names: tuple[str, ...], host: str) -> bool:
    wild = "*." + host.partition(".")[2]
    return host in names or wild in names


class _Allocated(asyncio.DatagramProtocol):
    """Learns when the allocation was given back."""

    def __init__(self) -> None:
        self.given_back = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        self.given_back.set()


async def turn(config: Config) -> list[Finding]:
    """Each TURN server: reached, and our credentials accepted (an allocation is made and given back)."""
    found = []
    for url in config.turn.urls:
        began = time.monotonic()
        try:
            async with asyncio.timeout(TURN_TIMEOUT_S):
                await _allocate(config, url)
        except (OSError, TimeoutError, ValueError, stun.TransactionError) as error:
            found.append(
                harm(
                    "turn",
                    f"{url} 用不了({type(error).__name__} {error})。请核对 coturn 是否运行、证书和 secret。",
                    f"{url} cannot be used ({type(error).__name__} {error}). Does coturn run, and are its "
                    "certificate and secret the same as here?",
                )
            )
        else:
            took_ms = round((time.monotonic() - began) * 1000)
            found.append(
                well("turn", f"{url} 可用。", f"{url} works and takes our credentials.", allocate_ms=took_ms)
            )
    return found


async def _allocate(config: Config, url: str) -> None:
    scheme, _, rest = url.partition(":")
    where, _, query = rest.partition("?")
    host, _, port = where.rpartition(":") if ":" in where else (where, "", "")
    over_tls = scheme == "turns"
    context = ssl.create_default_context(cafile=config.http.ca or None) if over_tls else None
    (server,) = ice_servers(config.turn, "doctor", int(time.time() * 1000))
    transport, allocated = await turn_client.create_turn_endpoint(
        _Allocated,
        server_addr=(host.strip("[]"), int(port or (5349 if over_tls else 3478))),
        username=server.username,
        password=server.credential,
        ssl=context or False,
        transport="tcp" if over_tls or "transport=tcp" in query else "udp",
    )
    transport.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2):
            await allocated.given_back.wait()
