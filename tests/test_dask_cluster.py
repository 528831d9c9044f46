"""Under which address a worker is reached."""

import socket

import psutil
import pytest

from faceswap.dask_cluster import own_address


def test_a_worker_beside_its_scheduler_is_reached_on_loopback() -> None:
    assert own_address("tcp://127.0.0.1:8786") == "127.0.0.1"
    assert own_address("tls://localhost:8786") == "127.0.0.1"
    assert own_address("localhost:8786") == "127.0.0.1"


def test_on_another_network_it_has_the_address_of_the_card_that_leads_there() -> None:
    own = [
        one.address
        for card in psutil.net_if_addrs().values()
        for one in card
        if one.family == socket.AF_INET and not one.address.startswith("127.")
    ]
    if not own:
        pytest.skip("this machine has loopback only")
    for address in own:
        assert own_address(f"tcp://{address}:8786") == address


@pytest.mark.parametrize("address", ["tcp://nowhere.invalid:8786", "tcp://", "", "tcp://h:port"])
def test_one_that_leads_nowhere_is_left_to_dask(address: str) -> None:
    assert own_address(address) == ""
