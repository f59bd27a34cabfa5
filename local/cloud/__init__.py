"""The embedded cloud: ministack, started through a launcher that mends the few faults Plinth meets."""
