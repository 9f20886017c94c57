"""Files that make a machine a room's screen: as the shell, cmd.exe and the browsers' policies want them."""

from __future__ import annotations

import json
import re
import shlex
import subprocess

import pytest

from server.api.launchers import FLAGS, LAUNCHERS, Launch, policies

ORIGINS = ["https://lianke.example", "https://10.0.0.5:8443", "https://[fd00::5]:8443"]
CA = "-----BEGIN CERTIFICATE-----\nMIIB+1/2=\nQUJD\n-----END CERTIFICATE-----\n"
NAMES = {"--kiosk", "--autoplay-policy=no-user-gesture-required"}


def launch(origin: str = ORIGINS[0], ca: str = CA, room: str = "沙河教学点") -> Launch:
    return Launch(origin, "D0123456789", "0123456789abcdef0123456789abcdef", room, ca)


def between(text: str, word: str) -> str:
    """A here-document of a shell script."""
    found = re.search(rf"<<'{word}'\n(.*?)\n{word}\n", text, re.DOTALL)
    assert found is not None
    return found[1]


def parses(script: str) -> None:
    done = subprocess.run(["/bin/sh", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("ca", ["", CA])
def test_the_shell_reads_the_linux_file_and_the_script_in_it(origin: str, ca: str) -> None:
    one = launch(origin, ca)
    text = LAUNCHERS["linux"](one).content.decode()
    assert "\r" not in text
    start = between(text, "START")
    parses(text)
    parses(start)
    assert json.loads(between(text, "POLICY")) == policies(origin)
    assert between(text, "CERTIFICATE").strip() == ca.strip()
    line = start[start.index('"$browser" --kiosk') :].partition("\n  sleep")[0]
    words = shlex.split(line.replace("\\\n", " "))
    assert words[-1] == one.address
    assert set(FLAGS) <= set(words)


def test_what_the_policies_open_is_our_address_and_nothing_else() -> None:
    found = policies(ORIGINS[0])
    opened = {name for name, value in found.items() if value == [ORIGINS[0]]}
    assert opened == {"AutoplayAllowlist", "AudioCaptureAllowedUrls", "VideoCaptureAllowedUrls"}
    assert set(FLAGS) >= NAMES
    assert not any("fake" in flag or "disable-web-security" in flag for flag in FLAGS)


def written(lines: list[str], place: str) -> list[str]:
    """What cmd.exe's `echo` puts into a file: %% is %, ^ shields one character outside quotes."""
    found = []
    for line in lines:
        told = re.match(rf'>>?"{re.escape(place)}" echo (.*)$', line)
        if told:
            parts = re.split(r'("[^"]*")', told[1].replace("%%", "%"))
            found.append("".join(p if p.startswith('"') else re.sub(r"\^(.)", r"\1", p) for p in parts))
    return found


def outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("ca", ["", CA])
def test_the_windows_file_is_what_cmd_reads(origin: str, ca: str) -> None:
    one = launch(origin, ca)
    content = LAUNCHERS["windows"](one).content
    text = content.decode("ascii")  # any code page reads it
    lines = text.split("\r\n")
    assert "\n" not in "".join(lines), "cmd.exe skips labels in files without carriage returns"
    assert max(len(line) for line in lines) < 8_000, "cmd.exe takes 8,191 characters a line"
    for line in lines:
        assert line.count('"') % 2 == 0, line
        bare = outside_quotes(line)
        bare = re.sub(r"^>>?(?= echo)|^type nul >$|\s*>nul( 2>&1)?$|\^>nul$", "", bare)
        assert not re.search(r"[&|<>]", bare), line
        assert bare.count("(") == bare.count(")") or bare.endswith("(") or bare == ")", line
    start = written(lines, "%START_%")
    assert start[0] == "@echo off"
    profile = '--user-data-dir="%LOCALAPPDATA%\\Lianke"'
    opened = start[start.index(":again") + 1]
    assert opened == f'start "" /wait %BROWSER_% {" ".join(FLAGS)} {profile} "{one.address}"'
    assert start[-2:] == ["timeout /t 2 /nobreak >nul", "goto again"]
    assert written(lines, "%AUTO_%") == ['@start "" /min "%START_%"']
    certificate = written(lines, "%HOME_%\\ca.crt")
    assert certificate == ca.splitlines()
    assert ("certutil -addstore" in text) == bool(ca)


def test_windows_keeps_the_policies_of_both_browsers() -> None:
    text = LAUNCHERS["windows"](launch()).content.decode("ascii")
    added = re.findall(
        r'^reg add "(HKLM\\SOFTWARE\\Policies\\[\w\\]+)" /v (\w+) /t (REG_SZ|REG_DWORD) /d (\S+) /f >nul\r$',
        text,
        re.MULTILINE,
    )
    assert len(added) == text.count("reg add") == 2 * len(policies(ORIGINS[0]))
    for vendor in (r"Google\Chrome", r"Microsoft\Edge"):
        base = rf"HKLM\SOFTWARE\Policies\{vendor}"
        for name, value in policies(ORIGINS[0]).items():
            if isinstance(value, list):
                assert (rf"{base}\{name}", "1", "REG_SZ", f'"{ORIGINS[0]}"') in added
            else:
                assert (base, name, "REG_DWORD", str(int(bool(value)))) in added


def test_the_steps_for_android_can_be_read_on_any_machine() -> None:
    one = launch(room="沙河\n教学点")
    text = LAUNCHERS["android"](one).content.decode("utf-8-sig")
    assert text.count(one.address) == 2
    assert text.splitlines()[0] == "联课 · 沙河 教学点"
    assert all(line.endswith("\r\n") for line in text.splitlines(keepends=True)), "an old Notepad shows them"
