"""What the client sends about erasures and memory, and which receipts it takes for genuine."""

import hashlib
import json
from base64 import b64encode
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner

from client.commands import app, erasing
from client.errors import ReceiptError, UsageError
from client.receipts import is_about, verified
from plinth.contracts.erasing import ErasureState
from tests.unit.client.test_api import api_over

RECEIPT = {
    "id": "era_1",
    "extent": "user",
    "tenant": "acme",
    "subject_sha256": hashlib.sha256(b"user:acme/ada").hexdigest(),
    "began_at": 1.0,
    "ended_at": 2.0,
    "passes": 2,
    "removed": {"runs": 3},
    "expires": [{"store": "logs", "what": "log lines", "gone_by": "2027-01-01"}],
    "format": "plinth-erasure-1",
}
DOCUMENT = {"document_id": "doc_" + "0" * 24, "name": "notes/a.md", "state": "ready", "updated_at": 1.0}


@pytest.fixture(scope="module")
def key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def public(key: EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signed(key: EllipticCurvePrivateKey, document: str) -> bytes:
    signature = b64encode(key.sign(document.encode(), ECDSA(SHA256()))).decode()
    return json.dumps({"document": document, "signature": signature, "key_id": "k"}).encode()


def test_a_receipt_that_the_key_signed_is_genuine_and_about_whom_it_says(key: EllipticCurvePrivateKey) -> None:
    receipt = verified(signed(key, json.dumps(RECEIPT)), public_key=public(key))

    assert receipt.removed == {"runs": 3}
    assert is_about(receipt, "ada")
    assert not is_about(receipt, "bob")


def test_the_receipt_of_a_tenant_names_nobody_and_is_about_the_tenant_all_the_same(
    key: EllipticCurvePrivateKey, tmp_path: Path
) -> None:
    subject = hashlib.sha256(b"tenant:gone/gone").hexdigest()
    document = RECEIPT | {"extent": "tenant", "tenant": "", "subject_sha256": subject}
    (tmp_path / "gone.json").write_bytes(signed(key, json.dumps(document)))
    (tmp_path / "key.pem").write_bytes(public(key))
    verify = ["receipts", "verify", str(tmp_path / "gone.json"), "--public-key", str(tmp_path / "key.pem"), "--about"]

    told, other = (CliRunner().invoke(app, [*verify, name]) for name in ("gone", "acme"))

    assert told.output.startswith("genuine: a tenant was erased by 1970-01-01 00:00:02 UTC [era_1]\n")
    assert isinstance(other.exception, ReceiptError)


def test_a_receipt_that_was_changed_or_signed_by_another_key_is_refused(key: EllipticCurvePrivateKey) -> None:
    genuine = signed(key, json.dumps(RECEIPT))
    changed = genuine.replace(b'runs\\": 3', b'runs\\": 4')
    assert changed != genuine

    for content, public_key in ((changed, public(key)), (genuine, public(generate_private_key(SECP256R1())))):
        with pytest.raises(ReceiptError, match="did not sign it"):
            verified(content, public_key=public_key)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"document": "x", "signature": "!", "key_id": "k"}'])
def test_a_file_that_is_no_receipt_is_refused(key: EllipticCurvePrivateKey, content: bytes) -> None:
    with pytest.raises(ReceiptError, match="no receipt"):
        verified(content, public_key=public(key))


def test_erasures_and_memory_are_asked_for_by_their_own_paths() -> None:
    sent: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(f"{request.method} {request.url.raw_path.decode()}")
        answers = {
            "erasures": {"id": "era_1", "state": "running"},
            "conversations": {"conversations": [], "turns": []},
            "facts": {"facts": []},
        }
        kind = request.url.path.split("/")[2]
        return httpx.Response(200, json=answers.get(kind, answers["erasures"]))

    with api_over(handler) as api:
        assert api.delete_user("a/b").state is ErasureState.RUNNING
        api.delete_tenant("acme")
        api.get_erasure("era_1")
        assert (api.conversations(), api.conversation("talk").turns, api.facts()) == ((), (), ())
        api.erase_conversation("talk")
        api.erase_fact("fact_1")

    assert sent == [
        "DELETE /v1/users/a%2Fb",
        "DELETE /v1/tenants/acme",
        "GET /v1/erasures/era_1",
        "GET /v1/conversations",
        "GET /v1/conversations/talk",
        "GET /v1/facts",
        "DELETE /v1/conversations/talk",
        "DELETE /v1/facts/fact_1",
    ]


def test_nothing_is_erased_whose_receipt_could_not_be_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    with api_over(nobody) as api:
        monkeypatch.setattr(erasing, "environment_named", lambda _: SimpleNamespace(api=lambda: nullcontext(api)))
        done = CliRunner().invoke(app, ["erase", "--user", "ada", "--receipt", str(tmp_path / "none" / "ada.json")])

    assert isinstance(done.exception, FileNotFoundError)


@pytest.mark.parametrize("named", ["notes/a.md", DOCUMENT["document_id"]])
def test_a_document_is_erased_by_its_name_or_its_id(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            assert request.url.path == f"/v1/documents/{DOCUMENT['document_id']}"
            return httpx.Response(202, json={"document": DOCUMENT, "state": "deleting", "erasure_id": "era_1"})
        done = {"id": "era_1", "state": "done", "removed": {"documents": 1}}
        return httpx.Response(200, json=done if "erasures" in request.url.path else {"documents": [DOCUMENT]})

    with api_over(handler) as api:
        monkeypatch.setattr(erasing, "environment_named", lambda _: SimpleNamespace(api=lambda: nullcontext(api)))
        done = CliRunner().invoke(app, ["erase", named])
        unknown = CliRunner().invoke(app, ["erase", "other.md"])

    assert done.output == "erased: 1 from documents [era_1]\n"
    assert isinstance(unknown.exception, UsageError)
    assert "no document other.md" in str(unknown.exception)
