"""Servers of this machine are reached without a proxy."""

import os
from collections.abc import MutableMapping

_HOSTS = ("127.0.0.1", "localhost", "::1")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def reach_loopback_directly(environment: MutableMapping[str, str] = os.environ) -> None:
    """Where a proxy is set, except this machine's own addresses from it.

    A proxy elsewhere can't reach them: it answers with an error of its own, or lets the client wait for minutes.
    Every client reads one of both spellings of ``NO_PROXY`` first, so both are set.
    """
    if not any(environment.get(name) or environment.get(name.upper()) for name in _PROXIES):
        return
    given = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [host.strip() for host in given.split(",") if host.strip()]
    if "*" in hosts:
        return
    together = ",".join([*hosts, *(host for host in _HOSTS if host not in hosts)])
    environment["NO_PROXY"] = environment["no_proxy"] = together
