"""How each format becomes text with headings and pages. Runs in a child process only: see `child_process_parser`."""

REFUSED_EXIT_CODE = 3
"""How the child ends when it wrote why it refuses the document, instead of its text."""

MAX_CHARACTERS = 10_000_000
"""Of a document's text, whatever its kind."""
