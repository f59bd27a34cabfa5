"""`plinth erase` and `plinth receipts`: what goes from every store, and the proof of it."""

import re
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from client.api import PlinthApi
from client.commands.choices import EnvironmentName, output
from client.commands.documents import chosen
from client.environments import LOCAL, environment_named
from client.errors import ReceiptError, UsageError
from client.receipts import is_about, public_key_of, verified
from client.records import Erasure
from client.uploading import IngestTimeoutError
from plinth.contracts.erasing import ErasureReceipt, ErasureState

app = typer.Typer()
receipts = typer.Typer(no_args_is_help=True, help="Check the receipts of erasures.")
app.add_typer(receipts, name="receipts")
_DOCUMENT_ID = re.compile(r"doc_[0-9a-f]{24}")
_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 900.0


@app.command(epilog="Examples: plinth erase notes/a.md | plinth erase --user bob --receipt bob.json")
def erase(
    document: Annotated[
        str | None, typer.Argument(help="A document's name or id.", metavar="[NAME]", show_default=False)
    ] = None,
    *,
    user: Annotated[str | None, typer.Option(help="Erase all that belongs to this user.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Erase everything of this tenant; for operators.")] = None,
    receipt: Annotated[Path | None, typer.Option(help="Write the signed receipt to this file.")] = None,
    env: EnvironmentName = LOCAL,
) -> None:
    """Erase a document, a user or a tenant: hidden at once, then removed from every store."""
    if [document, user, tenant].count(None) != 2:
        raise UsageError("name one thing to erase: a document's NAME, --user USER or --tenant TENANT")
    if receipt:
        receipt.open("ab").close()  # before anything is erased: it may be the only proof
    with environment_named(env).api() as api:
        done = _ended(api, _begun(api, document, user, tenant))
    counts = ", ".join(f"{count} from {store}" for store, count in sorted(done.removed.items()))
    output().print(f"erased: {counts or 'there was nothing'} [{done.id}]", markup=False, soft_wrap=True)
    if done.receipt and receipt:
        receipt.write_bytes(msgspec.json.format(msgspec.json.encode(done.receipt), indent=1))


def _begun(api: PlinthApi, document: str | None, user: str | None, tenant: str | None) -> Erasure:
    if document is not None:
        is_id = _DOCUMENT_ID.fullmatch(document)
        found = document if is_id else chosen(list(api.documents()), [document])[0].document_id
        return api.get_erasure(api.delete_document(found))
    return api.delete_user(user) if user is not None else api.delete_tenant(tenant or "")


def _ended(api: PlinthApi, erasure: Erasure) -> Erasure:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while erasure.state is ErasureState.RUNNING:
        if time.monotonic() > deadline:
            raise IngestTimeoutError(f"erasure {erasure.id} goes on by itself: see GET /v1/erasures/{erasure.id}")
        time.sleep(_POLL_SECONDS)
        erasure = api.get_erasure(erasure.id)
    if erasure.state is ErasureState.FAILED:
        raise ReceiptError(f"erasure {erasure.id} stopped, and what it is about stays hidden: see `plinth logs`")
    return erasure


@receipts.command(epilog="Example: plinth receipts verify bob.json --about bob")
def verify(
    file: Annotated[Path, typer.Argument(help="A receipt, as `plinth erase --receipt` wrote it.", exists=True)],
    *,
    about: Annotated[str | None, typer.Option(help="Check that it is about this user, document or tenant.")] = None,
    public_key: Annotated[Path | None, typer.Option(help="A key that `plinth receipts key` printed.")] = None,
    env: EnvironmentName = LOCAL,
) -> None:
    """Check that a receipt was signed by the environment, and say what it proves."""
    key = public_key.read_bytes() if public_key else _environments_key(env)
    receipt = verified(file.read_bytes(), public_key=key)
    if about is not None and not is_about(receipt, about):
        raise ReceiptError(f"the receipt is genuine, but it is not about the {receipt.extent} {about}")
    output().print("\n".join(_told(receipt)), markup=False, soft_wrap=True)


@receipts.command(epilog="Example: plinth receipts key > plinth-receipts.pem")
def key(*, env: EnvironmentName = LOCAL) -> None:
    """Print the public key of an environment, which checks its receipts without it."""
    typer.echo(_environments_key(env).decode(), nl=False)


def _environments_key(env: str) -> bytes:
    environment = environment_named(env)
    return public_key_of(environment.aws.kms(), environment.output("ReceiptsKeyArn"))


def _told(receipt: ErasureReceipt) -> list[str]:
    ended = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(receipt.ended_at))
    of = f" of tenant {receipt.tenant}" if receipt.tenant else ""
    return [
        f"genuine: a {receipt.extent}{of} was erased by {ended} [{receipt.id}]",
        *(f"  removed {count} from {store}" for store, count in sorted(receipt.removed.items())),
        *(f"  gone by {each.gone_by}: {each.store}, {each.what}" for each in receipt.expires),
    ]
