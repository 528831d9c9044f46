"""What a team's servers know of trainings, asked past our own code."""

from pathlib import Path

from infra.team.setup import s3_client
from tests.team.servers import Team


def checkpoints(team: Team) -> dict[str, int]:
    """MLflow run -> step of its newest whole checkpoint in S3."""
    client, bucket = s3_client(team.given()), team.given().bucket
    found: dict[str, int] = {}
    for one in client.list_objects_v2(Bucket=bucket, Prefix="checkpoints/").get("Contents", []):
        parts = one["Key"].split("/")
        if parts[-1] == "SHA256SUMS":
            found[parts[1]] = max(found.get(parts[1], 0), int(parts[2].removeprefix("step-")))
    return found


def losses(team: Team, run_id: str) -> list[tuple[int, int]]:
    """(time, step) of the loss curve's points."""
    found = team.mlflow(f"metrics/get-history?run_id={run_id}&metric_key=loss").get("metrics", [])
    return sorted((int(one["timestamp"]), int(one["step"])) for one in found)


def registered(team: Team, run_id: str) -> set[str]:
    """The models that have a version of a run."""
    found = team.mlflow(f"model-versions/search?filter=run_id%3D'{run_id}'").get("model_versions", [])
    return {one["name"] for one in found}


def status(team: Team, run_id: str) -> str:
    """Of MLflow's run."""
    return str(team.mlflow(f"runs/get?run_id={run_id}")["run"]["info"]["status"])


def begin_worker(team: Team, home: Path, **more: str) -> None:
    """One that takes trainings."""
    own = {"TEAM_QUEUE": "gpu", "FACESWAP_HOME": str(home), "PREFECT_WORKER_QUERY_SECONDS": "1"}
    team.begin("worker", **own, **more)
