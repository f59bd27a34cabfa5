"""Which settings and field types an index may have; everything else is refused when the index is created."""

import re
from typing import Annotated, ClassVar, Literal, TypeGuard

import msgspec

from local.search.errors import SearchRequestError, mapping_error

SpaceType = Literal["cosinesimil", "l2", "innerproduct"]

# The characters OpenSearch refuses in an index name, and its length limit of 255 bytes (REST API reference, 2.19).
INDEX_NAME = re.compile(r'^(?![-_+.])[^\sA-Z\\/*?"<>|,#:]{1,255}$')


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Return whether a decoded JSON value is an object."""
    return isinstance(value, dict)


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A JSON object of which every key is known."""


class KeywordField(Strict, frozen=True, tag_field="type", tag="keyword"):
    """A string matched whole."""


class TextField(Strict, frozen=True, tag_field="type", tag="text"):
    """A string matched by its words, under the standard analyzer."""

    analyzer: Literal["standard"] = "standard"


class BooleanField(Strict, frozen=True, tag_field="type", tag="boolean"):
    """True or false."""


class NumberField(Strict, frozen=True):
    """A whole number within `lowest` and `highest`, both included."""

    lowest: ClassVar[int] = -(2**63)
    highest: ClassVar[int] = 2**63 - 1


class IntegerField(NumberField, frozen=True, tag_field="type", tag="integer"):
    """A whole number of 32 bits."""

    lowest: ClassVar[int] = -(2**31)
    highest: ClassVar[int] = 2**31 - 1


class LongField(NumberField, frozen=True, tag_field="type", tag="long"):
    """A whole number of 64 bits."""


class DateField(NumberField, frozen=True, tag_field="type", tag="date"):
    """An instant, given in ISO 8601 or in milliseconds since 1970."""


class HnswParameters(Strict, frozen=True):
    """Build parameters of the graph. The engine is exact, so they are checked and have no effect."""

    ef_construction: Annotated[int, msgspec.Meta(ge=1)] = 100
    m: Annotated[int, msgspec.Meta(ge=1)] = 16


class KnnMethod(Strict, frozen=True):
    """How vectors are compared."""

    name: Literal["hnsw"]
    space_type: SpaceType = "l2"
    engine: Literal["lucene", "faiss"] = "lucene"
    parameters: HnswParameters = HnswParameters()


class VectorField(Strict, frozen=True, tag_field="type", tag="knn_vector"):
    """A vector of `dimension` float32 numbers; 16,000 is the limit of the k-NN plugin."""

    dimension: Annotated[int, msgspec.Meta(ge=1, le=16_000)]
    method: KnnMethod


Field = KeywordField | TextField | BooleanField | IntegerField | LongField | DateField | VectorField


class Mappings(Strict, frozen=True):
    """The fields of an index. `dynamic` must be strict: fields are never guessed from documents."""

    dynamic: Literal["strict"]
    properties: dict[str, Field]


class IndexBody(Strict, frozen=True):
    """The body of `PUT /{index}`."""

    mappings: Mappings
    settings: dict[str, object] = {}


class Settings(Strict, frozen=True):
    """The settings of an index, flattened. Only `knn` has an effect here: the engine is one exact shard."""

    knn: bool = False
    number_of_shards: Annotated[int, msgspec.Meta(ge=1)] | str = 1
    number_of_replicas: Annotated[int, msgspec.Meta(ge=0)] | str = 0
    refresh_interval: str = "1s"
    ef_search: Annotated[int, msgspec.Meta(ge=1)] = msgspec.field(name="knn.algo_param.ef_search", default=100)


def read_definition(name: str, body: bytes) -> IndexBody:
    """Return the definition in the body of `PUT /{index}`; raises SearchRequestError."""
    if not INDEX_NAME.match(name) or len(name.encode()) > 255:
        reason = f"Invalid index name [{name}], must be lowercase, without spaces, wildcards or a leading _, -, + or ."
        raise SearchRequestError(reason, kind="invalid_index_name_exception")
    try:
        definition = msgspec.json.decode(body or b"{}", type=IndexBody)
        settings = msgspec.convert(_flat(definition.settings), type=Settings)
    except msgspec.DecodeError as error:
        raise mapping_error(f"index [{name}] is not served here: {error}") from error
    if not settings.knn and any(isinstance(field, VectorField) for field in definition.mappings.properties.values()):
        raise mapping_error("a knn_vector field with a method needs the setting [index.knn: true]")
    return definition


def _flat(settings: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in settings.items():
        path = f"{prefix}{key}"
        flat.update(_flat(value, f"{path}.") if is_object(value) else {path.removeprefix("index."): value})
    return flat
