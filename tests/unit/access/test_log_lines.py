"""The JSON line that functions log."""

import json
import logging
from datetime import UTC, datetime

import pytest

from plinth.access.log_lines import LineFormatter, logger_of


def line(record: logging.LogRecord) -> dict[str, object]:
    read: dict[str, object] = json.loads(LineFormatter("ClaimRun").format(record))
    return read


def test_a_line_names_level_time_and_service_and_the_fields_that_are_known() -> None:
    record = logging.makeLogRecord({"levelname": "INFO", "msg": "step ended", "created": 1.5, "tokens": 3, "id": None})

    assert line(record) == {
        "level": "INFO",
        "message": "step ended",
        "timestamp": "1970-01-01T00:00:01.500+00:00",
        "service": "ClaimRun",
        "tokens": 3,
    }


def test_a_line_carries_the_trace_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")

    assert line(logging.makeLogRecord({}))["xray_trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"


def test_an_exceptions_line_tells_the_exception() -> None:
    error = ValueError("no")
    record = logging.makeLogRecord({"exc_info": (ValueError, error, None)})

    assert line(record)["exception_name"] == "ValueError"


def test_a_logger_writes_lines_of_its_service(capsys: pytest.CaptureFixture[str]) -> None:
    logger_of("a function of this test").info("done", extra={"status": 200})

    written = json.loads(capsys.readouterr().out)
    assert (written["service"], written["status"]) == ("a function of this test", 200)
    assert datetime.fromisoformat(written["timestamp"]).tzinfo == UTC
