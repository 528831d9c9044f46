import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from faceswap.errors import TrainingError
from faceswap.process import cards
from faceswap.settings import settings
from faceswap.tuning import trial, workers
from faceswap.tuning.plan import TrialJob, TrialRecord, read_records
from tests.tuning import fakes


def test_a_chief_and_two_workers_share_a_search_even_when_one_dies(tmp_path: Path) -> None:
    """The trial's parent is the worker that ran it; the first one is killed after its first trial."""
    fakes.plan("slow", trials=6).save(tmp_path)
    told: list[TrialRecord] = []

    def kill_the_first(record: TrialRecord) -> None:
        told.append(record)
        if len(told) == 1:
            os.kill(int(record.result.measures["worker"]), signal.SIGKILL)

    workers.search_with_workers(tmp_path, 2, kill_the_first)
    records = read_records(tmp_path)
    assert [r.trial_id for r in records] == [f"000{i}" for i in range(6)]
    assert sorted(r.trial_id for r in told) == [r.trial_id for r in records]
    assert all(r.completed for r in records)
    assert len({r.values["bottleneck"] for r in records}) == 6
    parents = {r.result.measures["worker"] for r in records}
    assert len(parents) >= 2
    assert os.getpid() not in parents


def test_what_stops_a_worker_stops_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers end with 1 and a last line when the search can't go on; the chief would serve for ever."""
    started: dict[str, subprocess.Popen[bytes]] = {}

    def start(folder: Path, name: str, ip: str, port: int) -> subprocess.Popen[bytes]:
        code = "import time; time.sleep(600)" if name == "chief" else "exit(1)"
        (folder / f"{name}.log").write_text("some talk\nMLflow can't be reached\n")
        started[name] = subprocess.Popen([sys.executable, "-c", code])
        return started[name]

    monkeypatch.setattr(workers, "start", start)
    with pytest.raises(TrainingError, match="tuner0 ended: MLflow can't be reached"):
        workers.search_with_workers(tmp_path, 1)
    assert started["chief"].poll() is not None


def test_a_worker_says_by_its_exit_code_that_the_search_must_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> None:
        raise TrainingError("MLflow can't be reached", "start it")

    fakes.plan().save(tmp_path)
    monkeypatch.setattr(workers, "search", stopped)
    monkeypatch.setattr(workers.signal, "signal", lambda *_: None)
    monkeypatch.setattr(workers, "leave_with_parent", lambda: None)
    assert workers.main(tmp_path) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "MLflow can't be reached (start it)"
    monkeypatch.setattr(workers, "search", lambda *_: None)
    assert workers.main(tmp_path) == 0


def test_a_trial_has_a_card_that_no_other_training_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")  # stand-ins
    plan = fakes.plan("card")
    plan.save(tmp_path)

    def seen(name: str) -> float:
        job = TrialJob(search=tmp_path, trial_id=name, values={"bottleneck": 16}, budget=plan.budget)
        job.folder.mkdir(parents=True)
        return trial.run(job, plan).result.measures["card"]

    with cards.taken(settings().cards_path) as held:
        assert held == ["0"]
        assert seen("0000") == 1
    assert seen("0001") == 0
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"
