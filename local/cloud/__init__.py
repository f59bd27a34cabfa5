"""The embedded cloud: ministack, started through a launcher that mends the few faults Plinth meets."""

ACCOUNT = "000000000000"
REGION = "us-east-1"
