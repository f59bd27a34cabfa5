"""Streams: how a run's log reaches its readers while it is being written."""
