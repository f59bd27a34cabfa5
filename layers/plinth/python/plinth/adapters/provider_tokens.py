"""Where a provider's credential comes from and how long it is used, so that a rotated one is taken up by itself."""

import re
import time
from collections.abc import Callable

import boto3

from plinth.adapters.aws_calls import CALLS, store_errors
from plinth.errors import ModelNotConfiguredError, ModelUnavailableError, PlinthError, StoreUnavailableError

SECRET_SECONDS = 300.0
"""How long a key is used before its secret is read again, if the provider does not refuse it first."""


class Token:
    """A credential that `make` returns, made again when it is `life_seconds` old or was dropped."""

    def __init__(
        self, make: Callable[[], str], *, life_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make = make
        self._life_seconds = life_seconds
        self._clock = clock
        self._made: tuple[str, float] | None = None

    def value(self) -> str:
        """Return the credential; raise what `make` raises."""
        now = self._clock()
        if self._made is None or now >= self._made[1]:
            self._made = (self._make(), now + self._life_seconds)
        return self._made[0]

    def drop(self) -> None:
        """Forget it, because the provider refused it: the next call makes another."""
        self._made = None


def key_from_secret(secret_arn: str) -> str:
    """Return the API key that the secret holds as its plain string; `ModelNotConfiguredError` where it holds none.

    `ModelUnavailableError` where Secrets Manager did not answer: the model was not asked.
    """
    client = boto3.client("secretsmanager", config=CALLS)
    try:
        with store_errors("Secrets Manager"):
            try:
                key = client.get_secret_value(SecretId=secret_arn)["SecretString"]
            except client.exceptions.ResourceNotFoundException:  # a secret without a value, on AWS
                key = ""
    except StoreUnavailableError as error:
        raise ModelUnavailableError("the secret of the API key could not be read") from error
    except PlinthError as error:
        raise ModelNotConfiguredError("the secret of the API key may not be read") from error
    return usable_key(key)


def usable_key(secret: str) -> str:
    """Return the key without the line end that it brings from a file; `ModelNotConfiguredError` if it is none.

    What a header can't carry would fail each call only when it is sent, as if the provider were ill.
    """
    key = secret.strip()
    if not re.fullmatch(r"[!-~]+", key):
        what = "holds other characters than a key has" if key else "is empty"
        raise ModelNotConfiguredError(f"the secret of the API key {what}: put the key into it, and nothing else")
    return key
