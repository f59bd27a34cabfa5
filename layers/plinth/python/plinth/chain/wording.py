"""Which wording never changes what an English question asks; everything else does.

Short on purpose: a missing entry costs a hit, a wrong one gives a wrong answer. Words of `SAME` mean the same in most
places ("get a refill", not "get up"); the distance of the questions judges the rest.
"""

import re

ARTICLES = frozenset({"a", "an", "the"})
SOUNDS = {
    "a": re.compile(r"[^\W_aeiou]|eu|on[ce]|u(?:ni|r[il]|[kst])", re.IGNORECASE),
    "an": re.compile(r"[aeiou]|8|1[18]|heir|honest|hono|hour|[fhlmnrsx](?![aeiouy])", re.IGNORECASE),
}
"""How what follows each article begins, abbreviations included; what follows a letter that is a name may not."""
_NO_NOUN = (
    "few little am is are was were do does did has have had can could may might must shall should will would "
    "and or but nor if than then to of in on at by for from with without into via as"
)
UNDETERMINED = frozenset(_NO_NOUN.split())
"""What no article stands before: "a few" is not "few", and "plan a has" not "plan has"."""
_KINDS = (
    "annex appendix block building category class column drive exhibit factor gate grade group hepatitis influenza "
    "level option part phase plan platform point port protein row schedule section series stage team terminal tier "
    "type variant vitamin zone"
)
LABELLED = frozenset(_KINDS.split())
"""What is told apart by letters."""
COURTESIES = frozenset({"hello", "hey", "hi", "kindly", "please", "thanks"})
NEGATIONS = frozenset({"cannot", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "without"})
ASKING = frozenset({"how", "what", "when", "where", "who", "why"})
FRONTED = frozenset({"after", "before", "during", "for", "from", "if", "in", "on", "under", "using", "with"})

_WHO = r"(?:i|we|one)\b"  # not "you": "how do you store my data" asks of another's doing
_MODAL = r"(?:can|could|do|does|would|might)"
_TELL = r"(?:tell|show|explain to|teach) (?:me|us)"
FRAMES = (
    (rf"^(?:(?:can|could|would|will) you )?(?:please )?(?:{_TELL}|explain)(?: please)? (?=how|what|wh)", ""),
    (r"^(?:i|we)(?: would|) (?:like|want|need) to know (?=how|wh)", ""),
    (r"^(?:do|does|can) (?:you|anyone|anybody) know (?=how|wh)", ""),
    (rf"(?:^|(?<=, ))how {_MODAL} {_WHO}", "how"),
    (rf"^how (?:to|{_WHO} {_MODAL})\b", "how"),
    (r"^(?:what|which) (?:is|are) (?:the|a) (?:ways?|steps?|procedure|process) (?:to|for)\b", "how"),
    (r"^what (?:do|does|must) (?:i|we|one) (?:have to |need to )?do to\b", "how"),
    (r"^(?:for what reason|how come)\b", "why"),
    (r"^what is the reason (?:that|why)\b", "why"),
)

CONTRACTIONS = (
    (r"\bcan't\b|\bcannot\b", "can not"),
    (r"\bwon't\b", "will not"),
    (r"n't\b", " not"),
    (r"\b(what|where|who|how|when|why|it|that|there)'s\b", r"\1 is"),
    (r"\bi'm\b", "i am"),
    (r"'re\b", " are"),
    (r"'ve\b", " have"),
    (r"'ll\b", " will"),
    (r"\b(i|we|you)'d\b", r"\1 would"),
    (r"\bnot (i|we|you|he|she|it|they|there)\b", r"\1 not"),
)

_GROUPS = (
    "what which",
    "is are am",
    "do does",
    "has have",
    "admin administrator",
    "app application",
    "begin start",
    "bicycle bike",
    "big large",
    "buy purchase",
    "choose pick select",
    "config configuration",
    "directory folder",
    "display show",
    "docs documentation",
    "find locate",
    "fix repair",
    "get obtain",
    "happen occur",
    "photo picture",
    "info information",
    "kind type",
    "max maximum",
    "min minimum",
    "normally usually",
    "allowed permitted",
    "phone telephone",
    "repo repository",
)
SAME = {word: group.split()[0] for group in _GROUPS for word in group.split()}

NOT_PLURAL = frozenset(
    [
        "always",
        "as",
        "does",
        "news",
        "windows",
        "means",
        "arms",
        "goods",
        "glasses",
        "customs",
        "series",
        "species",
        "sometimes",
        "its",
        "this",
        "thus",
        "less",
    ]
)
_SPOKEN = "zero one two three four five six seven eight nine ten eleven twelve"
NUMERALS = {word: str(value) for value, word in enumerate(_SPOKEN.split())}

UNITS = frozenset(
    # of time, size, length, weight, volume, temperature, money, rates; a unit's case counts: Mb is not MB
    [
        "ns",
        "us",
        "ms",
        "s",
        "sec",
        "secs",
        "second",
        "seconds",
        "min",
        "mins",
        "minute",
        "minutes",
        "h",
        "hr",
        "hrs",
        "hour",
        "hours",
        "day",
        "days",
        "week",
        "weeks",
        "month",
        "months",
        "quarter",
        "quarters",
        "year",
        "years",
        "bit",
        "bits",
        "byte",
        "bytes",
        "b",
        "kb",
        "mb",
        "gb",
        "tb",
        "pb",
        "kib",
        "mib",
        "gib",
        "tib",
        "kbit",
        "mbit",
        "gbit",
        "kbps",
        "mbps",
        "gbps",
        "mm",
        "cm",
        "m",
        "km",
        "mile",
        "miles",
        "inch",
        "inches",
        "in",
        "ft",
        "foot",
        "feet",
        "yard",
        "yards",
        "mg",
        "g",
        "kg",
        "gram",
        "grams",
        "kilogram",
        "kilograms",
        "lb",
        "lbs",
        "pound",
        "pounds",
        "oz",
        "ounce",
        "ounces",
        "t",
        "ton",
        "tons",
        "tonne",
        "tonnes",
        "ml",
        "cl",
        "l",
        "liter",
        "liters",
        "litre",
        "litres",
        "gallon",
        "gallons",
        "c",
        "f",
        "k",
        "degree",
        "degrees",
        "celsius",
        "fahrenheit",
        "kelvin",
        "usd",
        "eur",
        "gbp",
        "dollar",
        "dollars",
        "euro",
        "euros",
        "cent",
        "cents",
        "%",
        "percent",
        "hz",
        "khz",
        "mhz",
        "ghz",
        "w",
        "kw",
        "kwh",
        "v",
        "a",
        "mah",
        "kph",
        "kmh",
        "mph",
        "rpm",
        "px",
        "dpi",
    ]
)
