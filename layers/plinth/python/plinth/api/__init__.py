"""The HTTP API: which requests are taken, and how they are answered."""
