"""The frame around every step: handler, log line, streaming loop."""

from plinth.runtime.steps import step

__all__ = ["step"]
