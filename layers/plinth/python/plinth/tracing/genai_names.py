"""OpenTelemetry's names for what AI applications do: the one place where Plinth spells them.

As in open-telemetry/semantic-conventions-genai 0.1.0 (status: development; read 2026-11). What has no name there stands
under `plinth.`.
"""

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
WORKFLOW = "gen_ai.workflow.name"
MODEL = "gen_ai.request.model"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS = "gen_ai.usage.cache_creation.input_tokens"
TOOL = "gen_ai.tool.name"
ERROR = "error.type"
SERVICE = "service.name"

CHAT = "chat"
EXECUTE_TOOL = "execute_tool"
RETRIEVAL = "retrieval"
INVOKE_WORKFLOW = "invoke_workflow"

PROVIDERS = {"sagemaker": "aws.sagemaker", "sagemaker_openai": "aws.sagemaker"}
"""Where the convention has no name of its own; the others are called alike there and in the catalogue."""

OWN = "plinth."
"""The prefix of Plinth's own names."""
