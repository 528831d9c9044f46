import pytest

from faceswap.process.loopback import reach_loopback_directly

OWN = "127.0.0.1,localhost,::1"


@pytest.mark.parametrize(
    ("given", "excepted"),
    [
        ({"HTTP_PROXY": "http://p:3128"}, OWN),
        ({"https_proxy": "http://p:3128", "NO_PROXY": "intern"}, f"intern,{OWN}"),
        (
            {"all_proxy": "socks5://p", "no_proxy": "localhost, x", "NO_PROXY": "y"},
            "localhost,x,127.0.0.1,::1",
        ),
        ({"HTTP_PROXY": "http://p", "NO_PROXY": "*"}, None),
        ({"HTTP_PROXY": ""}, None),
        ({}, None),
    ],
)
def test_this_machine_is_excepted_from_proxies(given: dict[str, str], excepted: str | None) -> None:
    environment = dict(given)
    reach_loopback_directly(environment)
    if excepted is None:
        assert environment == given
    else:
        assert environment["NO_PROXY"] == environment["no_proxy"] == excepted
        reach_loopback_directly(environment)
        assert environment["NO_PROXY"] == excepted
