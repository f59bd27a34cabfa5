"""Pairs of questions that judge the answer cache: small differences that matter, and the same asked otherwise.

Made by templates over five subjects (packages, cloud, travel, medicine, offices), so that no figure rests on one; the
paraphrases of `FREE` were written by hand, in other words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two questions; `kind` says what differs, `same` whether one answer serves both."""

    kind: str
    one: str
    other: str
    same: bool


_NEGATED = (
    ("Which packages are installed by default?", "Which packages are not installed by default?"),
    ("Can I cancel the booking after check-in?", "Can I not cancel the booking after check-in?"),
    ("Should the tablets be taken with food?", "Should the tablets never be taken with food?"),
    ("Does the backup include attachments?", "Doesn't the backup include attachments?"),
    ("How do I upgrade with a reboot?", "How do I upgrade without a reboot?"),
    ("Who can approve expenses?", "Who can't approve expenses?"),
    ("What happens if I pay the invoice?", "What happens if I do not pay the invoice?"),
    ("Is there a limit on uploads?", "Is there no limit on uploads?"),
    ("Why is the service reachable?", "Why isn't the service reachable?"),
    ("Which users have agreed and not paid?", "Which users have not agreed and paid?"),
)
_NUMBERED = (
    "How do I keep the last {} kernels?",
    "What does error {} mean?",
    "Is a stay of {} nights refundable?",
    "Can a child of {} take this medicine?",
    "What changed in version {}?",
    "How many seats are on floor {}?",
    "Is {}% of the fee returned?",
)
_NUMBERS = ("2", "3", "12", "20", "1.10", "1.1")
_MEASURED = (
    ("How long do {}5 {} of logs last?", ("minutes", "hours", "days")),
    ("Is {}10 {} enough for the database?", ("MB", "GB", "Gb", "TB")),
    ("May I carry {}20 {} on board?", ("kg", "lb", "litres")),
    ("Is a dose of {}500 {} safe?", ("mg", "g", "ml")),
    ("Does {}30 {} of notice suffice?", ("days", "weeks", "months")),
)
_NAMED = (
    ("How do I configure {} on the server?", ("Debian", "Ubuntu", "Fedora", "nginx", "apache2")),
    ("What does {} do?", ("--purge", "--remove", "-p", "-P", "apt-get", "apt-cache")),
    ("Where is the office in {}?", ("Paris", "Rome", "London", "Berlin")),
    ("What are the side effects of {}?", ("ibuprofen", "aspirin", "paracetamol")),
    ("Who is the {} of the project?", ("owner", "sponsor", "manager", "auditor")),
    ("How do I {} the account?", ("open", "close", "lock", "unlock", "rename")),
    ("How do I {} the service?", ("enable", "disable", "restart")),
    ("What is the {} deposit?", ("minimum", "maximum", "average")),
    ("{} the contract be signed by a lawyer?", ("Must", "May", "Should", "Did")),
    ("What {} the speed limit?", ("is", "was", "will be")),
    ("Who pays {} the delivery?", ("before", "after", "during")),
    ("Can {} delete my messages?", ("I", "you", "they", "anyone")),
    ("{} was the policy changed?", ("When", "Why", "Where")),
    ("Are {} uploads encrypted?", ("all", "some", "most", "a few", "few")),
)
_SIGNS_AND_LETTERS = (
    ("What does cd {}do?", (".. ", ". ", "")),
    ("What does git add {}do?", (". ", "")),
    ("How do I list files with ls {}?", (".", "..")),
    ("What does `{}` stand for in a path?", (".", "..")),
    ("How do I search for {} with grep?", (".", "?")),
    ("What does {} do in bash?", (";", ":")),
    ("What does {} mean in Python?", ("[]", "{}")),
    ("How do I add {} record?", ("an a", "a")),
    ("Which limits does {} have?", ("plan a", "the plan")),
    ("What is {}?", ("hepatitis a", "hepatitis")),
)
_ORDERED = (
    ("How do I migrate from {} to {}?", ("MySQL", "Postgres", "Oracle", "sqlite")),
    ("How do I convert {} into {}?", ("rpm", "deb", "tar")),
    ("Is {} older than {}?", ("Ann", "Ben", "Cem")),
    ("When does {} replace {}?", ("the lease", "the permit", "the licence")),
    ("Does {} depend on {}?", ("apt", "dpkg", "libc6")),
    ("Can {} overrule {}?", ("the board", "the director", "the council")),
    ("Which flights go from {} via {}?", ("Oslo", "Lima", "Cairo")),
    ("Should I take {} before {}?", ("aspirin", "insulin", "breakfast")),
)

