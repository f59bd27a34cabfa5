"""Which differences keep two questions apart, gate by gate, and which do not."""

import pytest

from plinth.chain.content_gate import Gate, form

APART = {
    Gate.NUMBERS: [
        ("Keep 5 kernels?", "Keep 6 kernels?"),
        ("Keep two kernels?", "Keep three kernels?"),
        ("Is it $1,000?", "Is it $1,0000?"),
        ("Since 1.1?", "Since 1.10?"),
        ("Is -5 cold?", "Is 5 cold?"),
    ],
    Gate.UNITS: [
        ("Is 5 GB enough?", "Is 5 MB enough?"),
        ("Is 5GB enough?", "Is 5 Gb enough?"),
        ("Wait 5 minutes?", "Wait 5 hours?"),
    ],
    Gate.NEGATIONS: [
        ("Can I stop?", "Can't I stop?"),
        ("Upgrade with no reboot?", "Upgrade with never reboot?"),
        ("Who agreed and not paid?", "Who not agreed and paid?"),
    ],
    Gate.NAMES: [
        ("What is -p?", "What is -P?"),
        ("Install Debian here?", "Install Ubuntu here?"),
        ("Use C++?", "Use C#?"),
        ("What does cd .. do?", "What does cd . do?"),
        ("What does cd .. do?", "What does cd do?"),
        ("What does git add . do?", "What does git add do?"),
        ("How do I list files with ls .?", "How do I list files with ls ..?"),
        ("What does `.` stand for in a path?", "What does `..` stand for in a path?"),
        ("What does ; do in bash?", "What does : do in bash?"),
        ("What does [] mean in Python?", "What does {} mean in Python?"),
        ("What does [0-9] match?", "What does {0-9} match?"),
    ],
    Gate.WORDS: [
        ("How do I open it?", "How do I close it?"),
        ("Is it paid?", "Was it paid?"),
        ("Is it paid?", "Is it posted?"),
        ("a few?", "few?"),
        ("How do I add an a record?", "How do I add a record?"),
        ("What is on the a side?", "What is on the side?"),
        ("Which limits does plan a have?", "Which limits does the plan have?"),
        ("How much does plan a cost?", "How much does the plan cost?"),
        ("What is hepatitis a?", "What is hepatitis?"),
        ("Is layer a in use?", "Is layer in use?"),
        ("Is layer a obsolete?", "Is layer obsolete?"),
    ],
    Gate.ORDER: [
        ("Trains from Rome to Bonn?", "Trains from Bonn to Rome?"),
        ("Does apt replace dpkg?", "Does dpkg replace apt?"),
        ("Is 5 over 7?", "Is 7 over 5?"),
        ("Who owns the dog of the king?", "Who owns the king of the dog?"),
    ],
}
SAME = [
    ("How do I purge a package?", "could you please tell me how to purge packages"),
    ("What's the limit?", "Which is the limit?"),
    ("Is 5 GB enough?", "Is 5GB enough"),
    ("Keep two kernels?", "keep 2 kernels?"),
    ("Can't I pay?", "Can I not pay?"),
    ("With apt, how do I hold it?", "How do I hold it with apt?"),
    ("Is it 1,000 km?", "Is it 1000 km?"),
    ("Where is a url, an hour, an mri scan?", "Where is the url, the hour, the mri scan?"),
    ("Is an 8 GB disk enough?", "Is the 8 GB disk enough?"),
    ("What does \N{LEFT DOUBLE QUOTATION MARK}x\N{RIGHT DOUBLE QUOTATION MARK} do?",) * 2,
]


@pytest.mark.guarantee_g
@pytest.mark.parametrize(("gate", "one", "other"), [(gate, *pair) for gate in APART for pair in APART[gate]])
def test_each_gate_keeps_its_pairs_apart(gate: Gate, one: str, other: str) -> None:
    assert form(one) != form(other)
    assert form(one, [gate]) != form(other, [gate])


@pytest.mark.guarantee_g
@pytest.mark.parametrize("gate", Gate)
def test_without_one_gate_some_pair_is_taken_for_the_same(gate: Gate) -> None:
    others = [other for other in Gate if other is not gate]

    assert any(form(one, others) == form(other, others) for one, other in APART[gate])


@pytest.mark.parametrize(("one", "other"), SAME)
def test_mere_wording_keeps_nothing_apart(one: str, other: str) -> None:
    assert form(one) == form(other)


@pytest.mark.guarantee_g
@pytest.mark.parametrize(
    "question", ["", "?", "the", "Wie lösche ich ein Paket?", "\N{CJK UNIFIED IDEOGRAPH-4F60}?", "5" * 4000]
)
def test_any_text_has_a_form_that_another_word_changes(question: str) -> None:
    assert form(question) != form(f"{question} zzz")


@pytest.mark.parametrize(
    ("one", "other"),
    [("How do you store my data?", "How do I store my data?"), ("What did it cost?", "What does it cost?")],
)
@pytest.mark.guarantee_g
def test_who_acts_and_when_is_no_mere_wording(one: str, other: str) -> None:
    assert form(one) != form(other)
