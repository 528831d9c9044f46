"""What exists of a person in S3 is erased, and a search of the bucket proves it; a store that is away ends nothing."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import boto3
import numpy as np
import pytest

from faceswap import jobs, registry, storage, tracking
from faceswap.errors import ConsentError, ConsentUnknown, FaceswapError, TrackingError
from faceswap.jobs.delivery import deliver, workplace
from faceswap.jobs.training import train_job
from faceswap.jobs.upkeep.consent_job import ConsentParameters, Withdrawn
from faceswap.media.images import write_image
from faceswap.provenance import audit
from faceswap.provenance.consent import event_files, remains
from faceswap.provenance.consent.life import Purpose
from faceswap.provenance.consent.record import Consent
from faceswap.provenance.metadata import Provenance
from faceswap.registry import consents, erasing
from faceswap.settings import settings
from tests.s3 import s3_bucket, use_server

PIXELS = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)


@pytest.fixture
def bucket(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Face sets, artifacts, outputs and the app's links lie in S3; the database of MLflow is a file."""
    monkeypatch.setattr(consents, "_FRESH", 0.0)
    event_files._known.clear()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MLFLOW_S3"))}
    with (
        mock.patch.dict(os.environ, kept | {"AWS_MAX_ATTEMPTS": "1"}, clear=True),
        s3_bucket(monkeypatch) as uri,
    ):
        monkeypatch.setenv("FACESWAP_FACE_SETS", f"{uri}/face-sets")
        monkeypatch.setenv("FACESWAP_ARTIFACT_ROOT", f"{uri}/artifacts")
        monkeypatch.setenv("FACESWAP_OUTPUTS", f"{uri}/links")
        settings.cache_clear()
        yield uri


def face_set(bucket: str, name: str) -> str:
    place = f"{bucket}/face-sets/{name}/0123456789abcdef"
    consent = Consent(subject=name, statement="signed by both").model_dump(mode="json")
    header = {"identity": name, "digest": "d", "consent": consent}
    storage.write_bytes(f"{place}/crops/0.png", f"face of {name}".encode())
    storage.write_bytes(f"{place}/faceset.json", json.dumps(header).encode())
    return place


def version(name: str, run_id: str) -> None:
    client = tracking.connect()
    model = client.create_logged_model(client.get_run(run_id).info.experiment_id, f"face-{name}", run_id)
    folder = settings().home_path / "made" / name
    folder.mkdir(parents=True)
    (folder / "decoder.keras").write_text(f"weights of {name}")
    client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, "READY")
    client.create_registered_model(f"face-{name}")
    tags = {
        "consent": "signed by both (since 2026-01-02)",
        "digest": "d" * 64,
        "encoder_digest": "e" * 64,
        "face_sets": json.dumps({"ada": "f", "ben": "f"}),
    }
    client.create_model_version(
        f"face-{name}", f"models:/{model.model_id}", run_id, tags=tags, model_id=model.model_id
    )


@pytest.fixture
def all_of_ada(bucket: str) -> str:
    """A training of ada with ben, a preprocessing of ada, an output that was sent, and a result of the app."""
    with tracking.run("training", "train") as run:
        for name in ("ada", "ben"):
            run.face_set(name, "d" * 64, face_set(bucket, name), 3)
        run.picture(PIXELS, "preview.png", None)
        tracking.connect().log_text(run.run_id, "shared weights", "encoder/encoder.keras")
    for name in ("ada", "ben"):
        version(name, run.run_id)
    with tracking.run("preprocess ada", "preprocess") as sheet:
        sheet.parameters({"identity": "ada"})
        sheet.picture(PIXELS, "contact_sheet.png", None)
    origin = Provenance("ada", "face-ada", "1", run.run_id)
    out = f"{bucket}/films/holiday.png"
    place = workplace(out)
    place.parent.mkdir(parents=True)
    write_image(place, PIXELS, metadata=origin)
    act = audit.record("swapped", ["ada"], files=[place])
    assert deliver([place], out, act=act) == [out]
    place.parent.mkdir(parents=True, exist_ok=True)
    write_image(place, PIXELS, metadata=origin)
    for name in ("a-ada.png", "a-ben.png"):
        storage.publish_file(place, f"{bucket}/links/99-0123/{name}")
    place.unlink()
    return bucket


def withdraw(**more: object) -> Withdrawn:
    return jobs.withdraw_consent(ConsentParameters(name="ada", **more))  # type: ignore[arg-type]


def keys() -> list[str]:
    """Of everything in the bucket, asked past our own code."""
    own = settings()
    secret = own.s3_secret_access_key.get_secret_value()
    client = boto3.client(
        "s3",
        endpoint_url=own.s3_endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=own.s3_access_key_id,
        aws_secret_access_key=secret,
    )
    return [one["Key"] for one in client.list_objects_v2(Bucket="faces").get("Contents", [])]


