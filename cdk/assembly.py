"""Which stacks an environment has, and what each hands to the next."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aws_cdk import App

from cdk.acknowledgements import acknowledge
from cdk.environments import Environment, environment_named
from cdk.stacks.answer import AnswerStack
from cdk.stacks.api import ApiStack
from cdk.stacks.console import ConsoleStack
from cdk.stacks.data import DataStack
from cdk.stacks.erasure import ErasureStack
from cdk.stacks.foundations import Foundations
from cdk.stacks.infer import InferStack
from cdk.stacks.ingest import IngestStack
from cdk.stacks.memory import MemoryStack
from cdk.stacks.models import ModelsStack
from cdk.stacks.money import MoneyStack
from cdk.stacks.watch import Watched, WatchStack
from cdk.sync_buckets import sync_buckets

SETTINGS = Path(__file__).parents[1] / "cdk.json"


def plinth_app(context: Mapping[str, str] | None = None, *, outdir: str | None = None) -> App:
    """Return an app with the feature flags of cdk.json, which only the CLI would pass, under its own context."""
    flags = json.loads(SETTINGS.read_text())["context"]
    return App(context={**flags, **(context or {})}, outdir=outdir, analytics_reporting=False)


def assemble(app: App) -> App:
    """Put every stack of the environment that the context names into the app, and return the app."""
    environment = _environment(app)
    _add_stacks(app, environment)
    acknowledge(app, environment)
    return app


def _environment(app: App) -> Environment:
    environment = environment_named(
        app.node.try_get_context("env") or "local",
        owner=app.node.try_get_context("owner"),
        alarm_email=app.node.try_get_context("alarm_email"),
    )
    listed = app.node.try_get_context("sync_buckets")
    return replace(environment, sync_buckets=sync_buckets(listed, environment.name))


def _add_stacks(app: App, environment: Environment) -> None:
    prefix = f"plinth-{environment.name}"
    data = DataStack(app, f"{prefix}-data", environment=environment)
    memory = MemoryStack(app, f"{prefix}-memory", environment=environment)
    models = ModelsStack(app, f"{prefix}-models", environment=environment)
    foundations = Foundations(environment=environment, data=data, memory=memory, models=models)
    answer = AnswerStack(app, f"{prefix}-answer", foundations=foundations)
    ingest = IngestStack(app, f"{prefix}-ingest", foundations=foundations)
    erasure = ErasureStack(app, f"{prefix}-erasure", foundations=foundations)
    starting = {**answer.permissions, **ingest.permissions, **erasure.permissions}
    api = ApiStack(app, f"{prefix}-api", foundations=foundations, starting=starting)
    money = MoneyStack(app, f"{prefix}-money", foundations=foundations)
    infer = None
    if environment.async_gpu or environment.async_endpoint:
        infer = InferStack(app, f"{prefix}-infer", foundations=foundations)
    if environment.console:
        ConsoleStack(app, f"{prefix}-console", environment=environment, rest=api.rest)
    watched = Watched(answer=answer, ingest=ingest, erasure=erasure, api=api, money=money, infer=infer)
    WatchStack(app, f"{prefix}-watch", environment=environment, watched=watched)
