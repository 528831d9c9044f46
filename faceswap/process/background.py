"""Calls of slow receivers in a thread of their own: a server that stands still holds no training up."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Call:
    kind: str
    do: Callable[[], object]
    replaceable: bool
    context: Context


class Background:
    """Makes calls one after the other, in the order they were submitted; who submits never waits.

    A call that raises is logged and counted, and the next one follows. The thread lives as long as calls wait.

    Args:
        receiver: who is called, for the log.
        capacity: how many calls that nothing replaces may wait; beyond it the oldest is given up and counted.
    """

    def __init__(self, receiver: str, capacity: int = 32) -> None:
        self.receiver, self.capacity = receiver, capacity
        self.lost: Counter[str] = Counter()
        """What was given up or refused since the last :meth:`account`, by kind."""
        self._calls: list[_Call] = []
        self._current: _Call | None = None
        self._changed = threading.Condition()
        self._running = False

    def submit(self, kind: str, call: Callable[[], object], *, replaces: bool = False) -> None:
        """Make the call as soon as those before it are done.

        Args:
            kind: what is delivered, as the account names it: "picture".
            call: may take long and may raise; it runs in this moment's context variables.
            replaces: only the newest of this kind matters: one that still waits is left out, which is no loss.
        """
        with self._changed:
            if replaces:
                self._calls = [one for one in self._calls if not (one.replaceable and one.kind == kind)]
            elif len(kept := [one for one in self._calls if not one.replaceable]) >= self.capacity:
                self._calls.remove(kept[0])
                self.lost[kept[0].kind] += 1
            self._calls.append(_Call(kind, call, replaces, copy_context()))
            if not self._running:
                self._running = True
                threading.Thread(target=self._work, daemon=True, name=f"to {self.receiver}").start()

    def flush(self, seconds: float) -> bool:
        """Wait until all calls are made, at most so long; returns whether they are."""
        until = time.monotonic() + seconds
        with self._changed:
            while self._running and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            return not self._running

    def account(self) -> str:
        """What has not arrived, in words, with the calls that still wait; empty: all has. Losses count once."""
        with self._changed:
            waiting = [self._current, *self._calls] if self._current else self._calls
            missing = self.lost + Counter(one.kind for one in waiting)
            self.lost.clear()
        return ", ".join(f"{number} x {kind}" for kind, number in sorted(missing.items()))

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._calls:
                    self._running = False
                    self._changed.notify_all()
                    return
                call = self._current = self._calls.pop(0)
            try:
                call.context.run(call.do)
            except Exception as error:  # whatever a client raises, what it reports on goes on
                with self._changed:
                    self.lost[call.kind] += 1
                reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
                logger.warning("%s did not take a %s: %s", self.receiver, call.kind, reason)
            with self._changed:
                self._current = None
