import asyncio
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from serving.guard import doors
from serving.guard.attempts import LONGEST_WAIT, Attempts
from serving.server import server
from tests.serving.fakes import MemoryRegistry, listed, workshop
from tests.serving.test_server import given
from tests.swap.fakes import KnownFaces


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def guesses(attempts: Attempts, clock: Clock, seconds: float, address: str, name: str = "ann") -> int:
    """How many attempts are looked at within some seconds, tried again and again without a pause."""
    end, looked = clock.now + seconds, 0
    while clock.now < end:
        wait = attempts.wait(address, name)
        looked += wait <= LONGEST_WAIT
        clock.now += max(0.1, min(wait, LONGEST_WAIT))
    return looked


def test_a_typing_error_costs_nothing(clock: Clock) -> None:
    attempts = Attempts(clock)
    assert [attempts.wait("10.0.0.1", "ann") for _ in range(4)] == [0, 0, 0, 0.5]


def test_an_address_makes_few_guesses_an_hour(clock: Clock) -> None:
    assert guesses(Attempts(clock), clock, 3600, "10.0.0.1") < 80


def test_the_addresses_of_one_household_count_as_one(clock: Clock) -> None:
    attempts = Attempts(clock)
    waits = [attempts.wait(f"2001:db8::{number}", str(number)) for number in range(5)]
    assert waits[-1] > 0
    assert attempts.wait("2001:db8:0:1::1", "x") == 0


def test_attempts_at_the_same_time_wait_for_each_other(clock: Clock) -> None:
    attempts = Attempts(clock)
    waits = [attempts.wait("10.0.0.1", "ann") for _ in range(100)]
    assert sum(wait <= LONGEST_WAIT for wait in waits) < 10


def test_many_addresses_guess_one_name_slowly(clock: Clock) -> None:
    attempts = Attempts(clock)
    looked = sum(
        guesses(attempts, clock, 0.4, f"10.0.{number // 250}.{number % 250}") for number in range(2000)
    )
    assert looked <= (clock.now - Clock.now) / 2 + 10


def test_somebody_elses_right_login_is_not_kept_out(clock: Clock) -> None:
    attempts = Attempts(clock)
    guesses(attempts, clock, 600, "10.0.0.1")
    assert attempts.wait("10.0.0.2", "ann") <= 2, "one attacker"
    for number in range(1000):
        attempts.wait(f"10.1.{number // 250}.{number % 250}", "ann")
    assert attempts.wait("10.0.0.9", "ann") > LONGEST_WAIT, "a thousand attackers at once"
    clock.now += 11
    assert attempts.wait("10.0.0.9", "ann") <= LONGEST_WAIT, "but they are refused, and the line gets shorter"


def test_who_has_logged_in_before_waits_for_nobody(clock: Clock) -> None:
    attempts = Attempts(clock)
    attempts.wait("10.0.0.2", "ann")
    attempts.passed("10.0.0.2")
    for number in range(1000):
        attempts.wait(f"10.1.{number // 250}.{number % 250}", "ann")
    assert attempts.wait("10.0.0.2", "ann") == 0


def test_the_memory_is_bounded_and_forgets(clock: Clock) -> None:
    attempts = Attempts(clock, most=50)
    for number in range(5000):
        attempts.wait(f"10.{number // 250}.0.{number % 250}", f"{number}" * 300)
        attempts.passed(f"11.{number // 250}.0.{number % 250}")
    assert len(attempts) <= 150
    for _ in range(20):
        attempts.wait("10.0.0.1", "ann")
    clock.now += 3600
    assert attempts.wait("10.0.0.1", "ann") == 0


def test_wrong_logins_over_http_wait_longer_and_longer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: Clock
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 1))
        await asyncio.sleep(0)

    real = doors.slowed
    monkeypatch.setattr("serving.server.slowed", lambda check, attempts: real(check, attempts, sleep))
    monkeypatch.setattr("serving.server.Attempts", lambda: Attempts(clock))
    shop = workshop(MemoryRegistry(listed("ada", 1, "production")), KnownFaces(), tmp_path)
    client = TestClient(
        server(shop, given(app_user="ann", app_password=SecretStr("secret"))), base_url="http://127.0.0.1"
    )

    def login(password: str) -> int:
        return client.post("/login", data={"username": "ann", "password": password}).status_code

    codes = [login("wrong") for _ in range(12)]
    assert codes[:4] == [400] * 4
    assert codes[-1] == 429
    assert slept == sorted(slept)
    assert max(slept) <= LONGEST_WAIT
    refused = client.post("/login", data={"username": "ann", "password": "secret"})
    assert refused.status_code == 429, "what is refused is not even looked at"
    assert 0 < int(refused.headers["Retry-After"]) <= 120
    assert "secret" not in refused.text
