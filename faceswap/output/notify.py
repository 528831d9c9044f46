"""Tells an address of the team (a chat's webhook) what happened; work never waits for it nor fails by it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from faceswap.output.redaction import redacted
from faceswap.process.background import Background
from faceswap.settings import settings

Event = Literal["training.finished", "training.failed", "version.promoted", "version.rolled_back"]
_SECONDS = 10.0
_PATIENCE = 5.0
_background = Background("the webhook", capacity=100)


def notify(event: Event, text: str, **facts: str) -> None:
    """Send ``{"event": …, "text": …, …}`` as JSON to the setting ``webhook_url``; nothing where it is empty.

    Args:
        event: what happened.
        text: the same as a sentence, which chats show.
        facts: more fields: ids, names, numbers as text.
    """
    url = settings().webhook_url.get_secret_value()
    if not url:
        return
    content = {"event": event, "text": redacted(text), **facts}
    _background.submit(event, lambda: _post(url, content))
    _background.flush(_PATIENCE)


def _post(url: str, content: dict[str, str]) -> None:
    import httpx

    httpx.post(url, json=content, timeout=_SECONDS).raise_for_status()


@contextmanager
def telling_of_training(name: str, run_id: str) -> Iterator[None]:
    """Tell how the training of the block ends; one that a person stops is not told of."""
    try:
        yield
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        notify("training.failed", f"The training of {name} failed: {reason}", run_id=run_id)
        raise
    notify(
        "training.finished",
        f"The training of {name} is finished: its versions are registered.",
        run_id=run_id,
    )
