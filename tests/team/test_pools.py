"""The templates of work pools whose runs get a container or Kubernetes job of their own, as workers read them."""

import asyncio
import json
import uuid
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from kubernetes_asyncio.client import ApiClient
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect_docker.worker import DockerWorkerJobConfiguration
from prefect_kubernetes.worker import KubernetesWorkerJobConfiguration

from infra.team.settings import SECRET_NAMES

POOLS = Path(__file__).parents[2] / "infra" / "team" / "pools"
COMMAND = ["python", "-m", "infra.team", "run", "--program", "prefect", "--", "flow-run", "execute"]


def apart(asked: Coroutine[Any, Any, Any]) -> Any:
    """What it comes to, in a thread of its own: in this one a browser of other tests may have a loop running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked).result()


def configured(kind: type, name: str, values: dict[str, Any]) -> Any:
    """What a worker makes of the template for a run."""
    template = json.loads((POOLS / f"{name}.json").read_text())
    nobody = mock.create_autospec(
        PrefectClient, instance=True
    )  # the template refers to nothing that a server has
    asked = kind.from_template_and_values(template, values, client=nobody)  # type: ignore[attr-defined]
    made = apart(asked)
    made.prepare_for_flow_run(FlowRun(id=uuid.uuid4(), flow_id=uuid.uuid4(), name="train ada"))
    return made


async def read_as_job(manifest: dict[str, Any]) -> Any:
    """As Kubernetes' own client reads it; what is no job is refused."""
    async with ApiClient() as client:
        return client.deserialize(SimpleNamespace(data=json.dumps(manifest)), "V1Job")


def test_a_container_of_its_own() -> None:
    made = configured(DockerWorkerJobConfiguration, "docker", {"mem_limit": "16g"})
    own = made.container_create_kwargs
    assert (made.image, made.mem_limit, made.networks) == ("faceswap", "16g", ["faceswap_inside"])
    assert (own["user"], own["read_only"], own["cap_drop"]) == ("10001:10001", True, ["ALL"])
    assert made.command.split() == COMMAND
    assert not made.privileged


def test_a_job_of_its_own() -> None:
    values = {"gpus": 1, "env": {"TEAM_S3_URL": "http://s3.faceswap:8333"}}
    made = configured(KubernetesWorkerJobConfiguration, "kubernetes", values)
    job = apart(read_as_job(made.job_manifest))
    pod = job.spec.template.spec
    (container,) = pod.containers
    assert container.resources.limits == {"memory": "8Gi", "nvidia.com/gpu": "1"}
    assert container.args == COMMAND
    assert {one.name: one.value for one in container.env}["TEAM_S3_URL"] == "http://s3.faceswap:8333"
    assert pod.security_context.run_as_non_root
    assert container.security_context.read_only_root_filesystem
    assert container.security_context.capabilities.drop == ["ALL"]
    assert {one.name for one in container.volume_mounts} == {one.name for one in pod.volumes}


@pytest.mark.parametrize("name", ["docker", "kubernetes"])
def test_no_secret_is_in_it(name: str) -> None:
    text = (POOLS / f"{name}.json").read_text().upper()
    assert not [secret for secret in SECRET_NAMES if f"TEAM_{secret}".upper() in text]
