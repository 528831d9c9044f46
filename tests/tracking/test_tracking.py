"""MLflow with its artifacts in S3: they arrive, and a store that refuses ends nothing but what needs it."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from faceswap import registry, storage, tracking
from faceswap.errors import RegistryError, TrackingError
from faceswap.settings import settings
from tests.s3 import s3_bucket, use_server
from tests.serving.fakes import card

PICTURE = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture
def environment(database: Path) -> Iterator[None]:
    """No S3 settings of the person who runs the tests, and none left for the next test."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MLFLOW_S3"))}
    with mock.patch.dict(os.environ, kept | {"AWS_MAX_ATTEMPTS": "1"}, clear=True):
        yield


def keep_artifacts_in(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("FACESWAP_ARTIFACT_ROOT", uri)
    settings.cache_clear()


def test_the_settings_lead_mlflow_to_s3(
    environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "encoder.keras").write_bytes(b"weights")
    with s3_bucket(monkeypatch) as bucket:
        keep_artifacts_in(monkeypatch, f"{bucket}/artifacts")
        with tracking.run("one", "train") as run:
            run.image(PICTURE, "preview", 3, None)
            run.document({"a": 1}, "a.json")
            registry.register(run.run_id, tmp_path, {})
        stored = storage.list_files(f"{bucket}/artifacts/{run.run_id}/artifacts")
    assert {"a.json", "encoder/encoder.keras"} <= set(stored)
    assert any(name.startswith("images/preview") for name in stored)


@pytest.mark.parametrize("broken", ["no bucket", "no server"])
def test_a_store_that_refuses_skips_previews_and_is_told_in_words(
    environment: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    broken: str,
) -> None:
    (tmp_path / "encoder.keras").write_bytes(b"weights")
    with s3_bucket(monkeypatch):
        if broken == "no server":
            use_server(monkeypatch, "http://127.0.0.1:9")
        keep_artifacts_in(monkeypatch, "s3://another/artifacts")
        with tracking.run("one", "train") as run:
            with caplog.at_level(logging.WARNING, "faceswap.tracking"):
                run.image(PICTURE, "preview", 3, None)
                run.flush()
            assert "did not take a picture preview" in caplog.text
            assert "is without 1 x picture preview" in caplog.text
            for attempt in (
                lambda: run.picture(PICTURE, "a.png", None),
                lambda: run.document({"a": 1}, "a.json"),
                lambda: run.artifact(tmp_path / "encoder.keras"),
                lambda: registry.register(run.run_id, tmp_path, {}),
            ):
                with pytest.raises(TrackingError, match=r"can't store .*[\s\S]*FACESWAP_S3_ENDPOINT_URL"):
                    attempt()
    assert tracking.connect().get_run(run.run_id).info.status == "FINISHED"


def test_what_the_user_has_set_for_mlflow_stays(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", "http://mine")
    use_server(monkeypatch, "http://127.0.0.1:9")
    tracking.connect()
    assert os.environ["MLFLOW_S3_ENDPOINT_URL"] == "http://mine"
    assert os.environ["AWS_ACCESS_KEY_ID"] == "mine"
    assert "AWS_SECRET_ACCESS_KEY" not in os.environ


def test_without_s3_settings_boto3_decides(environment: None) -> None:
    tracking.connect()
    assert not {name for name in os.environ if name.startswith(("AWS_", "MLFLOW_S3"))} - {"AWS_MAX_ATTEMPTS"}


def test_a_decoder_that_can_not_be_stored_is_told_in_words(
    environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "decoder_ada.keras").write_bytes(b"weights")
    (tmp_path / "swap_ada.onnx").write_bytes(b"graph")
    monkeypatch.setattr(
        "faceswap.registry.registering.export_graph", lambda card, *_: card
    )  # has tests of its own
    monkeypatch.setattr(MlflowClient, "log_artifact", lambda *_: None)  # the encoder went well
    with s3_bucket(monkeypatch):
        keep_artifacts_in(monkeypatch, "s3://another/artifacts")
        with (
            tracking.run("one", "train") as run,
            pytest.raises(TrackingError, match=r"decoder of ada[\s\S]*FACESWAP_S3_ENDPOINT_URL"),
        ):
            own = card("ada", "d" * 64).model_copy(update={"run_id": run.run_id})
            registry.register(run.run_id, tmp_path, {"ada": own})


def test_mlflow_says_nothing_of_its_own(
    database: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of runs ("View run … at …", with a server) nor of versions ("Created version '1' of …")."""
    from mlflow.environment_variables import MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT
    from mlflow.utils.logging_utils import eprint

    monkeypatch.delenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", raising=False)
    tracking.connect()
    eprint("Created version '1' of model 'face-ada'.")
    assert capfd.readouterr() == ("", "")
    assert MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT.get()


def test_one_client_a_process_until_the_settings_change(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = mock.Mock()
    monkeypatch.setattr(MlflowClient, "search_experiments", asked)
    client = tracking.connect()
    assert tracking.connect() is client
    assert asked.call_count == 1
    settings.cache_clear()
    assert tracking.connect() is not client


def test_a_server_that_is_away_is_asked_again(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise MlflowException("no route")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "search_experiments", away)
        with pytest.raises(TrackingError, match="can't connect: no route"):
            tracking.connect()
    tracking.connect()
    with monkeypatch.context() as patch:  # lost after it was found
        patch.setattr(MlflowClient, "get_model_version_by_alias", away)
        with pytest.raises(TrackingError, match="can't look for 'ada': no route"):
            registry.resolve("ada")
    with pytest.raises(RegistryError, match="No model is registered for 'ada'"):
        registry.resolve("ada")