_ASKED_HOW = ("How do I {}?", "how to {}", "How can I {}?", "Could you tell me how to {}?", "What is the way to {}?")
_TASKS = (
    ("purge a package", "purge packages"),
    ("choose the region of a bucket", "select the regions of buckets"),
    ("change the seat of a booking", "change a seat of the booking"),
    ("get a refill", "obtain refills"),
    ("find the directory of a project", "locate the folder of the project"),
)
_WHATS = (
    ("What is the maximum size of an upload?", "what's the max size of uploads"),
    ("Which file holds the configuration?", "What file holds the config?"),
    ("What is the fee for 3 bags?", "Please, what's the fee for three bags?"),
    ("How many days of leave do employees get?", "How many days of leave does an employee obtain?"),
    ("Is 5 GB enough for the logs?", "is 5GB enough for the logs?"),
    ("Can't I return an opened box?", "Can I not return an opened box?"),
    ("With apt, how do I hold a package?", "How do I hold a package with apt?"),
    ("In which city is the main office?", "Which city is the main office in?"),
)
FREE = (
    ("How do I remove a package and its settings?", "What command deletes a package together with its config?"),
    ("When is the invoice due?", "By what date must the invoice be paid?"),
    ("Can I bring a dog?", "Are dogs welcome?"),
    ("How do I reset my password?", "I forgot my password, what now?"),
    ("Where are logs stored?", "In which directory are the log files kept?"),
    ("What is the dose for adults?", "How much should a grown-up take?"),
    ("How long does delivery take?", "When will my order arrive?"),
    ("Who approves travel?", "Whose approval does a trip need?"),
)


def pairs() -> list[Pair]:
    """Return every pair once, those that differ first."""
    return [*_different(), *_same()]


def _different() -> Iterator[Pair]:
    for one, other in _NEGATED:
        yield Pair(kind="negation", one=one, other=other, same=False)
    for template in _NUMBERED:
        yield from _each_two("number", [template.format(number) for number in _NUMBERS])
    for template, units in _MEASURED:
        yield from _each_two("unit", [template.format("", unit) for unit in units])
    for template, names in _NAMED:
        yield from _each_two("word or name", [template.format(name) for name in names])
    for template, signs in _SIGNS_AND_LETTERS:
        yield from _each_two("sign or letter", [template.format(sign) for sign in signs])
    for template, names in _ORDERED:
        for one, other in permutations(names, 2):
            if one < other:
                swapped = template.format(other, one)
                yield Pair(kind="order", one=template.format(one, other), other=swapped, same=False)


def _same() -> Iterator[Pair]:
    for task, reworded in _TASKS:
        asked = [frame.format(text) for frame in _ASKED_HOW for text in (task, reworded)]
        for other in asked[1:]:
            yield Pair(kind="rewording", one=asked[0], other=other, same=True)
    for one, other in _WHATS:
        yield Pair(kind="rewording", one=one, other=other, same=True)
    for one, other in FREE:
        yield Pair(kind="other words", one=one, other=other, same=True)


def _each_two(kind: str, questions: list[str]) -> Iterator[Pair]:
    for one, other in combinations(questions, 2):
        yield Pair(kind=kind, one=one, other=other, same=False)
