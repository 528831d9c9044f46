"""What a server's silence is called."""

import pytest
from mlflow.exceptions import MlflowException
from requests import ConnectionError as NotConnected
from requests.exceptions import ReadTimeout, RetryError

from faceswap.errors import TrackingError
from faceswap.tracking.connection import explained


@pytest.mark.parametrize(
    ("behind", "words"),
    [
        (NotConnected("HTTPConnectionPool(host='h', port=1): Max retries exceeded"), "it does not answer"),
        (ReadTimeout("Read timed out."), "it does not answer"),
        (RetryError("too many 500 error responses"), "store of its artifacts may be away"),
        (NotConnected("Connection aborted.", ConnectionResetError()), "store of its artifacts may be away"),
        (None, "Run 'r' not found"),
    ],
)
def test_one_sentence_without_the_clients_own_words(
    home: object, behind: Exception | None, words: str
) -> None:
    def ask() -> None:
        if behind is None:
            raise MlflowException("Run 'r' not found\nmore")
        try:
            raise behind
        except Exception as error:
            raise MlflowException(f"API request to http://h:1/api failed with exception {error}")  # noqa: B904

    with pytest.raises(TrackingError) as caught, explained("take tags"):
        ask()
    assert words in caught.value.message
    assert "API request" not in caught.value.message
