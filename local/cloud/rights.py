"""Which faults in how ministack decides what a role may do are mended; all were seen in 1.5.33."""

from pathlib import Path
from typing import Any

from local.cloud import ministack


def apply() -> None:
    """Mend every fault."""
    secrets_are_referred_to_by_arn()
    task_tokens_name_their_machine()


def secrets_are_referred_to_by_arn() -> None:
    """Answer the Ref of a secret with its ARN, as AWS does; it is the name, and no policy on it ever matches."""
    provisioners = ministack.module("services.cloudformation.provisioners")
    ministack.require(provisioners, "_sm_secret_create", "_sm_secret_update", "_sm_secret_delete")
    secrets = ministack.module("services.secretsmanager")
    create, update, delete = (getattr(provisioners, f"_sm_secret_{each}") for each in ("create", "update", "delete"))

    def name_of(arn: str) -> str:
        return str(secrets._resolve(arn)[0] or arn)

    def create_by_arn(logical_id: str, *given: object) -> tuple[str, dict[str, Any]]:
        _, attributes = create(logical_id, *given)
        return attributes["Arn"], attributes

    def update_by_arn(arn: str, *given: object) -> tuple[str, dict[str, Any]]:
        _, attributes = update(name_of(arn), *given)
        return attributes["Arn"], attributes

    def delete_by_arn(arn: str, properties: object) -> None:
        delete(name_of(arn), properties)

    handler = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
    handler.update(create=create_by_arn, update=update_by_arn, delete=delete_by_arn)


def task_tokens_name_their_machine() -> None:
    """Decide over SendTaskSuccess and its like on the machine that waits, as AWS does; it is *, which no ARN matches.

    The machine of a distributed Map's item is the Map's machine and the Map's label (not verified on AWS).
    """
    engine, actions = ministack.module("services.stepfunctions"), ministack.module("core.iam_actions")
    old = '{"Token": new_uuid()}'
    ministack.edit(engine, "_execute_task", old, '{"Token": f"{execution[\'stateMachineArn\']}#{new_uuid()}"}')
    old = '_safe_json_field(body, "activityArn")'
    new = old + " or _safe_json_field(body, 'taskToken').rpartition('#')[0]"
    ministack.edit(actions, "extract_resource_arn", old, new)


def note_denials(file: Path) -> None:
    """Write down which function was denied what: code that does without an answer hides that a right is missing."""
    evaluator = ministack.module("core.iam_evaluator")
    ministack.require(evaluator, "enforce")
    enforce = evaluator.enforce
    file.parent.mkdir(exist_ok=True)

    def enforce_and_note(key: str, action: str, *given: object, **options: object) -> object:
        denied = enforce(key, action, *given, **options)
        if caller := getattr(denied, "principal_arn", ""):
            with file.open("a") as denials:
                denials.write(f"{caller.rpartition('/')[2]} {action} {options['resource_arn']}\n")
        return denied

    ministack.replace(evaluator, "enforce", enforce_and_note)
