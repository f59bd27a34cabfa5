"""The roles of the template on a stack that enforces them: they are enough, and nothing of them is too much to miss."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.own_stack import fresh_stack, keys_of
from client.api import Question
from local.places import Ports
from tests.integration.conftest import Deployed
from tests.integration.uploads import ingest

pytestmark = pytest.mark.integration
TENANT = "demo"  # of the samples


@pytest.fixture(scope="module")
def enforcing() -> Iterator[Deployed]:
    """Yield a stack of its own whose functions can do what their roles say, and nothing else."""
    with fresh_stack(variables={"PLINTH_ENFORCE_ROLES": "1"}) as (info, home):
        keys = {each.tenant: each.key for each in keys_of(home)}
        deployed = Deployed(home=home, ports=Ports(edge=info.port), info=info, keys=keys)
        ingest(deployed, "otters.md", b"# Otters\n\nOtters hold hands while they sleep.", tenant=TENANT)
        yield deployed


def outcome(deployed: Deployed, question: str) -> str:
    with deployed.api(TENANT) as api:
        run = api.create_run(Question(question=question, max_output_tokens=40))
        list(api.events(run.id))
        return api.get_run(run.id).status


def test_a_document_is_read_asked_about_and_erased(enforcing: Deployed) -> None:
    document = ingest(enforcing, "cows.md", b"# Cows\n\nCows have best friends, and moo for them.", tenant=TENANT)
    assert outcome(enforcing, "What do cows have?") == "done"
    with enforcing.api(TENANT) as api:
        api.delete_document(document.document_id)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and any(each.document_id == document.document_id for each in api.documents()):
            time.sleep(0.5)
        assert document.document_id not in {each.document_id for each in api.documents()}


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
def test_a_function_that_lacks_a_right_fails_its_run(enforcing: Deployed, step: str, action: str) -> None:
    with without(enforcing, step, action):
        assert outcome(enforcing, f"What do otters hold while they sleep, {step}?") == "failed"


@pytest.mark.parametrize("step", ["SweepBudgets", "SweepRuns", "SyncDocuments", "ExportUsage"])
def test_what_a_timer_calls_may_do_its_work(enforcing: Deployed, step: str) -> None:
    answer = enforcing.aws("lambda").invoke(FunctionName=enforcing.function(step), Payload=b"{}")

    assert "FunctionError" not in answer, answer["Payload"].read()
