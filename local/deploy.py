"""How a synthesized CDK cloud assembly reaches the embedded cloud: assets to S3, then stacks in dependency order."""

import importlib
import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import ClientError

from local.cloud import ACCOUNT, REGION

Progress = Callable[[str, str], None]

_BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_BOOTSTRAP_VERSION = "30"
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_NEVER_CREATED = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
_DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
_WHOLE = _DONE | {"UPDATE_ROLLBACK_COMPLETE"}
_POLL_SECONDS = 0.1
_STACK_SECONDS = 300
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
# Bit 0 of the second word of a .pyc: checked by content, not by date (PEP 552).
_PYC_BY_CONTENT = 1


class DeployError(RuntimeError):
    """The assembly could not be deployed; the message names the stack, the resource and its reason."""


def deploy(
    assembly: Path, endpoint: str, *, progress: Progress = lambda _stack, _state: None
) -> dict[str, dict[str, str]]:
    """Deploy every stack of the assembly to the embedded cloud and return {stack: {output: value}}.

    A stack whose template is deployed already is skipped. `progress` hears (stack, "unchanged" | "creating" |
    "updating" | "deployed"). Raises DeployError, also for an endpoint that is not on this machine.
    """
    if urlsplit(endpoint).hostname not in {"127.0.0.1", "localhost"}:
        raise DeployError(f"{endpoint} is not a loopback address: use `cdk deploy` for a real account")
    return _Deployment(assembly, endpoint, progress).run()


def write_zip(folder: Path, target: Path) -> None:
    """Zip a folder so that equal content gives equal bytes, without the .pyc files that the zip's dates make stale.

    Nothing is compressed: the zip goes over loopback and is unpacked at once.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and not _is_stale_when_zipped(path)):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _ZIP_DATE)
            entry.external_attr = (path.stat().st_mode & 0o777) << 16
            archive.writestr(entry, path.read_bytes())


def _is_stale_when_zipped(path: Path) -> bool:
    if path.suffix != ".pyc":
        return False
    with path.open("rb") as file:
        header = file.read(8)
    return not int.from_bytes(header[4:], "little") & _PYC_BY_CONTENT


class _Deployment:
    """One assembly on its way to one endpoint."""

    def __init__(self, assembly: Path, endpoint: str, progress: Progress) -> None:
        self._assembly = assembly
        self._progress = progress
        self._artifacts: dict[str, Any] = json.loads((assembly / "manifest.json").read_text())["artifacts"]
        self._s3 = _client("s3", endpoint)
        self._ssm = _client("ssm", endpoint)
        self._cloudformation = _client("cloudformation", endpoint)

    def run(self) -> dict[str, dict[str, str]]:
        self._ssm.put_parameter(Name=_BOOTSTRAP_PARAMETER, Value=_BOOTSTRAP_VERSION, Type="String", Overwrite=True)
        outputs: dict[str, dict[str, str]] = {}
        for name in self._in_order():
            artifact = self._artifacts[name]
            match artifact["type"]:
                case "cdk:asset-manifest":
                    self._publish(self._assembly / artifact["properties"]["file"])
                case "aws:cloudformation:stack":
                    stack = artifact["properties"].get("stackName", name)
                    outputs[stack] = self._deploy_stack(stack, artifact["properties"])
                case "cdk:cloud-assembly":
                    raise DeployError(f"{name} is a nested assembly (a CDK Stage), which is not deployed locally")
                case _:
                    continue
        return outputs

    def _in_order(self) -> Iterator[str]:
        graph = {name: artifact.get("dependencies", []) for name, artifact in self._artifacts.items()}
        return iter(TopologicalSorter(graph).static_order())

    def _publish(self, manifest: Path) -> None:
        assets = json.loads(manifest.read_text())
        if assets.get("dockerImages"):
            raise DeployError(f"{manifest.name} holds container images, which the embedded cloud does not run")
        for asset in assets["files"].values():
            for destination in asset["destinations"].values():
                self._upload(asset["source"], _filled(destination["bucketName"]), destination["objectKey"])

    def _upload(self, source: Mapping[str, str], bucket: str, key: str) -> None:
        if self._is_there(bucket, key):
            return
        path = self._assembly / source["path"]
        with tempfile.TemporaryDirectory() as folder:
            if source["packaging"] == "zip" and path.is_dir():
                path, content = Path(folder) / "asset.zip", path
                write_zip(content, path)
            with path.open("rb") as body:
                self._s3.put_object(Bucket=bucket, Key=key, Body=body)

    def _is_there(self, bucket: str, key: str) -> bool:
        """Tell whether the object exists; objects are named by the hash of their content. Makes a missing bucket."""
        try:
            self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError:
            self._s3.create_bucket(Bucket=bucket)
            return False
        return True

    def _deploy_stack(self, stack: str, properties: Mapping[str, Any]) -> dict[str, str]:
        found = self._describe(stack)
        if found and found["StackStatus"] in _NEVER_CREATED:
            self._cloudformation.delete_stack(StackName=stack)
            found = self._wait(stack)
        if found and found["StackStatus"] in _WHOLE and self._is_deployed(stack, properties["templateFile"]):
            self._progress(stack, "unchanged")
        else:
            self._progress(stack, "updating" if found else "creating")
            change = self._cloudformation.update_stack if found else self._cloudformation.create_stack
            found = self._change(change, stack, properties["stackTemplateAssetObjectUrl"])
            self._progress(stack, "deployed")
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def _change(self, change: Callable[..., object], stack: str, template: str) -> dict[str, Any]:
        """Create or update the stack from its published template and return its description."""
        url = f"{self._s3.meta.endpoint_url}/{_filled(template).removeprefix('s3://')}"
        try:
            change(StackName=stack, TemplateURL=url, Capabilities=_CAPABILITIES)
        except ClientError as error:
            raise DeployError(f"stack {stack} was refused: {error}") from error
        found = self._wait(stack)
        if found is None or found["StackStatus"] not in _DONE:
            raise DeployError(f"stack {stack} failed: {self._reason(stack)}")
        return found

    def _is_deployed(self, stack: str, template_file: str) -> bool:
        deployed = self._cloudformation.get_template(StackName=stack)["TemplateBody"]
        if isinstance(deployed, str):
            deployed = json.loads(deployed)
        return bool(deployed == json.loads((self._assembly / template_file).read_text()))

    def _describe(self, stack: str) -> dict[str, Any] | None:
        try:
            described: dict[str, Any] = self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if described["StackStatus"] == "DELETE_COMPLETE" else described

    def _wait(self, stack: str) -> dict[str, Any] | None:
        deadline = time.monotonic() + _STACK_SECONDS
        while (found := self._describe(stack)) and found["StackStatus"].endswith("_IN_PROGRESS"):
            if time.monotonic() > deadline:
                raise DeployError(f"stack {stack} was still {found['StackStatus']} after {_STACK_SECONDS} s")
            time.sleep(_POLL_SECONDS)
        return found

    def _reason(self, stack: str) -> str:
        """Return the latest failed resources, each with its type and reason."""
        events = self._cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        reasons = [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
            for event in failed[:5]
        ]
        return "; ".join(reasons) or "no resource gave a reason"


def _client(service: str, endpoint: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    return importlib.import_module("boto3").client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - any value is accepted
        config=Config(read_timeout=120, retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
    )


def _filled(text: str) -> str:
    """Fill in what a stack without an explicit environment leaves open."""
    return text.replace("${AWS::AccountId}", ACCOUNT).replace("${AWS::Region}", REGION)
