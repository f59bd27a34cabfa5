"""How each format becomes text with headings and pages. Runs in a child process only: see `child_process_parser`."""
