"""What is announced of files before they are sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plinth.contracts.importing import ImportedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesToImport:
    """Files, what every one of them is marked with, and which share of failures stops their import."""

    files: Sequence[ImportedFile]
    metadata: Mapping[str, str]
    tolerated_failure_percentage: int = 100
    context_model: str | None = None
    max_context_cost_micro_usd: int | None = None

    @property
    def body(self) -> dict[str, object]:
        """What is sent."""
        files = [
            {"name": each.name, "sha256": each.sha256, "size_bytes": each.size_bytes, "content_type": each.content_type}
            for each in self.files
        ]
        contexts = {"context_model": self.context_model, "max_context_cost_micro_usd": self.max_context_cost_micro_usd}
        return {
            "files": files,
            "metadata": self.metadata,
            "tolerated_failure_percentage": self.tolerated_failure_percentage,
            **{name: value for name, value in contexts.items() if value is not None},
        }
