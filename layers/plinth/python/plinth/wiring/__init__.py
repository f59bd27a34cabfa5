"""Where ports meet adapters: each service is made on first use, from the settings that it needs and no others.

Imports stand inside the properties on purpose: a step pays at cold start only for what it uses.
"""

from functools import cached_property

from plinth.chain.catalogue import Provider
from plinth.errors import ModelNotConfiguredError, SettingMissingError
from plinth.memory.index_names import IndexName
from plinth.ports.documents import DeadLetters, DocumentParser, Memories
from plinth.ports.facts import Facts
from plinth.ports.indexes import FillLists, Indexes
from plinth.ports.machines import Machines
from plinth.ports.models import (
    Callbacks,
    Embedder,
    Inferences,
    LanguageModel,
    PendingInferences,
    Reranker,
    TokenCounter,
)
from plinth.ports.web import Web
from plinth.wiring.erasing import ErasureServices
from plinth.wiring.exporting import ExportServices
from plinth.wiring.language_models import language_model_of
from plinth.wiring.stores import StoreServices


class Services(StoreServices):
    """Everything that a function may need. A test assigns a fake to the property that it replaces."""

    @cached_property
    def facts(self) -> Facts:
        """What is worth remembering of users; the embedder is made for those who keep or compare."""
        from plinth.adapters.dynamo_facts import DynamoFacts

        table = self._table(self.settings.conversations_table)
        return DynamoFacts(table=table, rows=self._rows(table.name), clock=self.clock, embedder=lambda: self.embedder)

    @cached_property
    def parser(self) -> DocumentParser:
        """The reader of untrusted files."""
        from plinth.adapters.child_process_parser import ChildProcessParser

        return ChildProcessParser()

    @cached_property
    def page_parser(self) -> DocumentParser:
        """The reader of untrusted pages, for which somebody waits."""
        from plinth.adapters.child_process_parser import ChildProcessParser

        return ChildProcessParser(timeout_seconds=8.0)

    @cached_property
    def web(self) -> Web:
        """The public web."""
        from plinth.adapters.checked_web import CheckedWeb

        return CheckedWeb()

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """The queue of documents that could not be ingested."""
        import boto3

        from plinth.adapters.aws_calls import CALLS
        from plinth.adapters.sqs_dead_letters import SqsDeadLetters

        return SqsDeadLetters(client=boto3.client("sqs", config=CALLS), queue_url=self.settings.dead_letter_queue_url)

    @cached_property
    def embedder(self) -> Embedder:
        """The embedding model."""
        from plinth.wiring.searching import make_embedder, own_model

        return make_embedder(own_model(self.settings), self.settings)

    def embedder_of(self, index: str) -> Embedder:
        """Return the model whose vectors the index holds: while documents are embedded anew, not always `embedder`."""
        from plinth.wiring.searching import make_embedder, search_model

        model = search_model(index, self.settings)
        if model.index == self.settings.search_index:
            return self.embedder
        if model.index not in self._earlier_embedders:
            self._earlier_embedders[model.index] = make_embedder(model, self.settings)
        return self._earlier_embedders[model.index]

    @cached_property
    def _earlier_embedders(self) -> dict[str, Embedder]:
        return {}

    @cached_property
    def token_counter(self) -> TokenCounter:
        """The embedding model's tokenizer."""
        from plinth.wiring.searching import make_token_counter

        return make_token_counter(self.settings)

    @cached_property
    def reranker(self) -> Reranker:
        """The cross-encoder on its endpoint."""
        from plinth.wiring.searching import make_reranker

        return make_reranker(self.settings)

    @cached_property
    def memory(self) -> Memories:
        """The search engine."""
        from plinth.wiring.searching import OpenSearchMemories

        return OpenSearchMemories(self.settings)

    @property
    def newest_index(self) -> IndexName:
        """What an index that is made now is called."""
        from plinth.wiring.searching import newest_index

        return newest_index(self.settings)

    @cached_property
    def indexes(self) -> Indexes:
        """Which index is searched, and the reindex that changes it."""
        from plinth.adapters.dynamo_indexes import DynamoIndexes

        return DynamoIndexes(table=self._table(self.settings.documents_table), first_index=str(self.newest_index))

    @cached_property
    def fill_lists(self) -> FillLists:
        """What a round of a reindex has to fill."""
        from plinth.adapters.s3_fill_lists import S3FillLists

        return S3FillLists(client=self._s3, bucket=self.settings.work_bucket)

    @cached_property
    def machines(self) -> Machines:
        """The state machines that this function was given."""
        import boto3

        from plinth.adapters.aws_calls import CALLS
        from plinth.adapters.step_functions import MachineArns, StepFunctions

        settings = self.settings
        imports = settings.import_machine_arn
        arns = MachineArns(
            answer=settings.answer_machine_arn,
            ingest=settings.ingest_machine_arn,
            imports=imports,
            imports_at_once=settings.imports_at_once if imports else 1,
            erase=settings.erase_machine_arn,
            forget=settings.forget_machine_arn,
            export=settings.export_machine_arn,
        )
        return StepFunctions(arns, client=boto3.client("stepfunctions", config=CALLS))

    @cached_property
    def inferences(self) -> Inferences:
        """The queue of the asynchronous endpoint."""
        import boto3

        from plinth.adapters.sagemaker_inferences import QUEUE_CALLS, SageMakerInferences

        return SageMakerInferences(
            self.settings.async_endpoint,
            client=boto3.client("sagemaker-runtime", config=QUEUE_CALLS),
            s3=self._s3,
            bucket=self.settings.work_bucket,
        )

    @cached_property
    def pending_inferences(self) -> PendingInferences:
        """Who waits for which inference."""
        from plinth.adapters.dynamo_pending_inferences import DynamoPendingInferences

        return DynamoPendingInferences(table=self._table(self.settings.inferences_table), clock=self.clock)

    @cached_property
    def callbacks(self) -> Callbacks:
        """The states that wait for their task token."""
        import boto3

        from plinth.adapters.aws_calls import CALLS
        from plinth.adapters.step_functions_callbacks import StepFunctionsCallbacks

        return StepFunctionsCallbacks(client=boto3.client("stepfunctions", config=CALLS))

    @cached_property
    def erasing(self) -> ErasureServices:
        """What erasures need."""
        return ErasureServices(
            self.settings, meter=self.meter, documents=lambda: self.documents, memory=lambda: self.memory
        )

    @cached_property
    def exporting(self) -> ExportServices:
        """What exports need."""
        return ExportServices(self)

    def language_model(self, provider: Provider) -> LanguageModel:
        """Return the adapter of a provider, or raise `ModelNotConfiguredError` where the environment has none.

        Only the function that calls models imports a model SDK.
        """
        if provider not in self._models:
            try:
                self._models[provider] = language_model_of(provider, self.settings)
            except SettingMissingError as error:
                raise ModelNotConfiguredError(f"no model of {provider} in this environment: {error}") from error
        return self._models[provider]

    @cached_property
    def _models(self) -> dict[Provider, LanguageModel]:
        return {}