def test_face_sets_artifacts_outputs_and_links_go_and_others_stay(all_of_ada: str) -> None:
    before = keys()
    assert sum(key.endswith("decoder.keras") for key in before) == 2
    listed = withdraw()
    kinds = sorted(item.kind for item in listed.found.items)
    assert kinds == ["face set", "model", "output", "output", "pictures", "run", "version"]
    assert keys() == sorted([*before, *(key for key in keys() if "/consent/" in key)]), "listed, not erased"
    done = withdraw(erase=True)
    assert done.left is not None
    assert (done.left.items, done.problems) == ([], [])
    assert any("versioning" in line for line in done.left.stay)
    left = keys()
    assert not [key for key in left if key.endswith((".png",)) and "ben" not in key]
    assert [key for key in left if "face-sets/ada" in key and "/consent/" not in key] == []
    assert len([key for key in left if "face-sets/ada/consent/" in key]) == 2, "what keeps the person out"
    assert len([key for key in left if "face-sets/ben" in key]) == 2
    assert "links/99-0123/a-ben.png" in left
    assert sum(key.endswith("decoder.keras") for key in left) == 1
    assert any(key.endswith("encoder.keras") for key in left), "ben's version needs it"
    assert [row.version.identity for row in registry.versions()] == ["ben"]


def test_an_output_that_is_something_else_by_now_stays_and_is_said(all_of_ada: str) -> None:
    storage.write_bytes(f"{all_of_ada}/films/holiday.png", b"another's picture")
    found = withdraw().found
    assert not any(item.place.endswith("holiday.png") for item in found.items)
    assert any("holiday.png was written as an output, but is something else" in line for line in found.stay)


def test_an_erasure_whose_store_goes_down_goes_on_when_it_is_back(
    all_of_ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = settings().s3_endpoint_url
    withdraw()
    whole, calls = storage.delete, []

    def then_down(place: str, *more: object) -> int:
        calls.append(place)
        if len(calls) == 2:  # between two deletions
            use_server(monkeypatch, "http://127.0.0.1:9")
        return whole(place)

    monkeypatch.setattr(storage, "delete", then_down)
    with pytest.raises(FaceswapError, match="1 of 7 things of 'ada' are erased; then"):
        withdraw(erase=True)
    assert len(remains.begun("ada")) == 6
    while_down = withdraw(erase=True)
    assert while_down.problems, "it says that S3 is away"
    assert while_down.left is None
    with pytest.raises(FaceswapError, match="withdrawn"):
        registry.load("ada")
    use_server(monkeypatch, address)
    done = withdraw(erase=True)
    assert done.left is not None
    assert done.left.items == remains.begun("ada") == []
    assert not [key for key in keys() if "ada" in key and "/consent/" not in key]
    assert erasing.find("ada")[0] == []


def test_checkpoints_in_s3_go_with_a_training_that_is_stopped_and_with_an_erasure(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACESWAP_CHECKPOINTS", f"{bucket}/checkpoints")
    settings.cache_clear()
    sets = json.dumps([face_set(bucket, "ada")]).encode()
    storage.write_bytes(f"{bucket}/checkpoints/a-lost-worker/face_sets.json", sets)
    storage.write_bytes(f"{bucket}/checkpoints/a-lost-worker/step-7/weights", b"likeness")
    with (
        pytest.raises(ConsentError, match="withdrawn"),
        tracking.run("training", "train") as run,
        train_job._leaving_nothing_without_consent(run) as store,
    ):
        storage.write_bytes(f"{store.uri}/step-5/weights", b"likeness")
        withdraw()
        consents.require("ada", Purpose.TRAINING)
    assert not [key for key in keys() if run.run_id in key and "checkpoints" in key]
    assert any("a-lost-worker" in key for key in keys())
    done = withdraw(erase=True)
    assert done.left is not None
    assert done.left.items == []
    assert not [key for key in keys() if key.startswith("checkpoints")]


def test_where_neither_place_answers_nobody_is_used_for_long_and_a_training_keeps_its_checkpoints(
    all_of_ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise TrackingError("MLflow is away")

    consents.require("ada", Purpose.TRAINING)
    use_server(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.setattr(consents, "connect", away)
    consents.require("ada", Purpose.TRAINING)  # for five minutes
    monkeypatch.setenv("FACESWAP_CONSENT_SECONDS", "0")
    settings.cache_clear()
    run = tracking.Run(tracking.connect(), "r1")
    checkpoint = settings().work_path / "train" / "r1" / "weights"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("weights")
    with (
        pytest.raises(ConsentUnknown, match="can't be told"),
        train_job._leaving_nothing_without_consent(run),
    ):
        consents.require("ada", Purpose.TRAINING)
    assert checkpoint.exists()
    assert not consents.allows("ada", Purpose.SWAPPING)


def test_a_withdrawal_waits_for_no_store(all_of_ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
    address = settings().s3_endpoint_url
    use_server(monkeypatch, "http://127.0.0.1:9")
    done = withdraw()
    assert "not every place knows" in done.problems[0]
    with pytest.raises(ConsentError, match="withdrawn"):
        consents.require("ada", Purpose.SWAPPING)
    assert [entry.what for entry in audit.entries()][-1] == "consent withdrawn"
    use_server(monkeypatch, address)
    assert withdraw().problems == []
    assert len([key for key in keys() if "face-sets/ada/consent/" in key and "withdrawn" in key]) == 1
