"""The templates of every environment, synthesized once per session, with cdk-nag looking on."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks

from cdk.assembly import assemble, plinth_app

Resource = dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    """One synthesized environment: its folder, and the templates in it by stack (`data`, `answer`, ...)."""

    folder: Path

    @property
    def templates(self) -> dict[str, dict[str, Any]]:
        """Every template, by the last word of its stack's name."""
        files = sorted(self.folder.glob("*.template.json"))
        return {
            path.name.removesuffix(".template.json").rpartition("-")[2]: json.loads(path.read_text()) for path in files
        }

    @property
    def findings(self) -> list[str]:
        """What cdk-nag or CDK itself still finds, each with the constructs that it is about."""
        report = json.loads((self.folder / "validation-report.json").read_text())
        return [
            f"{violation['ruleName']}: {[each['constructPath'] for each in violation['violatingConstructs']]}"
            for plugin in report["pluginReports"]
            for violation in plugin["violations"]
        ]

    def resources(self, kind: str) -> dict[str, Resource]:
        """Every resource of a type, by stack and logical id."""
        return {
            f"{stack}/{name}": resource
            for stack, template in self.templates.items()
            for name, resource in template["Resources"].items()
            if resource["Type"] == kind
        }

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every statement of every role's policy, with where it stands."""
        for name, policy in self.resources("AWS::IAM::Policy").items():
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                yield name, statement


def synthesize(environment: str, folder: Path, **context: Any) -> Assembly:
    """Synthesize an environment in this process, on AWS under cdk-nag, whose findings are in `findings`."""
    app = assemble(plinth_app({"env": environment, "owner": "ann", **context}, outdir=str(folder)))
    if environment != "local":
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        if "validation-report.json" not in str(error):
            raise
    return Assembly(folder)


def as_list(value: object) -> list[Any]:
    """IAM writes one of something without a list around it."""
    return value if isinstance(value, list) else [value]
