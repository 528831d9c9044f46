"""Fictional people rendered on all cores: what networks learn from that are to know faces in general."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from faceswap.output.progress import Report

T = TypeVar("T")


def of_each(people: int, draw: Callable[[int], T], workers: int, report: Report) -> list[T]:
    """``draw`` of each number below ``people``, in order.

    Args:
        people: how many.
        draw: a function that can be pickled; it is called in other processes.
        workers: processes.
        report: is told after each person.
    """
    found: list[T] = []
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(draw, number) for number in range(people)]
        try:
            for job in jobs:
                found.append(job.result())
                report(len(found), people, "people")
        finally:
            pool.shutdown(cancel_futures=True)
    return found
