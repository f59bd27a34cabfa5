"""Which published files are made from code: `python -m docs.generate` writes them, `--check` says which are stale."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from plinth.api.application import make_resolver
from plinth.api.openapi import openapi_document
from plinth.contracts.events import LoggedEvent

FOLDER = Path(__file__).parent / "generated"


def generated() -> dict[str, str]:
    """Return the text of each generated file by its name."""
    return {
        "openapi.json": _text(openapi_document(make_resolver())),
        "events.schema.json": _text(_events_schema()),
    }


def stale() -> list[str]:
    """Return the names of the files that are not what the code says."""
    return [name for name, text in generated().items() if _committed(name) != text]


def main() -> int:
    """Write the files, or with --check return 1 if one is stale."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__, allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is stale")
    if parser.parse_args().check:
        names = stale()
        sys.stderr.writelines(f"docs/generated/{name} is stale: run python -m docs.generate\n" for name in names)
        return 1 if names else 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in generated().items():
        (FOLDER / name).write_text(text)
    return 0


def _events_schema() -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of a run",
        "description": "One event as GET /v1/runs/{id}/events sends it.",
        **msgspec.json.schema(LoggedEvent),
    }


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _committed(name: str) -> str | None:
    path = FOLDER / name
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
