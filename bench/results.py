"""How results are kept and shown: one JSON file per day and version, and a table per benchmark."""

import datetime
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.figures import Figure, Goal
from bench.host import REPOSITORY

FOLDER = REPOSITORY / "bench" / "results"


def keep(
    name: str, figures: Sequence[Figure], *, host: Mapping[str, object], version: str, folder: Path = FOLDER
) -> Path:
    """Put a benchmark into today's file, in place of its earlier figures there; the others keep theirs."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    file = folder / f"{today}-{version}.json"
    folder.mkdir(parents=True, exist_ok=True)
    kept: dict[str, object] = json.loads(file.read_text())["benchmarks"] if file.exists() else {}
    kept[name] = {"host": dict(host), "figures": [_as_json(figure) for figure in figures]}
    file.write_text(json.dumps({"version": version, "date": today, "benchmarks": kept}, indent=1) + "\n")
    return file


def table(name: str, figures: Sequence[Figure]) -> list[str]:
    """Return lines: what, how much, how many times its reference, and which goals it missed."""
    lines = ["", name]
    for figure in figures:
        value = f"{figure.value:.3f} {figure.unit}"
        verdict = "; ".join(_verdict(goal) for goal in figure.goals)
        lines.append(f"  {figure.name:<26}{value:>18}{figure.ratio:>10.2f} x  {verdict}".rstrip())
        if figure.details:
            lines.append("      " + ", ".join(f"{key} {value}" for key, value in figure.details.items()))
    references = {figure.reference: statistics.median(figure.reference_samples) for figure in figures}
    return [*lines, *(f"  x = {reference}, {value:.3f}" for reference, value in references.items())]


def _verdict(goal: Goal) -> str:
    sign = ">=" if goal.at_least else "<="
    return f"{'met' if goal.met else 'MISSED'}: {goal.what} {goal.value:.4g} {sign} {goal.limit:g}"


def _as_json(figure: Figure) -> dict[str, object]:
    return {
        "name": figure.name,
        "unit": figure.unit,
        "value": round(figure.value, 3),
        "ratio": round(figure.ratio, 2),
        "samples": _spread(figure.samples),
        "reference": {"what": figure.reference, **_spread(figure.reference_samples)},
        "details": dict(figure.details),
        "goals": [
            {
                "what": goal.what,
                "value": round(goal.value, 3),
                "at_least" if goal.at_least else "at_most": goal.limit,
                "met": goal.met,
            }
            for goal in figure.goals
        ],
    }


def _spread(samples: Sequence[float]) -> dict[str, float]:
    ordered = sorted(samples)
    return {
        "count": len(ordered),
        "least": round(ordered[0], 3),
        "median": round(statistics.median(ordered), 3),
        "most": round(ordered[-1], 3),
    }
