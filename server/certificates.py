"""A private certificate authority and the server's certificate (`lianke cert`), and reading any certificate.

For an installation without the Internet: the CA's certificate is installed once on each panel (the help
page offers it), the server's is renewed under it. The CA is never overwritten: every panel trusts that one.
Keys are files of mode 0600. The only user of `cryptography` outside the media worker's DTLS.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from server.errors import UserFault

CA_DAYS = 20 * 365
SERVER_DAYS = 820  # some systems trust nothing longer
BACKDATED = timedelta(days=2)  # for panels whose clock is a little behind
MOST_NAMES = 50

CA_CERTIFICATE, CA_KEY = "ca.pem", "ca.key"
SERVER_CERTIFICATE, SERVER_KEY = "server.pem", "server.key"


@dataclass(frozen=True, slots=True)
class Made:
    """What `make` left in the folder; `new_ca`: every panel has to learn it."""

    ca: Path
    certificate: Path
    key: Path
    names: tuple[str, ...]
    expires: datetime
    new_ca: bool


@dataclass(frozen=True, slots=True)
class Read:
    """The first certificate of a PEM file: names and addresses it holds for, and its time."""

    names: tuple[str, ...]
    begins: datetime
    expires: datetime
    private: bool  # of a CA made here


def make(folder: Path, names: Sequence[str], now: datetime) -> Made:
    """A server certificate for these names and addresses under the folder's CA, which is made where there
    is none. UserFault where a name cannot be one or the folder holds half a CA."""
    alternatives = [_alternative(name) for name in dict.fromkeys(names)]
    if not 1 <= len(alternatives) <= MOST_NAMES:
        raise UserFault(
            "bad_name",
            zh=f"请给出 1 到 {MOST_NAMES} 个域名或地址。",
            en=f"Give 1 to {MOST_NAMES} names or addresses.",
        )
    with _files_may_fail(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new_ca = _make_ca(folder, now)
        expires = _make_server(folder, alternatives, now)
    return Made(
        folder / CA_CERTIFICATE,
        folder / SERVER_CERTIFICATE,
        folder / SERVER_KEY,
        tuple(dict.fromkeys(names)),
        expires,
        new_ca,
    )


def keep(folder: Path, certificate: str, key: str, now: datetime) -> tuple[str, ...]:
    """A pair that was brought (PEM texts) into the folder; the names it holds for. UserFault
    "bad_certificate" where it does not fit together, or is over."""
    with tempfile.TemporaryDirectory() as name:
        pair = Path(name) / SERVER_CERTIFICATE, Path(name) / SERVER_KEY
        for path, text in zip(pair, (certificate, key), strict=True):
            _write(path, text.encode())
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*pair, password=lambda: "")
            found = read(pair[0])
        except (OSError, ValueError) as error:
            raise UserFault(
                "bad_certificate",
                zh="证书和私钥不是一对，或不是 PEM 文本（私钥不能有口令）。请粘贴完整的两段。",
                en="Certificate and key do not fit, or are no PEM text (a key without passphrase). "
                "Paste both whole.",
            ) from error
    if not found.begins <= now < found.expires:
        raise UserFault(
            "bad_certificate",
            zh=f"这张证书只在 {found.begins:%Y-%m-%d} 至 {found.expires:%Y-%m-%d} 有效。",
            en=f"This certificate is good from {found.begins:%Y-%m-%d} to {found.expires:%Y-%m-%d} only.",
        )
    with _files_may_fail(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / SERVER_KEY, key.encode())
        _write(folder / SERVER_CERTIFICATE, certificate.encode(), mode=0o644)
    return found.names


def read(path: Path) -> Read:
    """OSError where the file cannot be read, ValueError where it holds no certificate."""
    found = x509.load_pem_x509_certificate(path.read_bytes())
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    told = (*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress)))
    organisation = found.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    private = bool(organisation) and organisation[0].value == "Lianke"
    return Read(told, found.not_valid_before_utc, found.not_valid_after_utc, private)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    labels = name.removeprefix("*.").split(".")
    if len(name) > 253 or not all(
        0 < len(label) <= 63 and label.replace("-", "").isalnum() and label.isascii() for label in labels
    ):
        raise UserFault(
            "bad_name",
            zh=f"“{name}”不是域名或 IP 地址。",
            en=f'"{name}" is neither a host name nor an IP address.',
        )
    return x509.DNSName(name)


def _make_ca(folder: Path, now: datetime) -> bool:
    """False where there is one already."""
    certificate, key = folder / CA_CERTIFICATE, folder / CA_KEY
    if certificate.exists() and key.exists():
        return False
    if certificate.exists() or key.exists():
        raise UserFault(
            "half_a_ca",
            zh=f"{folder} 中只有 {CA_CERTIFICATE} 或 {CA_KEY} 之一。请从备份恢复另一个,或换一个空目录。",
            en=f"{folder} holds only one of {CA_CERTIFICATE} and {CA_KEY}. Restore the other from a backup, "
            "or choose an empty folder.",
        )
    secret = ec.generate_private_key(ec.SECP256R1())
    name = _named(f"Lianke private CA {now:%Y-%m-%d}")
    built = (
        _begun(name, name, secret.public_key(), now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(secret, hashes.SHA256())
    )
    _write(key, _pem_of_key(secret), new=True)
    _write(certificate, built.public_bytes(serialization.Encoding.PEM), mode=0o644, new=True)
    return True


def _make_server(folder: Path, alternatives: Sequence[x509.GeneralName], now: datetime) -> datetime:
    ca = x509.load_pem_x509_certificate((folder / CA_CERTIFICATE).read_bytes())
    signer = serialization.load_pem_private_key((folder / CA_KEY).read_bytes(), password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey) or signer.public_key() != ca.public_key():
        raise UserFault(
            "half_a_ca",
            zh=f"{folder} 中的 {CA_KEY} 不属于 {CA_CERTIFICATE}。",
            en=f"{CA_KEY} in {folder} does not belong to {CA_CERTIFICATE}.",
        )
    secret = ec.generate_private_key(ec.SECP256R1())
    days = min(SERVER_DAYS, (ca.not_valid_after_utc - now).days)
    built = (
        _begun(_named("Lianke server"), ca.subject, secret.public_key(), now, days)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    _write(folder / SERVER_KEY, _pem_of_key(secret))
    _write(folder / SERVER_CERTIFICATE, built.public_bytes(pem) + ca.public_bytes(pem), mode=0o644)
    return built.not_valid_after_utc


def _named(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lianke"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - BACKDATED)
        .not_valid_after(now.astimezone(UTC) + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes, *, mode: int = 0o600, new: bool = False) -> None:
    """In one step, with its mode from the beginning; `new`: FileExistsError where it is there."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if new:
        os.link(beside, path)
        beside.unlink()
    else:
        beside.replace(path)


@contextlib.contextmanager
def _files_may_fail(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise UserFault(
            "bad_folder",
            zh=f"不能在 {folder} 中读写证书({error})。",
            en=f"Cannot read or write certificates in {folder} ({error}).",
        ) from error
