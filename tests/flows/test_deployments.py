import pytest

from faceswap import backend
from flows.deployments import deployments


def test_trainings_queue_but_a_search_and_its_workers_run_side_by_side() -> None:
    limits = {one.flow_name: one.concurrency_limit for one in deployments()}
    assert {limits[name] for name in ("train", "pipeline", "pretrain", "learn-masks")} == {1}
    assert limits["tune"] is None
    assert {"tune", "preprocess", "evaluate", "promote", "rollback", "swap"} <= set(limits)


def test_as_many_trainings_run_as_there_are_cards_to_train_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")  # stand-ins
    monkeypatch.setattr(backend, "trains_on_gpu", lambda: True)
    assert {one.concurrency_limit for one in deployments() if one.flow_name == "train"} == {3}
