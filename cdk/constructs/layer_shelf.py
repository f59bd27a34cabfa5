"""Which layers a stack has: one version per layer and stack, so that no stack waits for another's."""

import os
from pathlib import Path

from aws_cdk import Annotations, CfnRule, CfnRuleAssertion, Fn, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk.environments import Environment
from cdk.step import Layer

REPOSITORY = Path(__file__).parents[2]


class LayerShelf(Construct):
    """Layers by name, made when first asked for, from the folders that `python -m layers.build` wrote.

    Their byte code goes along: without it every cold start compiles what it imports.

    A layer that was not built gets an empty stand-in, so that synthesis works anywhere; its stack then carries a rule
    that makes CloudFormation refuse the deployment.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._layers: dict[Layer, lambda_.LayerVersion] = {}
        default = REPOSITORY / "build" / "layers" / environment.layer_target
        self._folder = Path(os.environ.get("PLINTH_LAYERS_DIR") or default)

    def layer(self, name: Layer) -> lambda_.LayerVersion:
        """Return this stack's version of the layer."""
        if name not in self._layers:
            self._layers[name] = lambda_.LayerVersion(
                self,
                name.value.capitalize(),
                code=lambda_.Code.from_asset(str(self._built(name))),
                compatible_runtimes=[runtime_of(self._environment)],
                compatible_architectures=[architecture_of(self._environment)],
            )
        return self._layers[name]

    def _built(self, name: Layer) -> Path:
        folder = self._folder / name.value
        if folder.is_dir():
            return folder
        self._refuse_deployment()
        return Path(__file__).with_name("missing_layer")

    def _refuse_deployment(self) -> None:
        stack = Stack.of(self)
        if stack.node.try_find_child("LayersAreBuilt"):
            return
        remedy = f"build the layers first: python -m layers.build --target {self._environment.layer_target}"
        refusal = CfnRuleAssertion(assert_=Fn.condition_equals("layers", "built"), assert_description=remedy)
        CfnRule(stack, "LayersAreBuilt", assertions=[refusal])
        Annotations.of(stack).add_warning_v2("plinth:layers", f"can't be deployed, {remedy}")


def runtime_of(environment: Environment) -> lambda_.Runtime:
    """Return the Lambda runtime of the environment."""
    return {"python3.11": lambda_.Runtime.PYTHON_3_11, "python3.13": lambda_.Runtime.PYTHON_3_13}[environment.runtime]


def architecture_of(environment: Environment) -> lambda_.Architecture:
    """Return the processor of the environment's functions."""
    return lambda_.Architecture.ARM_64 if environment.architecture == "arm64" else lambda_.Architecture.X86_64
