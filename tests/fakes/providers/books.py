"""What a scripted provider remembers: every call, and what it would invoice."""

import re
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from plinth.contracts.models import Usage
from tests.fakes.providers.scripts import Named, Script

_TOKEN = re.compile(r"\[\[script:([^:\]]+)(?::([^\]]*))?\]\]")


@dataclass(slots=True, kw_only=True)
class Call:
    """One request, from the client's `port`. `bill` is what is invoiced for it: None where the model never began."""

    protocol: str
    model: str
    token: str
    headers: dict[str, str]
    body: dict[str, Any]
    script: Script
    at: float = field(default_factory=time.time)
    port: int = 0
    bill: Usage | None = None
    left: bool = False


class Books:
    """Chooses the script of each request and keeps what came of it; safe to use from many threads."""

    def __init__(self, *, named: Named | None = None, default: str = "ok") -> None:
        self.calls: list[Call] = []
        self._named = named or Named()
        self._default = default
        self._next: list[Script] = []
        self._played: Counter[str] = Counter()
        self._lock = threading.Lock()

    def play(self, *scripts: Script) -> None:
        """Answer the next requests with these, the last of them from then on, whatever the prompts ask for."""
        with self._lock:
            self._next = list(scripts)

    def bills(self, token: str | None = None) -> list[tuple[str, Usage]]:
        """Return model and usage of every invoiced call, of all runs or of the one whose token has this argument."""
        return [
            (call.model, call.bill)
            for call in list(self.calls)
            if call.bill is not None and (token is None or call.token == token)
        ]

    def open(self, protocol: str, model: str, headers: dict[str, str], body: dict[str, Any]) -> Call:
        """Write a request down with the script that answers it. KeyError for a script that nobody knows."""
        plan, token = _asked(body) or (self._default, "")
        with self._lock:
            call = Call(
                protocol=protocol,
                model=model,
                token=token,
                headers=headers,
                body=body,
                script=self._choose(plan, token, model),
            )
            self.calls.append(call)
        return call

    def _choose(self, plan: str, token: str, model: str) -> Script:
        if self._next:
            return self._next.pop(0) if len(self._next) > 1 else self._next[0]
        scope, atoms = _for_model(plan, model)
        key = f"{plan}:{token}:{scope}"
        number = self._played[key]
        self._played[key] += 1
        return self._named.script(atoms[min(number, len(atoms) - 1)])


def as_json(call: Call) -> dict[str, Any]:
    """Return a call as the standalone server tells it."""
    return {**asdict(call), "script": str(call.script.fault.kind if call.script.fault else "ok")}


def _for_model(plan: str, model: str) -> tuple[str, list[str]]:
    """Return which calls are counted together, and their scripts in order."""
    choices = plan.split("|")
    for choice in choices:
        scope, named, atoms = choice.partition("=")
        if not named:
            return "*", scope.split("+")
        if scope == model:
            return scope, atoms.split("+")
    return "*", ["ok"]


def _asked(body: dict[str, Any]) -> tuple[str, str] | None:
    """Return plan and argument of the last token in the messages: earlier turns of a conversation may hold others.

    Without any there, one in the instructions counts, where passages of documents stand: the model obeys what it reads.
    """
    texts = [str(body.get("system", "")), *(str(message.get("content")) for message in body.get("messages", []))]
    found = [match for text in texts for match in _TOKEN.finditer(text)]
    return (found[-1][1], found[-1][2] or "") if found else None
