"""Rules of the SageMaker stream's frames."""

from typing import Any

from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from local.models.eventstream import payload_part, stream_error


def only_event(frame: bytes) -> Any:
    buffer: Any = EventStreamBuffer()
    buffer.add_data(frame)
    (event,) = list(buffer)
    return event


@given(st.binary(max_size=300))
def test_any_bytes_come_out_of_their_frame_as_they_went_in(body: bytes) -> None:
    event = only_event(payload_part(body))

    assert event.payload == body
    assert event.headers[":event-type"] == "PayloadPart"


def test_a_broken_stream_ends_with_the_exception_that_sagemaker_names() -> None:
    event = only_event(stream_error("it broke"))

    assert event.headers[":message-type"] == "exception"
    assert event.headers[":exception-type"] == "ModelStreamError"
    assert b"StreamBroken" in event.payload
