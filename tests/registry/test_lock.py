import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from faceswap.errors import RegistryError
from faceswap.registry.production import lock as locking
from faceswap.registry.production.lock import Lock, locked
from faceswap.tracking import connect
from tests.registry.fakes import locks

MODEL = "face-ada"


@pytest.fixture
def client(database: Path) -> MlflowClient:
    return connect()


def test_one_holder_at_a_time_and_nothing_left(client: MlflowClient) -> None:
    with locked(MODEL) as held:
        assert locks() == [f"lock.{MODEL}"]
        held.confirm()
        other = Lock(client, MODEL, "another machine")
        assert not other.take()
        with pytest.raises(RegistryError, match="Others have been moving"):
            other.wait(0.1)
        with locked("face-bela"):  # another model is not concerned
            held.confirm()
    assert locks() == []


def test_an_error_in_the_block_frees_the_lock(client: MlflowClient) -> None:
    with pytest.raises(ValueError, match="inside"), locked(MODEL):
        raise ValueError("inside")
    assert locks() == []


def test_a_second_process_of_this_machine_waits_at_the_file(client: MlflowClient) -> None:
    with locked(MODEL), pytest.raises(RegistryError, match="of this machine"), locked(MODEL, wait=0.1):
        pass


def test_a_lock_that_a_dead_process_of_this_home_left_is_taken_at_once(client: MlflowClient) -> None:
    with locked(MODEL) as first:
        place = first.place
    dead = Lock(client, MODEL, place)
    assert dead.take()
    with locked(MODEL, wait=5) as held:
        assert held.owner != dead.owner
        with pytest.raises(RegistryError, match="took over"):
            dead.confirm()
        dead.release()  # which is too late, and must not free the new one
        held.confirm()
    assert f"lock.{MODEL}" not in locks()


def test_a_lock_of_another_machine_is_respected_until_its_lease_ends(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "LEASE", 0.6)
    dead = Lock(client, MODEL, "another machine")
    assert dead.take()
    started = time.monotonic()
    with locked(MODEL, wait=30) as held:
        assert time.monotonic() - started >= 0.6
        held.confirm()


def test_of_two_who_saw_the_same_dead_lock_only_one_takes_it_away(client: MlflowClient) -> None:
    dead, first, second = (Lock(client, MODEL, place) for place in ("a", "b", "c"))
    assert dead.take()
    assert first.take_away(dead.owner)
    assert first.take()
    assert not second.take_away(dead.owner)  # it saw the dead one a moment ago; by now it is the first's
    first.confirm()


def test_take_overs_leave_at_most_one_trace(client: MlflowClient) -> None:
    with locked(MODEL) as first:
        place = first.place
    for _ in range(3):
        assert Lock(client, MODEL, place).take()
        with locked(MODEL):
            pass
    assert len(locks()) == 1
