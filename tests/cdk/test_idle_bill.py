"""Every resource that an environment deploys is known to the idle bill."""

import re
from pathlib import Path

import pytest

from client.idle_bill import idle_bill
from tests.cdk.conftest import Synthesized


@pytest.mark.parametrize("environment", ["local", "sandbox", "dev", "staging", "prod"])
def test_every_resource_of_an_environment_is_priced_or_known_to_be_free(
    synthesized: Synthesized, environment: str
) -> None:
    templates = {stack: template["Resources"] for stack, template in synthesized(environment).templates.items()}

    bill = idle_bill(environment, templates)

    assert bill.not_priced == ()
    assert bill.lines


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_the_page_on_deploying_tells_what_an_idle_environment_costs(synthesized: Synthesized, environment: str) -> None:
    templates = {stack: template["Resources"] for stack, template in synthesized(environment).templates.items()}

    dollars = idle_bill(environment, templates).micro_usd_a_month / 1e6

    assert re.search(rf"{environment} \${dollars:.2f}\b", Path("docs/how-to/deploy-to-aws.md").read_text())


def test_an_idle_environment_that_sleeps_costs_less_than_one_that_never_does(synthesized: Synthesized) -> None:
    dev, prod = (
        idle_bill(name, {stack: template["Resources"] for stack, template in synthesized(name).templates.items()})
        for name in ("dev", "prod")
    )

    assert dev.micro_usd_a_month < 10_000_000 < prod.micro_usd_a_month
