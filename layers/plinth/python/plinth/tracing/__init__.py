"""What a run's log says about how it was worked on: pure functions from events to a trace, and on to OpenTelemetry."""
