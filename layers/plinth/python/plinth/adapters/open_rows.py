"""The sparse index of open rows by their time: an ended row loses `open`, and so leaves it."""

from plinth.adapters.dynamodb_table import Index

OPEN = Index(name="open", partition="open", sort="lapses_at")
