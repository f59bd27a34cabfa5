"""Plinth: the stack under an AI application, as one importable package shipped in one Lambda layer."""
