"""What Prefect's pages hold of a person: pictures, notes and tables of its runs, known by the ids in their keys."""

from collections.abc import Collection
from uuid import UUID

from prefect.client.orchestration import get_client

_PAGE = 200


def forget_artifacts(ids: Collection[str]) -> int:
    """Delete the artifacts whose key holds one of these ids; returns how many.

    Args:
        ids: of MLflow runs and face sets, as far as :class:`flows.prefect_monitor.PrefectMonitor`'s keys hold them.
    """
    gone = 0
    with get_client(sync_client=True) as client:
        for one in sorted(ids):
            # read_artifacts of Prefect 3.8.8 sends nulls for what it is not given, which its server refuses
            asked = {"artifacts": {"key": {"like_": f"%-{one}%"}}, "limit": _PAGE}
            while found := client.request("POST", "/artifacts/filter", json=asked).json():
                for artifact in found:
                    client.delete_artifact(UUID(artifact["id"]))
                gone += len(found)
    return gone
