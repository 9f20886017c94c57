"""Files that turn a machine into a room's screen: kiosk, autostart, our CA, policies for sound, camera and
microphone. Pure text; the device routes hand them out.

The start address carries device and restore secret in its fragment, which reaches no server's log. It has to
lie where a restore card does not undo it: installed while the card is open, it is part of what is restored.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

FLAGS = (
    "--kiosk",
    "--no-first-run",
    "--noerrdialogs",
    "--disable-session-crashed-bubble",
    "--disable-translate",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--autoplay-policy=no-user-gesture-required",
)


@dataclass(frozen=True, slots=True)
class Launch:
    """`origin`: scheme, host and port of campus; `ca`: its private CA as PEM, "" where it needs none."""

    origin: str
    device: str
    secret: str
    room: str
    ca: str = ""

    @property
    def address(self) -> str:
        return f"{self.origin}/room#device={self.device}&restore={self.secret}"


@dataclass(frozen=True, slots=True)
class LauncherFile:
    name: str
    content: bytes


def policies(origin: str) -> dict[str, object]:
    """Of Chromium, Chrome and Edge, by their own names."""
    return {
        "AutoplayAllowlist": [origin],
        "AudioCaptureAllowedUrls": [origin],
        "VideoCaptureAllowedUrls": [origin],
        "TranslateEnabled": False,
        "PasswordManagerEnabled": False,
        "DefaultBrowserSettingEnabled": False,
        "PromotionalTabsEnabled": False,
        "BrowserSignin": 0,
        "SyncDisabled": True,
    }


def _linux(launch: Launch) -> LauncherFile:
    """A shell script. LIANKE_ROOT: install below this folder; LIANKE_FLAGS: further flags of the browser."""
    flags = " ".join(FLAGS)
    return LauncherFile(
        f"lianke-{launch.device}.sh",
        LINUX.format(
            address=shlex.quote(launch.address),
            policy=json.dumps(policies(launch.origin), indent=2),
            ca=launch.ca.strip(),
            flags=flags,
        ).encode(),
    )


def _windows(launch: Launch) -> LauncherFile:
    """A batch file for an administrator; ASCII, as the console's code page is not known."""
    keys = []
    for vendor in (r"Google\Chrome", r"Microsoft\Edge"):
        base = rf"HKLM\SOFTWARE\Policies\{vendor}"
        for name, value in policies(launch.origin).items():
            if isinstance(value, list):
                keys += [rf'reg add "{base}\{name}" /v {n} /t REG_SZ /d "{one}" /f >nul'
                         for n, one in enumerate(value, 1)]  # fmt: skip
            else:
                keys.append(rf'reg add "{base}" /v {name} /t REG_DWORD /d {int(bool(value))} /f >nul')
    ca = [f'>>"%HOME_%\\ca.crt" echo {line}' for line in launch.ca.split("\n") if line]
    if ca:
        ca = ['type nul >"%HOME_%\\ca.crt"', *ca, 'certutil -addstore -f Root "%HOME_%\\ca.crt" >nul']
    text = WINDOWS.format(
        address=launch.address, keys="\n".join(keys), ca="\n".join(ca), flags=" ".join(FLAGS)
    )
    return LauncherFile(f"lianke-{launch.device}.bat", text.replace("\n", "\r\n").encode("ascii"))


def _android(launch: Launch) -> LauncherFile:
    """Steps for a person, as kiosk browsers there have no file in common; its lines are an old Notepad's."""
    room = re.sub(r"\s+", " ", launch.room)
    text = ANDROID.format(room=room, address=launch.address, origin=launch.origin)
    return LauncherFile(f"lianke-{launch.device}.txt", ("\ufeff" + text.replace("\n", "\r\n")).encode())


