"""Libraries that write to the process's standard error, whatever one asks of them, are kept from it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def silence() -> Iterator[None]:
    """Nothing that is written to the process's standard error in the block is seen; errors still raise."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
