"""Freed memory goes back to the system."""

import platform

import psutil
import pytest

from faceswap.process import memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked to give memory back")
def test_what_was_freed_is_the_systems_again() -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    with memory.returned():
        blocks = [bytes(100_000) + b"x" for _ in range(3000)]
        kept = blocks[::100]  # pages between them stay with the process, unless it is told
        assert process.memory_info().rss > before + 250e6
        del blocks
    assert process.memory_info().rss < before + 60e6
    assert len(kept) == 30


def test_an_error_passes() -> None:
    with pytest.raises(KeyError), memory.returned():
        raise KeyError
