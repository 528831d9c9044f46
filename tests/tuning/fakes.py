"""Trials that only pretend, each in a real process of its own."""

import os
import signal
import time

from faceswap.errors import DivergedError, TrackingError
from faceswap.tuning.plan import SearchPlan, TrialJob, TrialResult


def good(distance: float, steps: int = 1, first_step: int = 0, speed: float = 10.0) -> TrialResult:
    """A result with that identity distance and nothing else."""
    return TrialResult(
        measures={"identity_distance": distance}, steps=steps, first_step=first_step, images_per_second=speed
    )


def valley(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """Best at a bottleneck of 128, worse the further away."""
    exponent = (int(job.values["bottleneck"]) / 128).__ceil__().bit_length() - 1
    off = abs(int(job.values["bottleneck"]) - 128) / 1024 + 0 * exponent
    return good(0.2 + 0.5 * off, speed=10_000 / int(job.values["bottleneck"]))


def slow(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """The same, but it takes a while."""
    time.sleep(0.5)
    return valley(job, plan)


def moody(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """Fails in another way for each width."""
    match int(job.values["bottleneck"]):
        case 16:
            raise DivergedError("The loss was not a number")
        case 64:
            os.kill(os.getpid(), signal.SIGKILL)
        case 256:
            raise MemoryError
        case 1024:
            os._exit(9)
    return valley(job, plan)


def hopeless(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """Never works."""
    raise ValueError("nothing works")


def serverless(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """The tracker is away."""
    raise TrackingError("MLflow can't be reached")
