"""Options of a swap as they are stored with results."""

import pytest
from pydantic import ValidationError

from faceswap.swap.options import SwapOptions


def test_the_outline_of_earlier_results_is_read_by_its_present_name() -> None:
    assert SwapOptions().outline == "generated"
    stored = SwapOptions.model_validate_json('{"outline": "drawn"}')
    assert stored == SwapOptions()
    assert '"outline":"generated"' in stored.model_dump_json()
    with pytest.raises(ValidationError):
        SwapOptions.model_validate({"outline": "painted"})
