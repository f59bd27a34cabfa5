"""The roles of the template, which the stack of these tests enforces: the other tests show that they are enough.

Here is that they are enforced: a run fails where a right is missing; and that what timers call has its rights.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from client.api import Question
from tests.integration.conftest import Deployed, denials

pytestmark = pytest.mark.integration


def outcome(deployed: Deployed, question: str) -> str:
    with deployed.api() as api:
        run = api.create_run(Question(question=question, max_output_tokens=40))
        list(api.events(run.id))
        return api.get_run(run.id).status


@contextmanager
def without(deployed: Deployed, step: str, action: str) -> Iterator[None]:
    """Take a right from the role of a step's function, and give it back at the end."""
    iam, name = deployed.aws("iam"), deployed.function(step)
    role = deployed.aws("lambda").get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]
    policies = {
        each: iam.get_role_policy(RoleName=role, PolicyName=each)["PolicyDocument"]
        for each in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    assert action in json.dumps(policies)
    try:
        for each, document in policies.items():
            less = json.dumps(document).replace(f'"{action}"', '"iam:NoSuchAction"')
            iam.put_role_policy(RoleName=role, PolicyName=each, PolicyDocument=less)
        yield
    finally:
        for each, document in policies.items():
            iam.put_role_policy(RoleName=role, PolicyName=each, PolicyDocument=json.dumps(document))


@pytest.mark.guarantee_e
@pytest.mark.parametrize(
    ("step", "action"), [("ParseReply", "dynamodb:PutItem"), ("RetrieveContext", "dynamodb:GetItem")]
)
def test_a_function_that_lacks_a_right_fails_its_run(deployed: Deployed, step: str, action: str) -> None:
    before = denials(deployed.home)

    with without(deployed, step, action):
        assert outcome(deployed, f"What do otters hold while they sleep, {uuid.uuid4()}?") == "failed"

    denied = denials(deployed.home)[len(before) :]
    assert {each.split()[:2] == [deployed.function(step), action] for each in denied} == {True}
    (deployed.home / "logs" / "denials.txt").write_text("".join(f"{each}\n" for each in before))


@pytest.mark.parametrize("step", ["SweepBudgets", "SweepRuns", "SyncDocuments", "ExportUsage"])
def test_what_a_timer_calls_may_do_its_work(deployed: Deployed, step: str) -> None:
    answer = deployed.aws("lambda").invoke(FunctionName=deployed.function(step), Payload=b"{}")

    assert "FunctionError" not in answer, answer["Payload"].read()
