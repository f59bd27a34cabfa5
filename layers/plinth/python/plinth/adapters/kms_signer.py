"""Who signs receipts: an ECC key in KMS that nobody can take out; its public half checks a receipt anywhere."""

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING

from plinth.adapters.aws_calls import store_errors
from plinth.contracts.erasing import SignedReceipt

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsSigner:
    """`ReceiptSigner` with one key of the spec ECC_NIST_P256."""

    def __init__(self, *, client: "KMSClient", key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    def sign(self, document: str) -> SignedReceipt:
        """Sign the SHA-256 of the text's UTF-8."""
        with store_errors("KMS"):
            answer = self._client.sign(
                KeyId=self._key_id,
                Message=hashlib.sha256(document.encode()).digest(),
                MessageType="DIGEST",
                SigningAlgorithm="ECDSA_SHA_256",
            )
        return SignedReceipt(
            document=document, signature=b64encode(answer["Signature"]).decode(), key_id=answer["KeyId"]
        )
