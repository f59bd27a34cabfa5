"""SummarizeTurns: bring the summary of a conversation's older turns up to date, once the answer is out."""

from plinth.contracts import SummarizeTurnsInput, SummarizeTurnsOutput
from plinth.runtime import step
from plinth.runtime.summaries import summarize
from plinth.wiring import Services


def summarize_turns(request: SummarizeTurnsInput, services: Services) -> SummarizeTurnsOutput:
    """Ask the tier's summary model once; if anything goes wrong, older turns are told in a line each as before."""
    return summarize(request.run, services)


handler = step(summarize_turns)
