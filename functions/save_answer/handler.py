"""SaveAnswer: remember the answer, write the receipt, end the run."""

from plinth.access.limits import used_by
from plinth.contracts import SaveAnswerInput, SaveAnswerOutput
from plinth.contracts.models import Reply
from plinth.contracts.runs import Answer
from plinth.errors import ModelCancelledError
from plinth.runtime import step
from plinth.runtime.answer_endings import answered_receipt, last_events, remember, whole
from plinth.runtime.leases import require_own
from plinth.runtime.step_events import last_steps
from plinth.wiring import Services


def save_answer(request: SaveAnswerInput, services: Services) -> SaveAnswerOutput:
    """Keep the turn and the cacheable answer first: the run only ends once they are safe. Nobody's answer is kept."""
    run = request.run
    record = services.runs.get(run.tenant, run.id)
    require_own(run, record)
    if record.unwanted:
        raise ModelCancelledError("nobody wants the answer any more")
    answer = services.runs.get_content(run, "answer", Answer)
    reply = None if request.cached or request.declined else services.runs.get_content(run, "reply", Reply)
    remember(request, record.request, answer, services)
    services.limits.ended(run, used_tokens=used_by(request.calls))
    steps = last_steps(request, services)
    receipt = whole(answered_receipt(request, now=services.clock.now()), run, record.request, services, steps.all)
    events = last_events(answer, reply=reply, receipt=receipt, steps=steps.unlogged, attempt=steps.attempt)
    services.run_log.append(run, events)
    return SaveAnswerOutput(saved=True)


handler = step(save_answer)
