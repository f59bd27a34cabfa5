"""The export machine against functions that play its steps: pages until there are no more, and a failure."""

from tests.asl.states import tasks
from tests.contract.cloud.conftest import Cloud
from tests.contract.cloud.played import play
from tests.contract.cloud.test_forgetting_machine import DONE, MORE


def run(cloud: Cloud, **plays: list[object]) -> tuple[str, list[str]]:
    """Run the machine once; return its status and the task states entered."""
    given = {task.step: plays.get(task.step, [{"failed": True}]) for task in tasks("export")}
    ended = play(cloud, "export", given, {"job": {"id": "exp_1", "tenant": {"id": "acme"}}})
    return ended.status, ended.entered


def test_data_is_collected_until_there_is_no_more(cloud: Cloud) -> None:
    assert run(cloud, CollectData=[MORE, MORE, DONE]) == ("SUCCEEDED", ["CollectData"] * 3)


def test_an_error_that_no_retry_mends_is_noted_and_fails_the_machine(cloud: Cloud) -> None:
    assert run(cloud, CollectData=["break"]) == ("FAILED", ["CollectData", "FailExport"])
