"""What tags and metadata mark a document with, and which are refused."""

import hashlib

import pytest

from plinth.contracts.context_orders import NO_CONTEXTS, ContextOrder
from plinth.contracts.memory import Labels, SourceFacts, SourceObject
from plinth.errors import DocumentRefusedError, InvalidFieldError
from plinth.memory.tagging import labels_of, labels_of_object, ordered_contexts, source_facts, with_order


def test_metadata_becomes_pairs_in_order_and_access_becomes_labels() -> None:
    found = labels_of({"team": "docs", "access": "team:b, team:a  team:b", "product": "a=b café"})

    assert found == Labels(metadata=("product=a=b café", "team=docs"), access=("team:a", "team:b"))


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"Team": "x"}, "metadata"),
        ({"": "x"}, "metadata"),
        ({"a b": "x"}, "metadata"),
        ({"team": ""}, "metadata.team"),
        ({"team": "x" * 257}, "metadata.team"),
        ({"team": "a\nb"}, "metadata.team"),
        ({"team": "a\x9bb"}, "metadata.team"),
        ({"team": "\ud83d"}, "metadata.team"),
        ({"access": "*"}, "metadata.access"),
        ({"access": " , "}, "metadata.access"),
        ({"access": " ".join(f"l{n}" for n in range(33))}, "metadata.access"),
        ({f"n{number}": "x" for number in range(17)}, "metadata"),
    ],
)
def test_what_can_not_be_a_mark_is_refused_by_its_name(metadata: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        labels_of(metadata)

    assert refused.value.field == named


@pytest.mark.parametrize("value", ["10\u00a0km", "東京\u3000本社", "می\u200cخواهم"])
def test_a_mark_may_hold_whatever_space_or_joiner_its_language_writes(value: str) -> None:
    assert labels_of({"place": value}).metadata == (f"place={value}",)


def test_tags_that_others_put_on_an_object_are_left_out() -> None:
    tags = {"aws:cloudformation:stack-id": "x", "CostCenter": "7", "empty": "", "mit Leerzeichen": "x"}

    assert labels_of_object(tags) == Labels(metadata=("costcenter=7",))


@pytest.mark.guarantee_e
@pytest.mark.parametrize("access", ["", "a b*", "*"])
def test_an_access_tag_that_can_not_be_read_refuses_the_document_instead_of_opening_it(access: str) -> None:
    with pytest.raises(DocumentRefusedError) as refused:
        source_facts(SourceObject(body=b"secret", content_type="text/plain", tags={"Access": access}))

    assert refused.value.reason == "bad_metadata"


def test_the_facts_of_an_object_are_its_hash_and_its_labels() -> None:
    facts = source_facts(SourceObject(body=b"one", content_type="text/plain", tags={"team": "docs"}))

    assert facts == SourceFacts(
        content_sha256=hashlib.sha256(b"one").hexdigest(), labels=Labels(metadata=("team=docs",))
    )


def test_what_orders_contexts_is_no_mark_and_nobody_may_say_it_as_one() -> None:
    order = ContextOrder(model="m", key_id="k", most_micro_usd=7)
    metadata = with_order({"team": "docs"}, order)

    assert ordered_contexts(metadata) == order
    assert labels_of_object(metadata) == Labels(metadata=("team=docs",))
    for name in set(metadata) - {"team"}:
        with pytest.raises(InvalidFieldError, match="is reserved"):
            labels_of({name: "x"})
    with pytest.raises(InvalidFieldError, match="whole number"):
        ordered_contexts({"Context-Most-Micro-Usd": "-1"})
    assert with_order({"team": "docs"}, NO_CONTEXTS) == {"team": "docs"}
    assert ordered_contexts({"team": "docs"}) == NO_CONTEXTS
