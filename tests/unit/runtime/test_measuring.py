"""What a step says that it used: its own part of what the process counted."""

from plinth.adapters.meter import Meter
from plinth.contracts.platform import Spent
from plinth.runtime.measuring import Measured


def test_a_step_counts_only_what_was_used_since_its_start() -> None:
    meter = Meter()
    meter.wrote({"ConsumedCapacity": {"CapacityUnits": 5.0}})
    meter.searched()

    measured = Measured("CallModel", meter=meter, memory_mb=512, cold=True)
    meter.read({"ConsumedCapacity": {"CapacityUnits": 0.5}})
    meter.wrote({"ConsumedCapacity": [{"CapacityUnits": 2.0}, {"CapacityUnits": 4.0}]})
    meter.searched()
    ended = measured.ended("ModelError")

    assert ended.spent == Spent(memory_mb=512, read_units=0.5, write_units=6.0, searches=1)
    assert (ended.step, ended.cold, ended.outcome) == ("CallModel", True, "ModelError")
    assert ended.duration_ms >= 0


def test_an_answer_that_says_nothing_counts_nothing() -> None:
    meter = Meter()

    meter.read({})

    assert meter.read_units == 0
