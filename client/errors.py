"""What can go wrong for a caller of Plinth, and with which exit code the command line says so.

ClientError
├── UsageError            2: an argument or a file of the caller's own is wrong
├── NotReachableError     3: nothing answers, or the stack is not running
├── ApiError              4: the API refused the request with a problem document (RFC 9457)
├── ReceiptError          1: a receipt of an erasure is not genuine, or there is none
└── StreamBrokenError     1: a run's events could not be followed to their end
"""


class ClientError(Exception):
    """Base of every error of the client; the text is one sentence with the remedy."""

    exit_code = 1


class UsageError(ClientError):
    """An argument, or a file that it names, is wrong; the message names it."""

    exit_code = 2


class NotReachableError(ClientError):
    """Nothing answers at the environment's address."""

    exit_code = 3


class ReceiptError(ClientError):
    """A receipt is not what it should be, or an erasure has none."""


class ExportError(ClientError):
    """An export failed, or what came of it is not what its manifest says."""


class StreamBrokenError(ClientError):
    """The events of a run stopped and could not be resumed."""


class ApiError(ClientError):
    """The API refused. `code` is stable and made for programs; `retry_after_seconds` is set where waiting helps.

    `detail` is for people and names the remedy, the wait included.
    """

    exit_code = 4

    def __init__(self, detail: str, *, status: int, code: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return f"{self.detail} [{self.status} {self.code}]"
