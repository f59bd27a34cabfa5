"""What goes wrong inside: a dependency that may do better later, a step left out, an execution that was replaced."""


class PlinthError(Exception):
    """Base of every error that Plinth raises on purpose."""


class TransientError(PlinthError):
    """A dependency failed in a way that a later try may not."""


class StoreUnavailableError(TransientError):
    """DynamoDB or S3 throttled the call or did not answer in time."""


class MemoryUnavailableError(TransientError):
    """The search engine throttled the call or did not answer in time."""


class PassagesNotVisibleError(TransientError):
    """Passages were written but a search does not count all of them yet."""


class ToolTurnsSpentError(PlinthError):
    """The model asks for tools again in its last turn."""

    code = "tool_turns_spent"


class DocumentRefusedError(PlinthError):
    """A document can't be ingested: `reason` is a stable code, the message says what to do about it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class SourceUnreadableError(PlinthError):
    """A bucket that is to be synced can't be read; the message says what its owner must grant."""


class PageUnreadableError(PlinthError):
    """A page of the web can't be read, or must not be; the message is for the model that asked for it."""


class ReservationStateError(PlinthError):
    """A reservation is settled without a start, released after one, or gone: the caller left a step out."""


class ContentMissingError(PlinthError):
    """A step asks for what no step before it handed on: the machine runs the steps in a wrong order."""


class ContextsLostError(PlinthError):
    """A window of contexts was paid for and could not be kept; a repeat of the step would pay for it again."""


class RecordUnreadableError(PlinthError):
    """A stored row is not what this version writes: damaged, or of a later one. The message tells no content."""


class SettingMissingError(PlinthError):
    """An environment variable that this function needs is not set; the CDK stack that makes the function sets it."""


class RunSupersededError(PlinthError):
    """Another execution owns the run; whatever this one still does must have no effect."""
