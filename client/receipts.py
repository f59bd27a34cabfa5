"""Whether a receipt of an erasure is genuine: its signature, checked with the public half of the environment's key."""

import hashlib
from base64 import b64decode
from binascii import Error as NotBase64Error
from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from client.errors import ReceiptError
from plinth.contracts.erasing import ErasureReceipt, SignedReceipt

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def public_key_of(kms: "KMSClient", key_id: str) -> bytes:
    """Return the public half of a key as PEM."""
    key = load_der_public_key(kms.get_public_key(KeyId=key_id)["PublicKey"])
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def verified(content: bytes, *, public_key: bytes) -> ErasureReceipt:
    """Return what a receipt's file says, or raise `ReceiptError` where it was not signed by this key."""
    try:
        signed = msgspec.json.decode(content, type=SignedReceipt)
        signature = b64decode(signed.signature, validate=True)
        key = load_pem_public_key(public_key)
    except (msgspec.DecodeError, NotBase64Error, ValueError) as error:
        raise ReceiptError(f"this is no receipt, or no public key: {error}") from error
    if not isinstance(key, EllipticCurvePublicKey):
        raise ReceiptError("the public key is not the one of an environment: it must be an elliptic curve's")
    try:
        key.verify(signature, signed.document.encode(), ECDSA(SHA256()))
        return msgspec.json.decode(signed.document, type=ErasureReceipt)
    except InvalidSignature as error:
        raise ReceiptError("this environment's key did not sign it: the receipt was changed or made up") from error
    except msgspec.DecodeError as error:
        raise ReceiptError(f"what was signed is no receipt: {error}") from error


def is_about(receipt: ErasureReceipt, name: str) -> bool:
    """Say whether the receipt is about the user, document or tenant of this name; a tenant's does not name it."""
    subject = f"{receipt.extent}:{receipt.tenant or name}/{name}"
    return hashlib.sha256(subject.encode()).hexdigest() == receipt.subject_sha256
