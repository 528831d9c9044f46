from flows.deployments import deployments


def test_trainings_queue_but_a_search_and_its_workers_run_side_by_side() -> None:
    limits = {one.flow_name: one.concurrency_limit for one in deployments()}
    assert {limits[name] for name in ("train", "pipeline", "pretrain", "learn-masks")} == {1}
    assert limits["tune"] is None
    assert {"tune", "preprocess", "evaluate", "promote", "rollback", "swap"} <= set(limits)
