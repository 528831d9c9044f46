"""Passwords in addresses are not shown: the one place that takes them out of errors, logs and output."""

import logging
import re
from typing import Any

_USER = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/'\"<>]*@", re.IGNORECASE)
"""User and password before the host, RFC 3986, 3.2.1; to the last @ before the path, as urllib reads it."""
_QUERY = re.compile(
    r"(?P<name>[?&](?:password|passwd|pwd|token|secret|sslpassword)=)[^&\s'\"]+", re.IGNORECASE
)
_HIDDEN = "***"


def redacted(text: str) -> str:
    """The text with ``***`` in place of every user and password of an address."""
    if "@" in text:
        text = _USER.sub(rf"\g<scheme>{_HIDDEN}@", text)
    return _QUERY.sub(rf"\g<name>{_HIDDEN}", text) if "=" in text else text


def without_user(address: str) -> str:
    """An address as a link: user and password are left out, the browser asks for them."""
    return _USER.sub(r"\g<scheme>", address)


def redact_logs() -> None:
    """From now on every log record of this process is redacted, tracebacks too."""
    make = logging.getLogRecordFactory()
    if isinstance(make, _Factory):
        return
    logging.setLogRecordFactory(_Factory(make))


class _Factory:
    def __init__(self, make: Any) -> None:
        self.make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self.make(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # logging itself reports wrong arguments when it writes the record
            return record
        if redacted(text) != text:
            record.msg, record.args = redacted(text), None
        if record.exc_info and record.exc_info[0]:
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
        return record
