"""The browser key of a paired device: its public point, what it signs, and the launcher's restore secret.

ECDSA on P-256 with SHA-256 as WebCrypto makes it (FIPS 186-5; r and s in IEEE P1363 form).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from server.domain.device import Device
from server.errors import UserFault

HALF = 32
RESTORE_CHARACTERS = 32


def new_nonce() -> str:
    return secrets.token_urlsafe(24)


def point_of(text: str) -> bytes:
    """The public point of base64url. UserFault "bad_key" for what is none on the curve."""
    try:
        point = _octets(text)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (ValueError, binascii.Error) as error:
        raise UserFault(
            "bad_key", zh="浏览器的密钥不对，请刷新页面。", en="The browser’s key is none; reload the page."
        ) from error
    return point


def proves(device: Device, nonce: str, signature: str) -> bool:
    """Whether this signature over our nonce is by the device's key."""
    try:
        both = _octets(signature)
        if len(both) != 2 * HALF:
            return False
        der = encode_dss_signature(int.from_bytes(both[:HALF], "big"), int.from_bytes(both[HALF:], "big"))
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), device.key)
        public.verify(der, what_is_signed(device.id, nonce), ec.ECDSA(hashes.SHA256()))
    except (ValueError, binascii.Error, InvalidSignature):
        return False
    return True


def what_is_signed(device: str, nonce: str) -> bytes:
    return f"lianke device v1\n{device}\n{nonce}".encode()


def restore_secret(key: bytes, device: Device) -> str:
    """What the launcher carries: the same at each download, another after `restore` rose. Not stored."""
    text = f"restore {device.id} {device.restore}".encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:RESTORE_CHARACTERS]


def is_restore_secret(key: bytes, device: Device, secret: str) -> bool:
    return hmac.compare_digest(restore_secret(key, device).encode(), secret.encode())


def _octets(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
