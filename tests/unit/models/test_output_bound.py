"""What of a model's output can be kept."""

import pytest

from plinth.adapters.tool_calls import OutputBound
from plinth.errors import ModelReplyInvalidError


@pytest.mark.guarantee_f
def test_half_of_a_letter_is_no_text_because_no_store_can_keep_it() -> None:
    with pytest.raises(ModelReplyInvalidError):
        OutputBound(10).count("a\ud83d")
