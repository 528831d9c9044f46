"""Stages of a pipeline in threads of their own; errors arrive where the stage is used."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, ParamSpec, Self, TypeVar

T = TypeVar("T")
P = ParamSpec("P")
_DEPTH = 4
"""Items that wait between two stages; not measured."""


def ahead(items: Iterable[T], depth: int = _DEPTH) -> Generator[T, None, None]:
    """Yield the items in their order while a thread prepares the next ``depth`` ones; its errors arrive here."""
    end = object()
    iterator = iter(items)
    pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    try:
        pending: deque[Future[T | object]] = deque(pool.submit(next, iterator, end) for _ in range(depth))
        while (item := pending.popleft().result()) is not end:
            pending.append(pool.submit(next, iterator, end))
            yield item  # type: ignore[misc]  # everything but the end is a T
    finally:
        pool.shutdown(cancel_futures=True)


class Behind(Generic[P]):
    """Calls a function in a thread, in order, with at most ``depth`` calls waiting; use it as a context manager.

    An error of a call is raised by a later one, or at the end; after it nothing more is called. Leaving waits for
    the calls that are under way.
    """

    def __init__(self, work: Callable[P, object], depth: int = _DEPTH) -> None:
        self._work, self._depth = work, depth
        self._pending: deque[Future[object]] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="behind")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call the function soon."""
        while len(self._pending) >= self._depth:
            self._pending.popleft().result()
        self._pending.append(self._pool.submit(self._work, *args, **kwargs))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while self._pending:
                self._pending.popleft().result()
        except Exception:
            if kind is None:
                raise
        finally:
            self._pool.shutdown(cancel_futures=True)