LINUX = """\
#!/bin/sh
# Lianke: makes this machine a room's screen. Run it as the user who is logged in at the screen; it asks for
# the administrator's password for the policies. With a restore card: open the card first, run this, close it.
set -eu
root="${{LIANKE_ROOT:-}}"
home="$root$HOME/.local/share/lianke"
asroot() {{ if [ -n "$root" ] || [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }}
mkdir -p "$home" "$root$HOME/.config/autostart"
chmod 700 "$home"

cat >"$home/policy.json" <<'POLICY'
{policy}
POLICY
for place in /etc/chromium/policies/managed /etc/opt/chrome/policies/managed \\
    /etc/opt/edge/policies/managed /etc/chromium-browser/policies/managed; do
  asroot mkdir -p "$root$place"
  asroot cp "$home/policy.json" "$root$place/lianke.json"
done

cat >"$home/ca.crt" <<'CERTIFICATE'
{ca}
CERTIFICATE
if grep -q BEGIN "$home/ca.crt"; then
  asroot mkdir -p "$root/usr/local/share/ca-certificates"
  asroot cp "$home/ca.crt" "$root/usr/local/share/ca-certificates/lianke.crt"
  [ -n "$root" ] || asroot update-ca-certificates
  if command -v certutil >/dev/null; then
    mkdir -p "$root$HOME/.pki/nssdb"
    certutil -d "sql:$root$HOME/.pki/nssdb" -A -t C,, -n lianke -i "$home/ca.crt"
  else
    echo "Install libnss3-tools and run this again: the browser must know the CA." >&2
  fi
fi

cat >"$home/start.sh" <<'START'
#!/bin/sh
# Keeps the room's page open; a browser that ends is started again.
here="$(dirname "$0")"
for browser in "${{LIANKE_BROWSER:-}}" chromium chromium-browser google-chrome microsoft-edge; do
  command -v "$browser" >/dev/null 2>&1 && break
done
while :; do
  "$browser" {flags} ${{LIANKE_FLAGS:-}} \\
    --user-data-dir="$here/profile" {address}
  sleep 2
done
START
chmod 700 "$home/start.sh"

cat >"$root$HOME/.config/autostart/lianke.desktop" <<DESKTOP
[Desktop Entry]
Type=Application
Name=Lianke
Exec=$home/start.sh
X-GNOME-Autostart-enabled=true
DESKTOP
echo "Done. The room's page opens at the next log-in; to open it now: $home/start.sh"
"""

WINDOWS = """\
@echo off
rem Lianke: makes this machine a room's screen. Run as administrator.
rem With a restore card: open the card first, run this, close it again.
net session >nul 2>&1
if errorlevel 1 (
  echo Please right-click this file and choose "Run as administrator".
  pause
  exit /b 1
)
set "HOME_=%ProgramData%\\Lianke"
if not exist "%HOME_%" mkdir "%HOME_%"
{ca}
{keys}
set "START_=%HOME_%\\start.cmd"
>"%START_%" echo @echo off
>>"%START_%" echo set "BROWSER_="
>>"%START_%" echo for %%%%b in ("%%ProgramFiles%%\\Google\\Chrome\\Application\\chrome.exe" "%%ProgramFiles(x86)%%\\Google\\Chrome\\Application\\chrome.exe" "%%ProgramFiles(x86)%%\\Microsoft\\Edge\\Application\\msedge.exe" "%%ProgramFiles%%\\Microsoft\\Edge\\Application\\msedge.exe") do if not defined BROWSER_ if exist %%%%b set BROWSER_=%%%%b
>>"%START_%" echo :again
>>"%START_%" echo start "" /wait %%BROWSER_%% {flags} --user-data-dir="%%LOCALAPPDATA%%\\Lianke" "{address}"
>>"%START_%" echo timeout /t 2 /nobreak ^>nul
>>"%START_%" echo goto again
set "AUTO_=%ProgramData%\\Microsoft\\Windows\\Start Menu\\Programs\\StartUp\\Lianke.cmd"
>"%AUTO_%" echo @start "" /min "%START_%"
echo Done. The room's page opens at the next log-in.
start "" /min "%START_%"
pause
"""  # noqa: E501 (one command of cmd.exe is one line)

ANDROID = """\
联课 · {room}

1. 用 Chrome(79 或更新)打开下面的网址一次,点“允许”摄像头和麦克风:
   {address}
2. 证书:若 Chrome 说不安全,先用 http 打开服务器的帮助页,安装那里的 CA 证书。
3. 设置 > 应用 > Chrome > 权限:摄像头、麦克风选“允许”。
4. 安装一个信息亭浏览器(kiosk browser),把上面的网址设为主页,打开“开机启动”和“保持屏幕常亮”。
5. 有还原功能的设备:先关闭还原,做完以上步骤,再打开还原。
网址里有这间教室的密钥,不要发给别人;遗失时在“教室与设备”页面换新的启动文件。

Lianke · {room}

1. Open this address once in Chrome (79 or newer) and allow camera and microphone:
   {address}
2. Certificate: if Chrome calls it unsafe, open the server's help page over http first and install its CA.
3. Settings > Apps > Chrome > Permissions: allow camera and microphone.
4. Install a kiosk browser, make the address its home page, switch on start at boot and keep the screen on.
5. A machine that undoes its changes: switch that off, do the steps above, switch it on again.
The address holds this room's key: give it to nobody; if it is lost, make a new launcher on the rooms' page.
Server: {origin}
"""

LAUNCHERS: Mapping[str, Callable[[Launch], LauncherFile]] = {
    "linux": _linux,
    "windows": _windows,
    "android": _android,
}
