"""Which environment a command talks to: the API's address, the key, and how its AWS APIs are reached.

`local` is read from PLINTH_HOME; any other from the outputs of its CloudFormation stacks and PLINTH_API_KEY.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from client.api import PlinthApi
from client.aws import Aws, stack_outputs
from client.errors import NotReachableError, UsageError
from local.places import home_directory
from local.records import Credentials, StackInfo, credentials_file, read, stack_file

LOCAL = "local"
_KEY_VARIABLE = "PLINTH_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One deployment of Plinth, as a caller needs it. `outputs` are those of its stacks, by name."""

    name: str
    aws: Aws
    outputs: Mapping[str, str] = field(default_factory=dict[str, str])
    api_url: str = ""
    key: str | None = None

    def api(self) -> PlinthApi:
        """Return a client of the API; `UsageError` where there is no key."""
        if not self.key:
            raise UsageError(f"no key for {self.name}: set {_KEY_VARIABLE} to one that begins with pl_{self.name}_")
        return PlinthApi(self.api_url or self.output("ApiUrl"), key=self.key)

    def output(self, name: str) -> str:
        """Return one output; `NotReachableError` where the deployed stacks have none of that name."""
        if name not in self.outputs:
            raise NotReachableError(f"the stacks of {self.name} have no output {name}: run `plinth deploy` first")
        return self.outputs[name]


def environment_named(name: str) -> Environment:
    """Return the environment; raises `NotReachableError` where it is not deployed or not reachable."""
    if name == "sandbox":
        raise UsageError("a sandbox belongs to a person: name whose, such as sandbox-ann")
    return _local() if name == LOCAL else _deployed(name)


def _local() -> Environment:
    home = home_directory()
    info = read(stack_file(home), StackInfo)
    if info is None:
        raise NotReachableError(f"there is no stack in {home}: start one with `plinth up`")
    kept = read(credentials_file(home), Credentials) or Credentials()
    own = os.environ.get(_KEY_VARIABLE, "")
    return Environment(
        name=LOCAL,
        aws=Aws(local_url=info.cloud_url, region=info.region),
        outputs=info.outputs,
        api_url=info.api_url,
        key=own if own.startswith(f"pl_{LOCAL}_") else next((each.key for each in kept.keys), None),
    )


def _deployed(name: str) -> Environment:
    aws = Aws()
    try:
        outputs = stack_outputs(aws.cloudformation(), name)
    except (BotoCoreError, ClientError) as error:
        remedy = "set AWS_PROFILE and AWS_REGION to where it is deployed"
        raise NotReachableError(f"the stacks of {name} can't be read ({error}): {remedy}") from error
    if not outputs:
        remedy = f"`plinth deploy --env {name}`, or set AWS_PROFILE and AWS_REGION to where it is deployed"
        raise NotReachableError(f"no stack plinth-{name}-* is deployed here: {remedy}")
    return Environment(name=name, aws=aws, outputs=outputs, key=os.environ.get(_KEY_VARIABLE))
