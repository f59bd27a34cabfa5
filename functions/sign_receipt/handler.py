"""SignReceipt: end an erasure whose last pass found nothing, or ask for another pass."""

from plinth.contracts import SignReceiptInput, SignReceiptOutput
from plinth.contracts.erasing import ErasureState
from plinth.memory.erasures import wait_before_next_pass
from plinth.runtime import step
from plinth.runtime.erasures import another_pass, sign
from plinth.wiring import Services


def sign_receipt(request: SignReceiptInput, services: Services) -> SignReceiptOutput:
    """Sign what was removed where and what expires when, once a whole pass found nothing left."""
    erasure = services.erasing.erasures.get(request.erasure_id)
    if erasure.state is ErasureState.DONE:
        return SignReceiptOutput(signed=True)
    wait_seconds = wait_before_next_pass(erasure, now=services.clock.now())
    if wait_seconds is not None:
        another_pass(erasure, services)
        return SignReceiptOutput(signed=False, wait_seconds=wait_seconds)
    sign(erasure, services)
    return SignReceiptOutput(signed=True)


handler = step(sign_receipt)
