"""The sparse index of open rows by their time: an ended row loses `open`, and so leaves it; and which runs are open."""

from plinth.adapters.dynamodb_items import Value
from plinth.adapters.dynamodb_table import Index
from plinth.contracts.runs import RunStatus

OPEN = Index(name="open", partition="open", sort="lapses_at")
IS_OPEN = "#status IN (:accepted, :running, :awaiting)"
"""The condition of a run that has not ended, with its values."""
OPEN_STATUSES: dict[str, Value] = {
    ":accepted": RunStatus.ACCEPTED,
    ":running": RunStatus.RUNNING,
    ":awaiting": RunStatus.AWAITING_APPROVAL,
}
