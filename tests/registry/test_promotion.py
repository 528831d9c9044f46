import multiprocessing
import os
import time
from collections.abc import Callable
from itertools import pairwise
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from mlflow import MlflowClient

from faceswap import registry
from faceswap.errors import RegistryError
from faceswap.registry import Lock, Version
from faceswap.registry.production import promotion
from faceswap.registry.production.promotion import Record
from faceswap.settings import settings
from tests.registry.fakes import add_versions, aliases, locks, stages

pytestmark = pytest.mark.usefixtures("database")
PASSED = Record(outcome="passed", by="mia@lab", reasons=("good",), run_id="r1", url="http://mlflow/r1")
BACK = Record(outcome="rolled back", by="mia@lab", reasons=("flickers",))
LATER = ("promotion.override", "promotion.run")
WRITES = (
    "set_registered_model_alias",
    "delete_registered_model_alias",
    "set_model_version_tag",
    "update_model_version",
)


def in_production(name: str) -> Version | None:
    return registry.at(name, "production")


def put(version: Version) -> None:
    promotion.promote(version, in_production(version.name), PASSED)


def arrange(identity: str, current: int) -> tuple[Version, ...]:
    """Three versions with one in production, the one before it as previous, as ``put`` leaves them."""
    found = add_versions(identity, 3)
    for older, newer in pairwise(found[:current]):
        registry.tag(newer, {"promotion.replaced": str(older.version)})
    registry.set_alias(found[current - 1], "production")
    registry.set_alias(found[current - 2], "previous")
    return tuple(found)


def test_first_version_then_challengers() -> None:
    one, two, three = add_versions("ada", 3)
    assert registry.alias_after_training(one) == "production"
    assert stages(one.name) == {1: "production", 2: "archived", 3: "archived"}
    assert registry.alias_after_training(two) == "challenger"
    assert registry.alias_after_training(three) == "challenger"
    assert aliases(one.name) == {"production": 1, "challenger": 3}
    assert stages(one.name) == {1: "production", 2: "archived", 3: "challenger"}
    assert [(row.version.version, row.stage) for row in registry.versions()] == [
        (3, "challenger"),
        (2, "archived"),
        (1, "production"),
    ]
    assert promotion.candidate("ada") == three
    assert promotion.candidate("ada@production") == one
    assert promotion.candidate("models:/face-ada/2") == two


def test_promotion_moves_the_aliases_and_is_recorded() -> None:
    one, two, three = add_versions("ada", 3)
    registry.alias_after_training(one)
    registry.alias_after_training(two)
    put(two)
    assert aliases(one.name) == {"production": 2, "previous": 1}
    assert stages(one.name) == {1: "previous", 2: "production", 3: "archived"}
    put(three)
    assert aliases(one.name) == {"production": 3, "previous": 2}
    assert stages(one.name) == {1: "archived", 2: "previous", 3: "production"}
    tags = registry.tags(three)
    assert (tags["promotion"], tags["promotion.by"], tags["promotion.run"]) == ("passed", "mia@lab", "r1")
    assert (tags["promotion.reasons"], tags["promotion.replaced"]) == ("good", "2")
    note = MlflowClient().get_model_version(three.name, "3").description
    assert "**passed** by mia@lab. good. [report](http://mlflow/r1)" in note
    assert locks() == []


def test_rollback_goes_back_step_by_step_and_is_recorded() -> None:
    one, two, three = add_versions("ada", 3)
    for version in (one, two, three):
        put(version)
    assert promotion.roll_back("ada", BACK) == (three, two)
    assert aliases(one.name) == {"production": 2, "previous": 1}
    assert stages(one.name) == {1: "previous", 2: "production", 3: "archived"}
    assert registry.tags(three)["promotion"] == "rolled back"
    assert "flickers" in MlflowClient().get_model_version(three.name, "3").description
    assert "face" not in MlflowClient().get_model_version(three.name, "3").description
    notes = MlflowClient().get_model_version(two.name, "2").description.splitlines()
    assert ["**passed**" in notes[0], "after ada/3 was rolled back" in notes[1]] == [True, True]
    assert promotion.roll_back("face-ada", BACK) == (two, one)
    assert aliases(one.name) == {"production": 1}
    with pytest.raises(RegistryError, match="no version before it"):
        promotion.roll_back("ada", BACK)
    assert aliases(one.name) == {"production": 1}


