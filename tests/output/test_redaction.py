"""Passwords in addresses: in errors, logs, tracebacks, settings."""

import logging

import pytest

from faceswap.errors import TrackingError
from faceswap.output.redaction import redact_logs, redacted, without_user
from faceswap.settings import settings

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://bob:s3cret@host:5000/x", "http://***@host:5000/x"),
        ("(https://bob:s3@cret@host)", "(https://***@host)"),
        (
            "postgresql+psycopg2://bob:s3cret@db/x and s3://k:s3cret@b",
            "postgresql+psycopg2://***@db/x and s3://***@b",
        ),
        ("postgresql://db/x?user=bob&password=s3cret&a=1", "postgresql://db/x?user=bob&password=***&a=1"),
        ("http://s3cret@host", "http://***@host"),
    ],
)
def test_passwords_are_not_shown(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "models:/face-ada@production",
        "http://host:5000/path/a@b",
        "sqlite:////home/x@y/mlflow.db",
        "--reference ada:photo@2x.jpg",
        "s3://bucket/faces/a@b.jpg",
    ],
)
def test_other_signs_stay(text: str) -> None:
    assert redacted(text) == text


def test_a_link_has_no_user() -> None:
    assert without_user("http://bob:s3cret@host:5000/#/x") == "http://host:5000/#/x"


def test_errors_say_where_but_not_the_password() -> None:
    error = TrackingError("MLflow at http://bob:s3cret@host can't connect", "correct http://bob:s3cret@host")
    assert SECRET not in f"{error} {error!r} {error.args} {error.message} {error.fix}"
    assert "http://***@host" in str(error)


def test_a_wrong_setting_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESWAP_S3_ENDPOINT_URL", "bob:s3cret@host:9000")
    settings.cache_clear()
    with pytest.raises(Exception, match=r"FACESWAP_S3_ENDPOINT_URL.*host:9000") as caught:
        settings()
    assert SECRET not in str(caught.value)


def test_logs_and_their_tracebacks_are_redacted(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogRecordFactory()
    redact_logs()
    redact_logs()
    try:
        try:
            raise OSError("http://bob:s3cret@host refused")
        except OSError:
            logging.getLogger("some.library").exception("asked %s", "http://bob:s3cret@host")
        logging.getLogger("some.library").warning("%d of %s", 1, 2)
    finally:
        logging.setLogRecordFactory(before)
    assert SECRET not in caplog.text
    assert "OSError: http://***@host refused" in caplog.text
    assert "1 of 2" in caplog.text
