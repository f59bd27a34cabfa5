"""SaveAnswer: remember the answer, write the receipt, end the run."""

from plinth.contracts import SaveAnswerInput, SaveAnswerOutput
from plinth.contracts.models import Reply
from plinth.contracts.runs import Answer
from plinth.runtime import step
from plinth.runtime.answer_endings import last_events, receipt_for, remember
from plinth.wiring import Services


def save_answer(request: SaveAnswerInput, services: Services) -> SaveAnswerOutput:
    """Keep the turn and the cacheable answer first: the run only ends once they are safe."""
    run = request.run
    answer = services.runs.get_content(run, "answer", Answer)
    reply = None if request.cached else services.runs.get_content(run, "reply", Reply)
    receipt = receipt_for(reply, saved_micro_usd=request.saved_micro_usd)
    remember(request, answer, receipt, services)
    logged = services.run_log.read(run.tenant, run.id, after=0)
    services.run_log.append(run, last_events(request, answer, reply=reply, receipt=receipt, logged=logged))
    return SaveAnswerOutput(saved=True)


handler = step(save_answer)
