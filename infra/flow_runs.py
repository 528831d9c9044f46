"""Flow runs as Prefect's server lists them."""

import httpx

_UNFINISHED = ["RUNNING", "PENDING", "SCHEDULED", "PAUSED", "CANCELLING"]


def unfinished(server: str) -> list[dict[str, str]]:
    """Name, state, start (ISO 8601) and page of the runs that have not ended; ``server`` is its address."""
    question = {
        "flow_runs": {"state": {"type": {"any_": _UNFINISHED}}},
        "sort": "EXPECTED_START_TIME_DESC",
        "limit": 50,
    }
    found = httpx.post(f"{server}/api/flow_runs/filter", json=question, timeout=20, trust_env=False)
    found.raise_for_status()
    return [
        {
            "name": run["name"],
            "state": run["state_name"],
            "since": run["start_time"] or run["expected_start_time"] or "",
            "url": f"{server}/runs/flow-run/{run['id']}",
        }
        for run in found.json()
    ]


def flows_are_served(server: str) -> bool:
    """Whether a process waits for runs of our deployments; ``server`` is Prefect's address."""
    try:
        found = httpx.post(
            f"{server}/api/deployments/filter", json={"limit": 50}, timeout=20, trust_env=False
        )
        return found.is_success and any(one["status"] == "READY" for one in found.json())
    except httpx.HTTPError:
        return False
