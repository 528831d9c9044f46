"""Hosts of a private network, as network namespaces of this machine: no way out, and names that nobody knows."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Host:
    """Where a process runs.

    Attributes:
        address: under which the others reach it.
        words: before a command, so that it runs there.
    """

    address: str = "127.0.0.1"
    words: tuple[str, ...] = ()


@contextmanager
def network(*names: str) -> Iterator[dict[str, Host]]:
    """Make hosts that reach each other, and this machine, by addresses alone; each has a name of its own.

    The test is skipped where that is not allowed.
    """
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        pytest.skip("network namespaces want root, and Debian's iproute2 and util-linux")
    number = os.getpid() % 250
    bridge, hosts = f"fs{number}", {}
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"10.213.{number}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for place, name in enumerate(names):
            space, cable, address = f"{bridge}-{name}", f"{bridge}c{place}", f"10.213.{number}.{place + 2}"
            _ip("netns", "add", space)
            _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
            _ip("link", "set", cable, "master", bridge, "up")
            _ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")
            for card in ("lo", "eth0"):
                _ip("-n", space, "link", "set", card, "up")
            named = ("unshare", "--uts", "sh", "-c", 'hostname "$0"; exec "$@"', f"host-{name}")
            hosts[name] = Host(address, ("ip", "netns", "exec", space, *named))
    except subprocess.CalledProcessError as error:
        _take_away(bridge, names)
        pytest.skip(f"no network namespaces can be made here: {error.stderr.strip()}")
    try:
        yield hosts
    finally:
        _take_away(bridge, names)


def _take_away(bridge: str, names: Sequence[str]) -> None:
    for name in names:
        subprocess.run(["ip", "netns", "del", f"{bridge}-{name}"], check=False, capture_output=True)
    subprocess.run(["ip", "link", "del", bridge], check=False, capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
