"""What a team's worker prepares before it takes runs."""

import asyncio
from unittest import mock

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectAlreadyExists
from prefect.workers import base

from faceswap.errors import SettingsError
from flows import pools
from flows.prefect_monitor import TRAINING_SLOT, host_slot


def test_two_workers_that_start_at_once() -> None:
    """Prefect looks whether a limit is there and makes it then; the other worker was between."""
    client, limits = mock.create_autospec(SyncPrefectClient, instance=True), dict[str, int]()

    def upsert(name: str, slots: int) -> None:
        if name not in limits:
            limits[name] = 0
            raise ObjectAlreadyExists(Exception("409"))
        limits[name] = slots

    client.upsert_global_concurrency_limit_by_name.side_effect = upsert
    client.read_work_pool.return_value.type = "process"
    with mock.patch.object(pools, "deployments", return_value=[]):
        pools.prepare(client, slots=2)
    assert limits == {TRAINING_SLOT: 1, host_slot(): 2}


def test_a_pool_of_another_kind_stays() -> None:
    client = mock.create_autospec(SyncPrefectClient, instance=True)
    client.read_work_pool.return_value.type = "docker"
    with pytest.raises(SettingsError, match="of the kind docker, not process"):
        pools.prepare(client, slots=1)


def test_a_worker_outlasts_a_server_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    asked = 0

    class BackAgain(Exception):
        pass

    async def ask() -> None:
        nonlocal asked
        asked += 1
        if asked > 20:
            raise BackAgain
        raise httpx.ConnectError("it is away")

    async def work() -> None:
        await pools._for_ever(ask, 0.0, printer=lambda *_: None)

    with pytest.raises(BackAgain):
        asyncio.run(work())
    assert asked == 21
    assert "go on without" in caplog.text
    assert base.critical_service_loop is not pools._for_ever, "a worker alone does so"
