"""Which AWS containers serve models on SageMaker, and how their settings are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Container:
    """An image, whose setting FOO is the variable `<prefix>FOO`. `settings` are those that every model needs.

    `inference_ami` names the machine image with the GPU driver that the container wants; None is SageMaker's own.
    """

    image: str
    prefix: str
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    inference_ami: str | None = None

    def variables(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of the container with these settings beside its own."""
        return {f"{self.prefix}{name}": value for name, value in {**self.settings, **settings}.items()}


_CUDA_13 = "al2-ami-sagemaker-inference-gpu-3-1"

LLAMA_CPP = Container(
    image="763104351884.dkr.ecr.{region}.amazonaws.com/llama-cpp:server-sagemaker-cuda-v1",
    prefix="SM_LLAMA_CPP_",
    settings={"ALIAS": "plinth-gpu", "JINJA": "true", "N_GPU_LAYERS": "999"},
    inference_ami=_CUDA_13,
)
"""`SM_LLAMA_CPP_FOO_BAR=v` is `llama-server --foo-bar v`: AWS deep learning containers, read 2026-11."""

VLLM = Container(
    image="763104351884.dkr.ecr.{region}.amazonaws.com/vllm:server-sagemaker-cuda-v2.3",
    prefix="SM_VLLM_",
    settings={"SERVED_MODEL_NAME": "plinth-gpu", "ENABLE_AUTO_TOOL_CHOICE": "true", "TOOL_CALL_PARSER": "hermes"},
    inference_ami=_CUDA_13,
)
"""`SM_VLLM_FOO_BAR=v` is `vllm serve --foo-bar v`; hermes is how Qwen writes tool calls."""

TEI = Container(
    image="683313688378.dkr.ecr.{region}.amazonaws.com/tei-cpu:2.0.1-tei1.9.3-cpu-py310-ubuntu24.04",
    prefix="",
)
"""Text Embeddings Inference. The account is that of us-east-1: other regions have others, see the AWS list."""
