"""A recording in the making as it was a moment ago, for a recorder that comes back.

The assembler and the writers' places go into one file beside the journal; what the files hold themselves
stays there. A checkpoint is believed only by the very program that wrote it and within the same run of the
machine: after another kind of end files may hold less than was written to them, and the journal alone
counts.
"""

from __future__ import annotations

import hashlib
import io
import logging
import pickle
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from recorder.archive import layout
from recorder.archive.manifest import write_whole
from recorder.assemble.assembler import Assembler
from recorder.intake import boot_id
from recorder.journal import JournalPlace
from recorder.writer import MUXER, TrackState

log = logging.getLogger(__name__)
CHECKPOINT = "checkpoint"
AT_MOST = 256 << 20
_MAGIC = b"LKC1"
_DIGEST = 32
_OURS = ("recorder.assemble.", "recorder.contract", "recorder.archive.manifest", "recorder.playlist")
_ALLOWED = {
    ("collections", "deque"),
    ("recorder.checkpoint", "Checkpoint"),
    ("recorder.journal", "JournalPlace"),
    ("recorder.writer", "SectionState"),
    ("recorder.writer", "TrackState"),
}


class BadCheckpoint(Exception):
    """What is there cannot be gone on from."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`assembler` has taken everything up to `place`; `tracks` have written all that it gave."""

    boot: bytes
    place: JournalPlace
    assembler: Assembler
    tracks: list[TrackState]


class _Values(pickle.Unpickler):
    """Makes our own values and nothing else, whatever the file says."""

    def find_class(self, module_name: str, name: str, /) -> object:
        known = (module_name, name) in _ALLOWED
        if known or (module_name.startswith(_OURS) and "." not in name):
            found = super().find_class(module_name, name)
            if isinstance(found, type) and (known or found.__module__ == module_name):
                return found
        raise BadCheckpoint(f"{module_name}.{name} is none of a checkpoint's values")


@cache
def _program() -> bytes:
    """Names the program: another version's state may mean something else."""
    digest = hashlib.sha256(MUXER.encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the lesson's checkpoint. OSError where the disk refuses."""
    body = pickle.dumps(checkpoint, protocol=5)
    digest = hashlib.sha256(_program() + body).digest()
    write_whole(folder / layout.JOURNAL / CHECKPOINT, _MAGIC + digest + body)


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The lesson's checkpoint; None where there is none that can be gone on from."""
    path = folder / layout.JOURNAL / CHECKPOINT
    try:
        with path.open("rb") as file:
            data = file.read(AT_MOST + 1)
        checkpoint = _decode(data)
    except FileNotFoundError:
        return None
    except (OSError, BadCheckpoint) as error:
        log.info(
            "the journal is read from its beginning", extra={"lesson": folder.name, "reason": str(error)}
        )
        return None
    return checkpoint


def _decode(data: bytes) -> Checkpoint:
    head = len(_MAGIC) + _DIGEST
    digest, body = data[len(_MAGIC) : head], data[head:]
    if data[: len(_MAGIC)] != _MAGIC or hashlib.sha256(_program() + body).digest() != digest:
        raise BadCheckpoint("damaged, or of another version")
    try:
        checkpoint = _Values(io.BytesIO(body)).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, TypeError, ValueError, IndexError) as error:
        raise BadCheckpoint(str(error)) from error
    if not isinstance(checkpoint, Checkpoint) or checkpoint.boot != boot_id():
        raise BadCheckpoint("from before the machine was started")
    return checkpoint