def test_rollback_and_promotion_of_the_same_two() -> None:
    one, two = add_versions("ada", 2)
    put(one)
    put(two)
    put(one)  # the old one again, by the gates
    assert aliases(one.name) == {"production": 1, "previous": 2}
    assert promotion.roll_back("ada", BACK) == (one, two)
    assert aliases(one.name) == {"production": 2}


def test_aliases_set_by_hand_are_respected() -> None:
    one, two = add_versions("ada", 2)
    registry.set_alias(one, "previous")
    registry.set_alias(two, "production")
    assert promotion.roll_back("ada", BACK) == (two, one)


def test_a_deleted_version_is_not_gone_back_to() -> None:
    one, two = add_versions("ada", 2)
    put(one)
    put(two)
    MlflowClient().delete_model_version(one.name, "1")
    with pytest.raises(RegistryError, match="no version before it"):
        promotion.roll_back("ada", BACK)
    assert in_production(two.name) == two


def test_unknown_names_are_said() -> None:
    with pytest.raises(RegistryError, match="No version of 'nobody'"):
        promotion.roll_back("nobody", BACK)
    with pytest.raises(RegistryError, match="nobody"):
        promotion.candidate("nobody")


def test_production_that_changed_meanwhile_is_not_overwritten() -> None:
    one, two, three = add_versions("ada", 3)
    put(one)
    put(two)
    with pytest.raises(RegistryError, match="ada/2 now, but ada/3 was measured against ada/1"):
        promotion.promote(three, one, PASSED)
    assert aliases(one.name) == {"production": 2, "previous": 1}
    assert "promotion" not in registry.tags(three)


def test_a_refusal_is_recorded_and_moves_nothing() -> None:
    one, two = add_versions("ada", 2)
    registry.alias_after_training(one)
    registry.alias_after_training(two)
    before = aliases(one.name), stages(one.name)
    promotion.refuse(two, Record(outcome="refused", by="mia@lab", reasons=("sharpness: 0.01",)))
    assert (aliases(one.name), stages(one.name)) == before
    assert registry.tags(two)["promotion"] == "refused"
    promotion.refuse(two, Record(outcome="overridden", by="mia@lab", override="it is\nall we have"))
    assert registry.tags(two)["promotion.override"] == "it is\nall we have"
    notes = MlflowClient().get_model_version(two.name, "2").description.splitlines()
    assert ["sharpness: 0.01" in notes[0], "override: it is all we have" in notes[1]] == [True, True]


def test_the_record_never_outgrows_its_field() -> None:
    (one,) = add_versions("ada", 1)
    for i in range(8):
        registry.add_note(one, f"- {i} " + "x" * 990)
    lines = MlflowClient().get_model_version(one.name, "1").description.splitlines()
    assert [line[2] for line in lines] == ["4", "5", "6", "7"]


def test_nomination() -> None:
    one, two, three = add_versions("ada", 3)
    for version in (one, two, three):
        registry.alias_after_training(version)
    promotion.nominate(two, Record(outcome="nominated", by="mia@lab"))
    assert aliases(one.name) == {"production": 1, "challenger": 2}
    assert stages(one.name) == {1: "production", 2: "challenger", 3: "archived"}
    with pytest.raises(RegistryError, match="in production already"):
        promotion.nominate(one, Record(outcome="nominated", by="mia@lab"))


class Crash(BaseException):
    """The process dies here: nothing is cleaned up."""


def crash_at(monkeypatch: pytest.MonkeyPatch, number: int, what: Callable[[], object]) -> bool:
    """Run until just before the ``number``-th write to the registry; False where there are fewer."""
    written = 0

    def limited(real: Callable[..., object]) -> Callable[..., object]:
        def write(*args: object, **named: object) -> object:
            nonlocal written
            # The tags of a record count as one: a half record is a record that is written again.
            written += not {"promotion.by", "promotion.at", "promotion.reasons", *LATER} & set(args)
            if written > number:
                raise Crash
            return real(*args, **named)

        return write

    with monkeypatch.context() as patch:
        for name in WRITES:
            patch.setattr(MlflowClient, name, limited(getattr(MlflowClient, name)))
        patch.setattr(Lock, "release", lambda self: None)
        try:
            what()
        except Crash:
            return True
    return False


