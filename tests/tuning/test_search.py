import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from faceswap.errors import TrackingError, TrainingError
from faceswap.files.atomic import write_text
from faceswap.model.training.schedule import Budget
from faceswap.tuning import trial, tuner
from faceswap.tuning.oracles import expected_trials
from faceswap.tuning.plan import SearchPlan, TrialJob, TrialRecord, read_records
from faceswap.tuning.search_space import SPACES, FloatRange, SearchSpace
from faceswap.tuning.tuner import search
from tests.tuning import fakes

TINY = {"encoder_filters": (8, 16, 16), "code_filters": 8, "decoder_filters": (16, 8), "batch_size": 2}


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials in this process, for what is not about processes."""

    def run(job: TrialJob, plan: SearchPlan) -> TrialRecord:
        trial.write_text(job.folder / "job.json", job.model_dump_json())
        task = getattr(fakes, plan.task.partition(":")[2])
        return trial.record_of(job, plan, "completed", result=task(job, plan))

    monkeypatch.setattr(tuner.trials, "run", run)


def begin(folder: Path, task: str = "valley", **changes: Any) -> list[TrialRecord]:
    plan = fakes.plan(task, **changes)
    plan.save(folder)
    search(folder, plan)
    return read_records(folder)


def widths(records: list[TrialRecord]) -> list[int]:
    return [int(r.values["bottleneck"]) for r in records]


def test_the_sweep_comes_first_and_no_point_twice(tmp_path: Path, inline: None) -> None:
    records = begin(tmp_path)
    assert widths(records)[:4] == [16, 64, 256, 1024]
    assert sorted(widths(records)) == [16, 32, 64, 128, 256, 512, 1024]
    assert max(records, key=lambda r: r.quality).values == {"bottleneck": 128}


@pytest.mark.parametrize("algorithm", ["bayesian", "hyperband"])
def test_the_same_seed_gives_the_same_trials(tmp_path: Path, inline: None, algorithm: str) -> None:
    def values(name: str, seed: int) -> list[dict[str, Any]]:
        options = {"space": SPACES["everything"], "trials": 16, "algorithm": algorithm, "seed": seed}
        return [dict(r.values) for r in begin(tmp_path / name, **options)]

    first = values("a", 0)
    assert first == values("b", 0)
    assert first[4:] != values("c", 1)[4:]


@pytest.mark.parametrize("name", ["oracle/oracle.json", "oracle/trial_0001/trial.json", "oracle/tuner.json"])
@pytest.mark.parametrize(
    "content",
    [b"", bytes(200), b'{"hyperparam', b"[]", bytes(range(128, 227))],
    ids=["empty", "zeros", "cut off", "a list", "no text"],
)
def test_a_damaged_state_of_the_search_repeats_no_trial(
    tmp_path: Path, inline: None, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    first = begin(tmp_path, trials=5)
    (tmp_path / name).write_bytes(content)
    run, asked = tuner.trials.run, []

    def noted(job: TrialJob, plan: SearchPlan) -> TrialRecord:
        asked.append(job.trial_id)
        return run(job, plan)

    monkeypatch.setattr(tuner.trials, "run", noted)
    more = begin(tmp_path, trials=6)
    assert more[:5] == first
    assert asked == ["0005"]


def test_a_damaged_record_is_passed_over(
    tmp_path: Path, inline: None, caplog: pytest.LogCaptureFixture
) -> None:
    first = begin(tmp_path, trials=4)
    (tmp_path / "trials" / "0001" / "result.json").write_bytes(bytes(300))
    assert begin(tmp_path, trials=4) == [first[0], *first[2:]]
    assert "0001/result.json is damaged, its trial counts as not done" in caplog.text


def test_the_limits_hold_and_can_be_raised(tmp_path: Path, inline: None) -> None:
    first = begin(tmp_path, trials=3)
    assert len(first) == 3
    more = begin(tmp_path, trials=5)
    assert len(more) == 5
    assert more[:3] == first
    assert begin(tmp_path / "late", total_minutes=1e-9) == []


def test_hyperband_makes_its_scheme(tmp_path: Path, inline: None) -> None:
    space = SearchSpace(dimensions=(FloatRange(field="learning_rate", low=1e-4, high=1e-2, log=True),))
    plan = fakes.plan("flat", algorithm="hyperband", rungs=3, factor=3, space=space)
    plan.save(tmp_path)
    search(tmp_path, plan)
    records = read_records(tmp_path)
    assert len(records) == expected_trials(plan) == 23
    jobs = [
        TrialJob.model_validate_json((tmp_path / "trials" / r.trial_id / "job.json").read_bytes())
        for r in records
    ]
    assert {(r.rung, bool(r.continues)) for r in records} == {(0, False), (1, True), (2, True)}
    assert len({r.continues for r in records if r.continues}) == sum(bool(r.continues) for r in records)
    assert jobs[0].budget == Budget(steps=1)


def test_failures_of_all_kinds_are_recorded_and_the_search_goes_on(tmp_path: Path) -> None:
    records = {int(r.values["bottleneck"]): r for r in begin(tmp_path, "moody", trials=6)}
    assert records[16].status == "diverged"
    assert records[64].status == "out of memory"
    assert "killed" in records[64].message
    assert records[256].status == "out of memory"
    assert records[1024].status == "crashed"
    assert "code 9" in records[1024].message
    good = [r for r in records.values() if r.completed]
    assert len(good) == 2
    assert all(r.quality > 0 for r in good)
    assert all(r.quality == 0 for r in records.values() if not r.completed)


def test_a_failed_trial_does_not_stop_promotion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(job: TrialJob, plan: SearchPlan) -> TrialRecord:
        if job.trial_id in {"0001", "0002"}:
            return trial.record_of(job, plan, "crashed", "boom")
        return trial.record_of(job, plan, "completed", result=fakes.valley(job, plan))

    monkeypatch.setattr(tuner.trials, "run", run)
    records = begin(tmp_path, algorithm="hyperband", space=SPACES["everything"], rungs=2)
    assert len(records) == expected_trials(fakes.plan(algorithm="hyperband", rungs=2))
    promoted = [r for r in records if r.continues]
    assert promoted
    assert "0001" not in {r.continues for r in promoted}


def test_when_nothing_works_the_search_says_so(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"first 5 trials failed.*ValueError: nothing works"):
        begin(tmp_path, "hopeless")


def test_what_is_not_the_trials_fault_stops_the_search_and_records_nothing(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="MLflow can't be reached"):
        begin(tmp_path, "serverless")
    assert read_records(tmp_path) == []
    plan = fakes.plan(trials=2)
    plan.save(tmp_path)
    search(tmp_path, plan)
    assert [r.trial_id for r in read_records(tmp_path)] == ["0000", "0001"]


def test_a_listener_that_fails_stops_the_search_and_loses_nothing(tmp_path: Path, inline: None) -> None:
    def lost(record: TrialRecord) -> None:
        if record.trial_id == "0001":
            raise TrackingError("MLflow is away")

    plan = fakes.plan(trials=3)
    plan.save(tmp_path)
    with pytest.raises(TrackingError, match="away"):
        search(tmp_path, plan, lost)
    told: list[str] = []
    search(tmp_path, plan, lambda record: told.append(record.trial_id))
    assert told == ["0001", "0002"]
    assert all(r.completed for r in read_records(tmp_path))


def test_values_that_do_not_fit_each_other_cost_no_process(tmp_path: Path) -> None:
    plan = fakes.plan()
    job = TrialJob(trial_id="0000", search=tmp_path, values={"bottleneck": 99_999}, budget=Budget(steps=1))

    class Asked:
        trial_id = "0000"
        hyperparameters = type("Values", (), {"values": dict(job.values)})

    found = tuner.SearchTuner(tmp_path, plan, lambda record: None)._run(Asked())
    assert found.status == "does not fit"
    assert "bottleneck" in found.message


def test_kill_9_keeps_the_finished_trials(tmp_path: Path) -> None:
    plan = fakes.plan("slow", trials=5, space=SPACES["everything"])
    plan.save(tmp_path)
    code = f"""
        from pathlib import Path
        from faceswap.tuning.plan import SearchPlan
        from faceswap.tuning.tuner import search
        folder = Path({str(tmp_path)!r})
        search(folder, SearchPlan.load(folder))
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=Path(__file__).parents[2])
    try:
        deadline = time.monotonic() + 120
        while len(read_records(tmp_path)) < 2 or not (tmp_path / "trials" / "0002" / "job.json").exists():
            assert process.poll() is None, "the search ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        children = psutil.Process(process.pid).children()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = {p: p.stat().st_mtime_ns for p in tmp_path.glob("trials/*/result.json")}
    psutil.wait_procs(children, timeout=30)
    assert not any(child.is_running() for child in children), "a trial outlives its search"
    search(tmp_path, plan)
    records = read_records(tmp_path)
    assert [r.trial_id for r in records] == ["0000", "0001", "0002", "0003", "0004"]
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    search(tmp_path, plan)  # nothing left to do
    assert read_records(tmp_path) == records


@pytest.mark.parametrize("cut", ["half a file", "lost trial"])
def test_a_kill_at_the_worst_moment_is_survived(tmp_path: Path, inline: None, cut: str) -> None:
    whole = begin(tmp_path / "whole", trials=4, space=SPACES["everything"])
    begin(tmp_path / "cut", trials=3, space=SPACES["everything"])
    oracle = tmp_path / "cut" / "oracle"
    if cut == "half a file":  # the part that was being written
        (oracle / ".oracle.json.1").write_text('{"seed')
    else:  # written by create_trial, but the kill came before the oracle's own state
        extra = json.loads((oracle / "trial_0002" / "trial.json").read_text())
        (oracle / "trial_0003").mkdir()
        extra |= {"trial_id": "0003", "status": "RUNNING"}
        (oracle / "trial_0003" / "trial.json").write_text(json.dumps(extra))
    again = begin(tmp_path / "cut", trials=4, space=SPACES["everything"])
    assert [r.values for r in again] == [r.values for r in whole]


def test_memory_goes_with_each_trial(tmp_path: Path) -> None:
    here, held = psutil.Process(), []
    before = here.children()
    plan = fakes.plan("hungry", trials=4)
    plan.save(tmp_path)
    search(tmp_path, plan, lambda record: held.append(here.memory_info().rss / 2**20))
    assert len(held) == 4
    assert held[-1] - held[0] < 20
    assert set(here.children()) <= set(before)
    peaks = [r.result.peak_memory_mb for r in read_records(tmp_path)]
    assert all(peak > 190 for peak in peaks)
    assert max(peaks) - min(peaks) < 20


def test_a_rung_goes_on_from_the_checkpoint(tmp_path: Path, inline: None) -> None:
    plan = fakes.plan("tiny", algorithm="hyperband", rungs=2, factor=2, trials=3, budget=Budget(steps=6))
    plan = plan.model_copy(update={"preset": plan.preset.with_(**TINY)})
    plan.save(tmp_path)
    search(tmp_path, plan)
    first, second, promoted = read_records(tmp_path)
    assert (
        (first.result.first_step, first.result.steps)
        == (second.result.first_step, second.result.steps)
        == (0, 3)
    )
    assert promoted.continues in {"0000", "0001"}
    assert (promoted.result.first_step, promoted.result.steps) == (3, 6)
    before = first if promoted.continues == "0000" else second
    assert promoted.result.seconds > before.result.seconds


def test_an_interrupted_trial_goes_on_from_its_own_checkpoint(tmp_path: Path) -> None:
    plan = fakes.plan(budget=Budget(steps=4))
    plan = plan.model_copy(update={"preset": plan.preset.with_(**TINY)})
    job = TrialJob(trial_id="0000", search=tmp_path, values={"bottleneck": 16}, budget=Budget(steps=3))
    fakes.tiny(job, plan)
    again = fakes.tiny(job.model_copy(update={"budget": Budget(steps=4)}), plan)
    assert (again.first_step, again.steps) == (3, 4)


def test_the_search_id_is_the_question(tmp_path: Path) -> None:
    plan = fakes.plan()
    for same in ({"trials": 3}, {"total_minutes": 1.0}, {"run_id": "x"}, {"threads": 2}):
        assert plan.model_copy(update=same).search_id == plan.search_id
    for other in ({"seed": 1}, {"digests": {"ann": "3"}}, {"budget": Budget(steps=1)}, {"frames": 3}):
        assert plan.model_copy(update=other).search_id != plan.search_id
    plan.save(tmp_path)
    assert SearchPlan.load(tmp_path) == plan


def test_two_containers_with_the_same_process_id_write_whole_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, sync, rivals = tmp_path / "state.json", os.fsync, ["second"]
    monkeypatch.setattr(os, "getpid", lambda: 1)

    def overtaken(descriptor: int) -> None:
        sync(descriptor)
        if rivals:
            write_text(file, rivals.pop())
            assert file.read_text() == "second"

    monkeypatch.setattr(os, "fsync", overtaken)
    write_text(file, "first")
    assert file.read_text() == "first"
    assert list(tmp_path.iterdir()) == [file]
