"""The command line of the benchmarks."""

from pathlib import Path

import pytest

from bench import __main__ as command
from bench.own_code import Chain


def test_a_benchmark_that_lacks_its_stack_is_skipped_aloud(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLINTH_HOME", str(tmp_path))

    status = command.main(["first_text"])

    assert status == 1
    assert f"first_text: SKIPPED, no local stack runs in {tmp_path}" in capsys.readouterr().out


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["firsttext"])

    assert "firsttext" in capsys.readouterr().err


def test_the_measured_chain_answers_a_new_question_by_every_step_and_a_known_one_without_the_model(
    capsys: pytest.CaptureFixture[str],
) -> None:
    chain = Chain()

    chain.answer("Is it?")
    by_every_step = set(chain.durations_ms)
    chain.durations_ms.clear()
    chain.answer(" Is  it? ")

    assert by_every_step - set(chain.durations_ms) == {"BuildPrompt", "CallModel", "ParseReply"}
    assert "SaveAnswer" in chain.durations_ms
