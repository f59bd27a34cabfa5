"""What Plinth costs on this machine: `python -m bench [name ...]` measures, prints, and keeps bench/results/*.json."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from bench import (
    answers,
    cache,
    cold_start,
    conversations,
    document_load,
    embedding,
    first_text,
    ingest,
    load,
    own_code,
    platform_cost,
    retrieval,
    search,
)
from bench.figures import Figure, NotMeasurableError
from bench.host import host, plinth_version
from bench.results import keep, table

BENCHMARKS: Mapping[str, Callable[..., list[Figure]]] = {
    "cold_start": cold_start.measure,
    "own_code": own_code.measure,
    "ingest": ingest.measure,
    "embedding": embedding.measure,
    "search": search.measure,
    "first_text": first_text.measure,
    "cache": cache.measure,
    "retrieval": retrieval.measure,
    "answers": answers.measure,
    "conversations": conversations.measure,
    "platform_cost": platform_cost.measure,
    "load": load.measure,
    "document_load": document_load.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named benchmarks, or all; the exit code is 1 if one that was named can't be measured here."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, allow_abbrev=False)
    parser.add_argument("name", nargs="*", choices=[*BENCHMARKS, []], help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--large", action="store_true", help="also search among 100,000 passages (minutes)")
    options = parser.parse_args(arguments)
    skipped = False
    for name in options.name or BENCHMARKS:
        about = host()
        try:
            figures = BENCHMARKS[name](large=options.large)
        except NotMeasurableError as error:
            print(f"\n{name}: SKIPPED, {error}")
            skipped = True
            continue
        print("\n".join(table(name, figures)))
        print(f"  load {about['load_1_min']}; kept in {keep(name, figures, host=about, version=plinth_version())}")
    return 1 if skipped and options.name else 0


if __name__ == "__main__":
    sys.exit(main())
