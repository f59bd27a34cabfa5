"""What is ordered, told and kept of a document's contexts: which model writes them, and what that costs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextOrder:
    """Which catalogue model writes contexts for a document, empty for none; which key pays with its tenant.

    `most_micro_usd` is what they may cost in one try; None leaves that to the budgets.
    """

    model: str = ""
    key_id: str = ""
    most_micro_usd: int | None = None


NO_CONTEXTS = ContextOrder()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentContexts:
    """The contexts of a live version: of how many passages, how many have none, and what this version's ones cost."""

    model: str
    passages: int
    missing: int
    cost_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextEstimate:
    """What the contexts of something will about cost by a model, and at most in one try: above that it is refused."""

    model: str
    expected_micro_usd: int
    most_micro_usd: int
