"""The machine: disk, clock, kernel limits, fonts, loopback. Each function is one check and blocks shortly."""

from __future__ import annotations

import resource
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from server.config import Config
from server.doctor.finding import Finding, harm, look, well

LESSON_BYTES_AN_HOUR = 1_500_000_000  # camera, courseware and voice at the pages' bit rates
WANTED_BUFFER = 8 << 20
WANTED_FILES = 8192
DATAGRAMS = 200


def disk(config: Config) -> Finding:
    folder = _nearest(config.archive_path)
    free = shutil.disk_usage(folder).free
    gigabytes, hours = free / 1e9, int((free - config.data.least_free_bytes) / LESSON_BYTES_AN_HOUR)
    if free < config.data.least_free_bytes:
        return harm(
            "disk",
            f"磁盘只剩 {gigabytes:.1f} GB,低于 data.least_free_bytes。请清理或换更大的磁盘。",
            f"Only {gigabytes:.1f} GB are free, below data.least_free_bytes. Make room, or take a larger "
            "disk.",
            free_bytes=free,
        )
    tell = well if hours >= 20 else look
    return tell(
        "disk",
        f"磁盘剩余 {gigabytes:.1f} GB,约可录 {max(0, hours)} 小时课。",
        f"{gigabytes:.1f} GB are free: some {max(0, hours)} hours of lessons.",
        free_bytes=free,
    )


def _nearest(folder: Path) -> Path:
    """The folder, or where it will be made."""
    while not folder.exists():
        folder = folder.parent
    return folder


def writable(config: Config) -> Finding:
    for key, folder in (
        ("data.directory", Path(config.data.directory)),
        ("data.archive", config.archive_path),
    ):
        try:
            with tempfile.TemporaryFile(dir=_nearest(folder)):
                pass
        except OSError as error:
            return harm(
                "archive",
                f"{key}:不能写入 {folder}({error.strerror})。请以 lianke 用户运行本命令,或改目录的权限。",
                f"{key}: cannot write to {folder} ({error.strerror}). Run this as the user lianke, or change "
                "the folder's owner.",
            )
    return well("archive", "数据和录像目录可以写入。", "The data and archive folders can be written to.")


def clock() -> Finding:
    """A clock before the program itself was installed is wrong; how wrong nobody here can know."""
    installed = Path(__file__).stat().st_mtime
    now = time.time()
    told = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(now))
    if now < installed - 86_400:
        return harm(
            "clock",
            f"这台服务器的时钟是 {told},比程序安装的时间还早。请校时,并更换主板电池。",
            f"This server's clock says {told}, earlier than the program was installed. Set it; replace "
            "its battery.",
        )
    return well("clock", f"时钟:{told}(请与手表核对)。", f"The clock says {told} (compare it with a watch).")


def buffers() -> Finding:
    limits = {name: _kernel(f"net/core/{name}") for name in ("rmem_max", "wmem_max")}
    small = min(limits.values())
    if small < WANTED_BUFFER:
        return look(
            "kernel_buffers",
            "内核的网络缓冲上限太小,人多时会丢包。请安装 configs/sysctl-lianke.conf 并运行 sysctl --system。",
            "The kernel's socket buffers are limited to less than 8 MiB: bursts get lost in large "
            "lessons. Install "
            "configs/sysctl-lianke.conf and run sysctl --system.",
            **limits,
        )
    return well(
        "kernel_buffers", "内核的网络缓冲足够大。", "The kernel's socket buffers are large enough.", **limits
    )


def _kernel(name: str) -> int:
    try:
        return int(Path(f"/proc/sys/{name}").read_text())
    except (OSError, ValueError):
        return 0


def open_files() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < WANTED_FILES:
        return look(
            "open_files",
            f"每个进程最多打开 {hard} 个文件,大课会不够。服务文件里写 LimitNOFILE=65536。",
            f"A process may open {hard} files only, too few for large lessons: LimitNOFILE=65536 in the "
            "service file.",
            limit=hard,
        )
    return well("open_files", "可打开的文件数足够。", "Enough files may be open.", limit=hard)


def loopback() -> Finding:
    """Datagrams of our size from this machine to itself."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.5)
        came = 0
        try:
            for _ in range(DATAGRAMS):
                sender.sendto(bytes(1200), receiver.getsockname())
                came += len(receiver.recv(2048)) == 1200
        except OSError:
            pass
    if came < DATAGRAMS:
        return harm(
            "udp_loopback",
            f"本机 UDP 不通({came}/{DATAGRAMS})。请检查本机防火墙。",
            f"UDP does not work on this machine itself ({came} of {DATAGRAMS}). Look at its own firewall.",
            came=came,
        )
    return well("udp_loopback", "本机 UDP 正常。", "UDP works on this machine.", came=came)


def fonts() -> Finding:
    try:
        done = subprocess.run(
            ["fc-list", ":lang=zh"], capture_output=True, text=True, timeout=20, check=False
        )
        found = bool(done.stdout.strip())
    except (OSError, subprocess.TimeoutExpired):
        found = False
    if not found:
        return look(
            "fonts",
            "没有中文字体,片头和截图里的汉字会变成方框。请安装 fonts-noto-cjk。",
            "There is no Chinese font: title cards would show boxes. Install fonts-noto-cjk.",
        )
    return well("fonts", "有中文字体。", "There is a Chinese font.")
