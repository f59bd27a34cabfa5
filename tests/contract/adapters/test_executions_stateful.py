"""Executions of one run in any order over DynamoDB, against what must hold after every step."""

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from plinth.adapters.dynamo_approvals import DynamoApprovals
from plinth.adapters.dynamo_executions import DynamoExecutions
from plinth.adapters.dynamo_run_log import DynamoRunLog
from plinth.adapters.dynamo_runs import DynamoRuns
from plinth.adapters.dynamodb_table import Table
from plinth.contracts.tenant import Tenant
from plinth.wiring import Services
from tests.fakes.clock import FakeClock
from tests.unit.machine.execution_rules import ExecutionRules


@pytest.mark.guarantee_a
def test_executions_that_are_lost_doubled_late_or_replaced_leave_one_story_and_an_end(table: Table) -> None:
    class OverDynamo(ExecutionRules):
        def __init__(self) -> None:
            super().__init__()
            services, clock = Services(), FakeClock()
            services.runs = runs = DynamoRuns(table=table, clock=clock)
            services.executions = DynamoExecutions(table=table, runs=runs, clock=clock)
            services.run_log = log = DynamoRunLog(table=table, clock=clock)
            services.approvals = DynamoApprovals(table=table, log=log, clock=clock)
            self.begin(services, clock, Tenant(id=f"t{uuid4().hex[:12]}"))

    course = settings(max_examples=12, stateful_step_count=25, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(OverDynamo, settings=settings(course, database=None))
