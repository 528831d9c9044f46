import os
import signal
from pathlib import Path

import pytest

from faceswap.errors import TrainingError
from faceswap.tuning.plan import TrialRecord, read_records
from faceswap.tuning.workers import search_with_workers
from tests.tuning import fakes


def test_a_chief_and_two_workers_share_a_search_even_when_one_dies(tmp_path: Path) -> None:
    """The trial's parent is the worker that ran it; the first one is killed after its first trial."""
    fakes.plan("slow", trials=6).save(tmp_path)
    told: list[TrialRecord] = []

    def kill_the_first(record: TrialRecord) -> None:
        told.append(record)
        if len(told) == 1:
            os.kill(int(record.result.measures["worker"]), signal.SIGKILL)

    search_with_workers(tmp_path, 2, kill_the_first)
    records = read_records(tmp_path)
    assert [r.trial_id for r in records] == [f"000{i}" for i in range(6)]
    assert sorted(r.trial_id for r in told) == [r.trial_id for r in records]
    assert all(r.completed for r in records)
    assert len({r.values["bottleneck"] for r in records}) == 6
    workers = {r.result.measures["worker"] for r in records}
    assert len(workers) >= 2
    assert os.getpid() not in workers


def test_what_stops_a_worker_stops_the_search(tmp_path: Path) -> None:
    fakes.plan("serverless", trials=6).save(tmp_path)
    with pytest.raises(TrainingError, match="MLflow can't be reached"):
        search_with_workers(tmp_path, 1)
