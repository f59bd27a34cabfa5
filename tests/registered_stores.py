"""Which of the registered stores an export and an erasure go through."""

from plinth.memory.stores import STORES


def exported_stores() -> frozenset[str]:
    """Return the names of the stores that an export goes through."""
    return frozenset(store.name for store in STORES if not store.not_exported)


def erased_stores() -> frozenset[str]:
    """Return the names of the stores that an erasure goes through."""
    return frozenset(store.name for store in STORES if store.erased)
