"""What Prefect shows of a person goes by the ids in its keys, and nothing else does."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from flows import erasing, prefect_monitor


class Server:
    """Prefect's artifacts, in memory: key -> id."""

    def __init__(self) -> None:
        self.artifacts: dict[str, UUID] = {}

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def add(self, _: str, key: str, description: str | None) -> None:
        self.artifacts[key] = uuid4()

    def request(self, method: str, path: str, json: dict[str, Any]) -> SimpleNamespace:
        assert (method, path) == ("POST", "/artifacts/filter")
        wanted = json["artifacts"]["key"]["like_"]
        assert (wanted[0], wanted[-1]) == ("%", "%")
        found = [{"id": str(one)} for key, one in self.artifacts.items() if wanted.strip("%") in key]
        return SimpleNamespace(json=lambda: found[: json["limit"]])

    def delete_artifact(self, artifact_id: UUID) -> None:
        self.artifacts = {key: one for key, one in self.artifacts.items() if one != artifact_id}


def test_pictures_notes_and_tables_of_runs_and_face_sets_go_by_their_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    for name in ("create_image_artifact", "create_markdown_artifact"):
        monkeypatch.setattr(prefect_monitor, name, server.add)
    monkeypatch.setattr(erasing, "get_client", lambda sync_client: server)
    picture = np.zeros((8, 8, 3), np.uint8)
    run, other, digest = "0123456789ab", "ba9876543210", "aaaabbbbcccc"
    with prefect_monitor.shown_in_prefect() as one:
        for key in (f"preview-{run}", f"cases-{run}-Ada-on-ben", f"sheet-{digest}", f"preview-{other}"):
            one.picture(key, picture, "", None)
        one.note("text", f"train-{run}")
    assert erasing.forget_artifacts({run, digest}) == 4
    assert list(server.artifacts) == [f"preview-{other}"]
