"""FFmpeg's own `whip` muxer publishes into a lesson, in both DTLS roles."""

from __future__ import annotations

import asyncio
import datetime
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from server.drill.own_server import OwnServer
from tests.fakes.foreign_process import PIPE, running
from tests.peers.lessons import decodes, holding
from tests.peers.test_whip_whep import Doors, start_lesson
from tests.peers.workers import holds

pytestmark = pytest.mark.asyncio(loop_scope="session")


def certificate(folder: Path) -> list[str]:
    """Options that give FFmpeg a certificate on P-256: with GnuTLS it makes itself one on P-224."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "encoder")])
    today = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(today).not_valid_after(today + datetime.timedelta(days=2))
    signed = builder.sign(key, hashes.SHA256())
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    return [f"cert_file={cert_file}", f"key_file={key_file}"]


def ffmpeg(doors: Doors, *options: str) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """A publisher; the end of its standard input makes it hang up."""
    token = doors.publish["Authorization"].split()[1]
    command = (sys.executable, "-m", "tests.interop.ffmpeg_whip", doors.whip, token, *options)
    return running(*command, stdin=PIPE, stderr=PIPE)


@pytest.mark.parametrize("role", [(), ("whip_flags=dtls_active",)], ids=["dtls_server", "dtls_client"])
async def test_ffmpeg_publishes_picture_and_sound_until_it_hangs_up(
    installation: OwnServer, tmp_path: Path, role: tuple[str, ...]
) -> None:
    async with holding(installation) as held:
        doors = await start_lesson(held)
        room = held.room(0)
        async with ffmpeg(doors, *certificate(tmp_path), *role) as process:
            await room.until(lambda: room.sight("stage").unreadable >= 30, 20)
            await room.until(lambda: room.sound("main").fresh > 0, 5)
            assert process.stdin is not None
            process.stdin.close()
            assert await process.wait() == 0
        await room.until(lambda: room.lesson is not None and not room.lesson.main_sends, 5)


async def test_ffmpegs_own_certificate_works_or_is_refused_in_words(installation: OwnServer) -> None:
    """On P-224, of which OpenSSL 4 knows nothing any more; a later FFmpeg may choose better."""
    async with holding(installation) as held:
        doors = await start_lesson(held)
        room = held.room(0)
        async with ffmpeg(doors) as process:
            refused = f"lesson {doors.lesson}: whip.camera: failed: certificate_curve (its certificate"
            await holds(lambda: decodes(room) or refused in installation.log.read_text(), 40)
            assert decodes(room) or await process.wait() != 0
