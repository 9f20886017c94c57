"""`application/trickle-ice-sdpfrag` bodies (RFC 8840) of WHIP and WHEP PATCH requests. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from server.protocol.parameters import LocalTransport
from server.protocol.sdp_text import BadSdp, check_ice
from server.protocol.sdp_write import candidate_lines, ice_lines

MAX_FRAGMENT = 16 * 1024
MAX_CANDIDATES = 64

_LINE = re.compile(r"[am]=[^\x00-\x1f]*")


@dataclass(frozen=True, slots=True)
class Fragment:
    """The client's ICE user fragment and password; another ufrag than before asks for a restart.
    Its candidates are only counted: being ICE-lite we learn addresses from checks."""

    ufrag: str
    pwd: str
    candidates: int
    complete: bool


def read_fragment(text: str) -> Fragment:
    """Read a PATCH body; session-level or per-section credentials. BadSdp where it is none."""
    if len(text) > MAX_FRAGMENT:
        raise BadSdp("sdp_too_long", f"a fragment over {MAX_FRAGMENT} characters")
    values: dict[str, set[str]] = {"ice-ufrag": set(), "ice-pwd": set()}
    candidates, complete = 0, False
    for line in text.splitlines():
        if line and not _LINE.fullmatch(line):
            raise BadSdp("sdp_unreadable", "a line that does not belong into a fragment")
        name, _, value = line[2:].partition(":")
        if line.startswith("a=") and name in values:
            values[name].add(value.strip())
        candidates += line.startswith("a=candidate:")
        complete = complete or name == "end-of-candidates"
    if candidates > MAX_CANDIDATES:
        raise BadSdp("too_many_candidates", f"over {MAX_CANDIDATES} candidates")
    ufrags, pwds = values["ice-ufrag"], values["ice-pwd"]
    if len(ufrags) != 1 or len(pwds) != 1:
        raise BadSdp("bad_ice", "a fragment needs exactly one ICE user fragment and password")
    ufrag, pwd = next(iter(ufrags)), next(iter(pwds))
    check_ice(ufrag, pwd)
    return Fragment(ufrag, pwd, candidates, complete)


def write_fragment(local: LocalTransport, mids: Sequence[str]) -> str:
    """Our side after an ICE restart: new credentials and all our candidates, on the first MID."""
    lines = ["a=ice-lite", *ice_lines(local)]
    if mids:
        lines += ["m=audio 9 UDP/TLS/RTP/SAVPF 0", f"a=mid:{mids[0]}", *candidate_lines(local)]
    return "\r\n".join(lines) + "\r\n"
