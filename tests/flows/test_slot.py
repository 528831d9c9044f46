"""A training's slot and state in Prefect, while its server is away, forgets, or takes the run for lost."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.schemas.objects import State, StateType

from flows import slot as slots
from flows import staying as stays
from flows.slot import slot
from flows.staying import LOST, staying

RUN = str(uuid4())


class Server:
    """Prefect's client for a limit of one slot and a run: what holds the slot, and the run's state."""

    wanted = 1

    def __init__(self, **state: str) -> None:
        self.lease: UUID | None = None
        self.away = False
        self.taken = 0
        self.state = State(**(state or {"type": "RUNNING"}))
        self.asked = threading.Event()

    def __enter__(self) -> "Server":
        self.asked.set()
        if self.away:
            raise httpx.ConnectError("it is away")
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def increment_concurrency_slots_with_lease(
        self, _: list[str], slots: int, *__: object
    ) -> SimpleNamespace:
        self.asked.set()
        assert slots == self.wanted
        if self.lease is not None:
            self._refuse(423)
        self.lease = uuid4()
        self.taken += 1
        return SimpleNamespace(json=lambda: {"lease_id": str(self.lease)})

    def renew_concurrency_lease(self, lease: UUID, _: float) -> None:
        if lease != self.lease:
            self._refuse(410)

    def release_concurrency_slots_with_lease(self, lease: UUID) -> None:
        if lease == self.lease:
            self.lease = None

    def read_flow_run(self, _: UUID) -> SimpleNamespace:
        return SimpleNamespace(state=self.state)

    def set_flow_run_state(self, _: UUID, state: State, force: bool) -> None:
        assert force
        self.state = state

    def _refuse(self, code: int) -> None:
        request = httpx.Request("POST", "http://prefect")
        raise httpx.HTTPStatusError("refused", request=request, response=httpx.Response(code))


def use(monkeypatch: pytest.MonkeyPatch, server: Server) -> Server:
    for module in (slots, stays):
        monkeypatch.setattr(module, "get_client", lambda **_: server)
    for name in ("_RENEW", "_AGAIN"):
        monkeypatch.setattr(slots, name, 0.01)
    monkeypatch.setattr(slots, "_LAST_PATIENCE", 1.0)
    monkeypatch.setattr(stays, "_EVERY_SECONDS", 0.01)
    return server


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def again(server: Server) -> None:
    """Once more the server was asked."""
    server.asked.clear()
    assert server.asked.wait(20)


def test_a_slot_is_held_for_the_block_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    server = use(monkeypatch, Server())
    with slot("training", RUN):
        lease = server.lease
        assert lease is not None
        again(server)
        assert server.lease == lease
    assert server.lease is None


def test_who_comes_second_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    server = use(monkeypatch, Server())
    other = server.lease = uuid4()
    began = threading.Event()

    def train() -> None:
        with slot("training", RUN):
            began.set()

    thread = threading.Thread(target=train, daemon=True)
    thread.start()
    again(server)
    assert not began.is_set()
    assert server.lease == other
    server.lease = None
    thread.join(20)
    assert began.is_set()


def test_a_slot_that_was_given_away_is_taken_anew_once_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    server = use(monkeypatch, Server())
    with slot("training", RUN):
        server.away = True
        again(server)
        other = server.lease = uuid4()  # the lease ended, and another training began
        server.away = False
        again(server)
        again(server)
        assert server.lease == other
        server.lease = None
        until(lambda: server.taken == 2)
    assert server.lease is None


def test_a_training_on_several_cards_holds_a_slot_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    server = use(monkeypatch, Server())
    server.wanted = 3
    with slot("training", RUN, 3):
        server.lease = None  # its lease ended while the server was away
        until(lambda: server.taken == 2)


def test_a_server_that_is_away_at_the_end_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    server = use(monkeypatch, Server())
    with slot("training", RUN):
        server.away = True
    assert server.lease is not None, "it ends by itself"


def test_a_run_that_was_taken_for_lost_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    server = use(monkeypatch, Server(type="CRASHED", message=LOST))
    server.away = True
    with staying(RUN):
        again(server)
        server.away = False
        until(lambda: server.state.type == StateType.RUNNING)


@pytest.mark.parametrize(
    "state", [{"type": "CRASHED", "message": "out of memory"}, {"type": "CANCELLING"}, {"type": "SCHEDULED"}]
)
def test_what_people_or_workers_said_of_a_run_stays(
    monkeypatch: pytest.MonkeyPatch, state: dict[str, str]
) -> None:
    server = use(monkeypatch, Server(**state))
    with staying(RUN):
        again(server)
        again(server)
    assert server.state.type == StateType(state["type"])
