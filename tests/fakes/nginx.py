"""Debian's nginx with the project's own configuration, on loopback and free ports."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

CONFIG = Path(__file__).parents[2] / "configs" / "nginx.conf"
USER = "user root;" if os.geteuid() == 0 else ""  # its workers write where we do
AROUND = """
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
error_log {folder}/error.log warn;
pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
    log_format cached '$upstream_cache_status $status $uri';
    access_log {log};
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/lianke.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """`url` answers; `pid` is its master process."""

    url: str
    pid: int
    folder: Path

    def accesses(self) -> list[str]:
        """Cache status, HTTP status and path of each request, where they are logged."""
        return (self.folder / "access.log").read_text().splitlines()


def on_loopback(text: str, port: int, campus: str, folder: Path, certificate: Path | None) -> str:
    """The configuration as shipped, with this machine's ports, folders and certificate; without one it
    serves plain HTTP."""
    listen = f"listen 127.0.0.1:{port}{' ssl' if certificate else ''};"
    text = text.replace("listen 443 ssl;", listen).replace("server 127.0.0.1:8080;", f"server {campus};")
    text = text.replace("/var/cache/nginx/lianke", str(folder / "cache"))
    if certificate is None:
        text = re.sub(r"\n\s*ssl_certificate[^\n]*", "", text)
    else:
        text = text.replace("/etc/lianke/tls/fullchain.pem", str(certificate))
        text = text.replace("/etc/lianke/tls/privkey.pem", str(certificate.with_suffix(".key")))
    return re.sub(r"server \{\s*listen 80;.*?\n\}\n", "", text, flags=re.DOTALL)


STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
TLS_ALONE = """
{user}
daemon off;
worker_processes 1;
load_module {module};
error_log {folder}/error.log warn;
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
{stream}
"""


@asynccontextmanager
async def rtmps(rtmp_port: int, port: int, certificate: Path, key: Path) -> AsyncIterator[None]:
    """The shipped `stream` block, which ends TLS before the RTMP door, on this port."""
    program = there()
    assert program is not None, "apt-get install nginx"
    _, found, block = CONFIG.read_text().partition("# stream {")
    assert found
    stream = "stream {" + block.partition("\n# }")[0].replace("\n# ", "\n") + "\n}"
    stream = stream.replace("1936", f"127.0.0.1:{port}").replace("127.0.0.1:1935", f"127.0.0.1:{rtmp_port}")
    stream = stream.replace("/etc/lianke/tls/server.pem", str(certificate))
    stream = stream.replace("/etc/lianke/tls/server.key", str(key))
    with tempfile.TemporaryDirectory(prefix="lianke-nginx-") as name:
        text = TLS_ALONE.format(user=USER, module=STREAM, folder=name, stream=stream)
        (Path(name) / "nginx.conf").write_text(text)
        process = await asyncio.create_subprocess_exec(program, "-p", name, "-c", "nginx.conf")
        try:
            yield
        finally:
            print((Path(name) / "error.log").read_text()[-4000:])
            if process.returncode is None:
                process.terminate()
                await process.wait()


def there() -> str | None:
    """The program, where this machine has it."""
    return shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


@asynccontextmanager
async def nginx(campus: str, port: int, *, log: bool = True) -> AsyncIterator[Nginx]:
    """Before the campus at "host:port". RuntimeError with nginx' own words where it does not start."""
    program = there()
    assert program is not None, "apt-get install nginx"
    with tempfile.TemporaryDirectory(prefix="lianke-nginx-") as name:
        folder = Path(name)
        (folder / "lianke.conf").write_text(on_loopback(CONFIG.read_text(), port, campus, folder, None))
        around = AROUND.format(user=USER, folder=folder, log=f"{folder}/access.log cached" if log else "off")
        (folder / "nginx.conf").write_text(around)
        process = await asyncio.create_subprocess_exec(
            program, "-p", name, "-c", "nginx.conf", stderr=asyncio.subprocess.PIPE
        )
        try:
            found = Nginx(f"http://127.0.0.1:{port}", process.pid, folder)
            await _answers(found.url, process)
            yield found
        finally:
            print((folder / "error.log").read_text()[-4000:])  # pytest shows it where the test failed
            if process.returncode is None:
                process.terminate()
                await process.wait()


async def _answers(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(10), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"{url}/healthz"):
                    return
            except aiohttp.ClientError:
                if process.returncode is not None:
                    assert process.stderr is not None
                    raise RuntimeError((await process.stderr.read()).decode()) from None
            await asyncio.sleep(0.05)
