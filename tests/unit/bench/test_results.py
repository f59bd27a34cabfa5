"""What is kept of a run of the benchmarks, and what is shown."""

import json
from pathlib import Path

from bench.figures import Figure
from bench.results import keep, table


def test_a_kept_figure_has_its_ratio_and_the_raw_numbers_of_both_sides(figure: Figure, tmp_path: Path) -> None:
    file = keep("search", [figure], host={"cores": 2}, version="1.2.3", folder=tmp_path)

    content = json.loads(file.read_text())
    kept = content["benchmarks"]["search"]
    assert file.name.endswith("-1.2.3.json")
    assert kept["host"] == {"cores": 2}
    assert kept["figures"] == [
        {
            "name": "a question",
            "unit": "ms",
            "value": 30.0,
            "ratio": 10.0,
            "samples": {"count": 3, "least": 10.0, "median": 30.0, "most": 40.0},
            "reference": {"what": "a product", "count": 3, "least": 1.0, "median": 2.0, "most": 10.0},
            "details": {"model": "small"},
            "goals": [
                {"what": "ms p50", "value": 30.0, "at_most": 50.0, "met": True},
                {"what": "per second", "value": 33.0, "at_least": 100.0, "met": False},
            ],
        }
    ]


def test_a_second_run_on_the_same_day_replaces_only_what_it_measured(figure: Figure, tmp_path: Path) -> None:
    keep("search", [figure], host={"cores": 2}, version="1.2.3", folder=tmp_path)
    keep("ingest", [figure], host={"cores": 2}, version="1.2.3", folder=tmp_path)

    file = keep("ingest", [figure], host={"cores": 4}, version="1.2.3", folder=tmp_path)

    benchmarks = json.loads(file.read_text())["benchmarks"]
    assert {name: kept["host"]["cores"] for name, kept in benchmarks.items()} == {"search": 2, "ingest": 4}


def test_a_table_says_which_goals_were_missed_and_what_the_ratio_refers_to(figure: Figure) -> None:
    text = "\n".join(table("search", [figure]))

    assert "met: ms p50 30 <= 50; MISSED: per second 33 >= 100" in text
    assert "x = a product, 2.000" in text
