import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from faceswap.errors import RegistryError, TrackingError
from faceswap.registry import LoadedVersion, Version
from serving.catalogue import Catalogue
from tests.serving.fakes import MemoryRegistry, SizedPaint, catalogue, listed

ADA_1, ADA_2 = Version("face-ada", 1), Version("face-ada", 2)


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry(listed("ada", 2), listed("ada", 1, "production"), listed("ben", 1, "production"))


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_aliases_and_numbers_name_versions(registry: MemoryRegistry) -> None:
    served = catalogue(registry)
    assert served.get("ada").row.version == ADA_1
    assert served.get("ada", "2").row.version == ADA_2
    assert served.get("ada", "production").loaded.version == ADA_1
    assert served.state.identities == ["ada", "ben"]
    assert served.state.choices("ada") == ["production", "2", "1"]


def test_what_does_not_exist_is_named_with_what_does(registry: MemoryRegistry) -> None:
    served = catalogue(registry)
    with pytest.raises(RegistryError, match="ada, ben"):
        served.get("cleo")
    with pytest.raises(RegistryError, match="no version 'challenger'") as error:
        served.get("ada", "challenger")
    assert "production, 2, 1" in str(error.value)


def test_an_alias_that_moves_is_followed_by_the_thread(registry: MemoryRegistry) -> None:
    served = catalogue(registry)
    served.start()
    try:
        assert served.get("ada").row.version == ADA_1
        registry.move("ada", "production", 2)
        until(lambda: served.get("ada").row.version == ADA_2)
        assert served.get("ada").notice == ""
    finally:
        served.stop()
    assert registry.loaded == [ADA_1, ADA_2]


def test_until_the_new_version_is_loaded_the_old_one_serves(registry: MemoryRegistry) -> None:
    go = threading.Event()

    def slow(row: object) -> LoadedVersion:
        if row.version == ADA_2:  # type: ignore[attr-defined]
            assert go.wait(10)
        return registry.load(row)  # type: ignore[arg-type]

    served = Catalogue(1000, 0.02, listing=registry.listing, load=slow)
    served.start()
    try:
        served.get("ada")
        registry.move("ada", "production", 2)
        until(lambda: served.state.find("ada", "production").version == ADA_2)
        during = served.get("ada")
        assert during.row.version == ADA_1
        assert "being loaded" in during.notice
        go.set()
        until(lambda: served.get("ada").row.version == ADA_2)
    finally:
        go.set()
        served.stop()


def test_a_version_that_fails_leaves_the_old_one_and_says_so(registry: MemoryRegistry) -> None:
    now = [0.0]
    served = catalogue(registry, clock=lambda: now[0])
    served.get("ada")
    registry.broken.add(ADA_2)
    registry.move("ada", "production", 2)
    served.refresh()
    after = served.get("ada")
    assert after.row.version == ADA_1
    assert after.loaded.version == ADA_1
    assert "ada/2, which can't be loaded" in after.notice
    assert "damaged" in after.notice
    served.refresh()
    assert registry.loaded.count(ADA_2) == 1, "it is not tried at every look"
    registry.broken.clear()
    now[0] = 31.0
    served.refresh()
    assert served.get("ada").row.version == ADA_2
    assert served.get("ada").notice == ""


def test_a_first_version_that_fails_is_an_error(registry: MemoryRegistry) -> None:
    registry.broken.add(ADA_1)
    with pytest.raises(RegistryError, match="damaged"):
        catalogue(registry).get("ada")


def test_any_error_of_a_loader_becomes_a_message(registry: MemoryRegistry) -> None:
    def bad(row: object) -> LoadedVersion:
        raise StopIteration

    with pytest.raises(RegistryError, match="ada/1 can't be loaded: StopIteration"):
        Catalogue(1000, listing=registry.listing, load=bad).get("ada")


def test_weights_that_are_no_numbers_are_refused(registry: MemoryRegistry) -> None:
    class Broken(SizedPaint):
        def __call__(self, crops: np.ndarray) -> np.ndarray:
            return np.full(crops.shape, np.nan, np.float32)

    def load(row: object) -> LoadedVersion:
        good = registry.load(row)  # type: ignore[arg-type]
        return LoadedVersion(good.card, Broken((0, 0, 0)), good.version)  # type: ignore[arg-type]

    with pytest.raises(RegistryError, match="makes no pictures"):
        Catalogue(1000, listing=registry.listing, load=load).get("ada")


def test_a_lost_server_changes_nothing_for_what_is_loaded(registry: MemoryRegistry) -> None:
    served = catalogue(registry)
    served.get("ada")
    registry.down = TrackingError("MLflow at http://x can't list the versions: refused")
    state = served.refresh()
    assert "refused" in state.problem
    assert served.get("ada").row.version == ADA_1
    registry.down = None
    assert served.refresh().problem == ""


def test_a_server_that_never_answered_is_told(registry: MemoryRegistry) -> None:
    registry.down = TrackingError("MLflow at http://x can't connect: refused")
    served = catalogue(registry)
    with pytest.raises(TrackingError, match="refused"):
        served.get("ada")
    registry.down = None
    assert served.get("ada").row.version == ADA_1


def test_the_thread_outlives_errors_that_nobody_foresaw(registry: MemoryRegistry) -> None:
    calls = [0]

    def listing() -> list[object]:
        calls[0] += 1
        if calls[0] == 2:
            raise ZeroDivisionError
        return registry.listing()  # type: ignore[return-value]

    served = Catalogue(1000, 0.01, listing=listing, load=registry.load)  # type: ignore[arg-type]
    served.start()
    try:
        until(lambda: calls[0] > 4)
    finally:
        served.stop()


def test_a_deleted_alias_is_an_error_again(registry: MemoryRegistry) -> None:
    served = catalogue(registry)
    served.get("ada")
    registry.move("ada", "production", 99)
    served.refresh()
    with pytest.raises(RegistryError, match="no version 'production'"):
        served.get("ada")


def test_versions_with_one_decoder_share_it() -> None:
    registry = MemoryRegistry(
        listed("ada", 1, "production", digest="d"), listed("ada", 2, "challenger", digest="d")
    )
    served = catalogue(registry)
    first, second = served.get("ada"), served.get("ada", "challenger")
    assert first.loaded.network is second.loaded.network
    assert (first.loaded.version, second.loaded.version) == (ADA_1, ADA_2)
    assert registry.loaded == [ADA_1]


def test_the_one_not_used_for_longest_goes_first() -> None:
    registry = MemoryRegistry(*(listed("ada", n) for n in (1, 2, 3)))
    registry.nbytes = 40_000_000
    served = catalogue(registry, memory_mb=100)
    served.get("ada", "1")
    served.get("ada", "2")
    served.get("ada", "1")
    served.get("ada", "3")
    assert served.memory.digests == ["ada-1", "ada-3"]
    assert served.memory.nbytes == 80_000_000
    registry.nbytes = 500_000_000
    served.get("ada", "2")
    assert served.memory.digests == ["ada-2"], "the one just used stays, however large"


def test_many_threads_load_a_version_once(registry: MemoryRegistry) -> None:
    served = catalogue(registry)
    threads = [threading.Thread(target=served.get, args=("ada",)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.loaded == [ADA_1]