def test_a_crash_between_any_two_writes_of_a_promotion(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()
    for number in range(100):
        one, two, three = arrange(f"p{number}", current=2)
        registry.set_alias(three, "challenger")
        crashed = crash_at(monkeypatch, number, lambda v=three, c=two: promotion.promote(v, c, PASSED))
        current = in_production(one.name)
        assert current in {two, three}
        seen.add(current.version)
        if current == three:
            # who, when and why stand there before anybody gets the version
            assert registry.tags(three)["promotion"] == "passed"
            promotion.repair(one.name)
        else:
            promotion.promote(three, two, PASSED)
        assert aliases(one.name) == {"production": 3, "previous": 2}
        assert stages(one.name) == {1: "archived", 2: "previous", 3: "production"}
        if not crashed:
            break
    assert not crashed
    assert number > 8
    assert seen == {2, 3}


def test_a_rollback_after_a_crashed_promotion_goes_to_the_right_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(100):
        one, two, three = arrange(f"q{number}", current=2)
        crashed = crash_at(monkeypatch, number, lambda v=three, c=two: promotion.promote(v, c, PASSED))
        current = in_production(one.name)
        expected = {three: two, two: one}[current]
        assert promotion.roll_back(f"q{number}", BACK) == (current, expected)
        if not crashed:
            break
    assert not crashed


def test_a_crash_between_any_two_writes_of_a_rollback(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(100):
        one, two, three = arrange(f"r{number}", current=3)
        crashed = crash_at(monkeypatch, number, lambda n=number: promotion.roll_back(f"r{n}", BACK))
        current = in_production(one.name)
        assert current in {two, three}
        if current == three:
            assert promotion.roll_back(f"r{number}", BACK) == (three, two)
        else:
            promotion.repair(one.name)
        assert aliases(one.name) == {"production": 2, "previous": 1}
        assert stages(one.name) == {1: "previous", 2: "production", 3: "archived"}
        if not crashed:
            break
    assert not crashed


def compete(number: int, barrier: Barrier, folder: Path) -> None:
    """A process that promotes its own version of two models, slowly, when the other does."""
    real = registry.set_alias

    def slow(version: Version, alias: str) -> None:
        time.sleep(0.4)
        real(version, alias)
        time.sleep(0.4)

    registry.set_alias = slow
    for name, home in (("shared", folder / "home"), ("apart", folder / f"home-{number}")):
        os.environ["FACESWAP_HOME"] = str(home)
        settings.cache_clear()
        mine = Version(f"face-{name}", number)
        registry.tags(mine)  # imports and connections are made before the start
        barrier.wait(timeout=120)
        try:
            promotion.promote(mine, Version(f"face-{name}", 1), PASSED)
            said = "done"
        except RegistryError as error:
            said = error.message
        (folder / f"{name}-{number}").write_text(said)


def test_two_processes_at_once(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with one home folder (its file lock), once with two as on two machines (the lock in the registry)."""
    monkeypatch.setenv("FACESWAP_TRACKING_URI", settings().tracking)
    for name in ("shared", "apart"):
        put(add_versions(name, 3)[0])
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    processes = [context.Process(target=compete, args=(n, barrier, tmp_path)) for n in (2, 3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=200)
        assert process.exitcode == 0
    for name in ("shared", "apart"):
        said = {n: (tmp_path / f"{name}-{n}").read_text() for n in (2, 3)}
        (winner,) = [n for n, words in said.items() if words == "done"]
        loser = 5 - winner
        assert f"{name}/{winner} now, but {name}/{loser} was measured against {name}/1" in said[loser]
        assert aliases(f"face-{name}") == {"production": winner, "previous": 1}
        assert stages(f"face-{name}") == {1: "previous", winner: "production", loser: "archived"}
        assert "promotion" not in registry.tags(Version(f"face-{name}", loser))
    assert locks() == []
