"""A consent from its record to its end, with MLflow and files: who is stopped, what goes, what is said to stay."""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from faceswap import jobs, registry, storage, tracking
from faceswap.errors import ConsentError, TrackingError
from faceswap.jobs.monitor import TERMINAL
from faceswap.jobs.training import observer as observer_module
from faceswap.jobs.training import train_job
from faceswap.jobs.training.observer import Observer
from faceswap.jobs.training.resuming import work_folder
from faceswap.jobs.upkeep import consent_job, erasure
from faceswap.jobs.upkeep.consent_job import ConsentParameters
from faceswap.media.images import write_image
from faceswap.provenance import audit
from faceswap.provenance.consent import event_files, remains
from faceswap.provenance.consent.life import Event, Purpose
from faceswap.provenance.consent.record import Consent
from faceswap.provenance.metadata import Provenance
from faceswap.registry import consents, erasing
from faceswap.registry.production import promotion
from faceswap.settings import settings
from serving.catalogue import Catalogue
from tests.registry.fakes import add_versions, aliases
from tests.serving.fakes import MemoryRegistry

pytestmark = pytest.mark.usefixtures("database")
PIXELS = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)


@pytest.fixture(autouse=True)
def _no_second_of_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not wait for the second for which what was read counts."""
    monkeypatch.setattr(consents, "_FRESH", 0.0)


def change(job: str, name: str = "ada", **more: object) -> object:
    return getattr(jobs, job)(ConsentParameters(name=name, **more))  # type: ignore[arg-type]


def withdraw(name: str = "ada", **more: object) -> consent_job.Withdrawn:
    return change("withdraw_consent", name, **more)  # type: ignore[return-value]


def make_face_set(root: Path, identity: str) -> Path:
    folder = root / identity / "0123"
    (folder / "crops").mkdir(parents=True)
    consent = Consent(subject=identity, statement="signed by both", since=dt.date(2026, 1, 2))
    header = {"identity": identity, "digest": "d", "consent": consent.model_dump(mode="json")}
    (folder / "faceset.json").write_text(json.dumps(header))
    return folder


def make_version(identity: str, run_id: str, people: list[str]) -> registry.Version:
    """With a file of its own, and the tags by which people are found."""
    client, name = tracking.connect(), f"face-{identity}"
    experiment = client.get_run(run_id).info.experiment_id
    model = client.create_logged_model(experiment, name, run_id)
    folder = settings().home_path / "made" / identity
    folder.mkdir(parents=True)
    (folder / "decoder.keras").write_text("weights")
    client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, "READY")
    client.create_registered_model(name)
    tags = {
        "consent": "signed by both (since 2026-01-02)",
        "digest": "d" * 64,
        "encoder_digest": "e" * 64,
        "face_sets": json.dumps(dict.fromkeys(people, "f")),
    }
    made = client.create_model_version(
        name, f"models:/{model.model_id}", run_id, tags=tags, model_id=model.model_id
    )
    version = registry.Version(name, int(made.version))
    registry.alias_after_training(version)
    return version


@pytest.fixture
def everything(home: Path) -> dict[str, Path]:
    """All that a training and a swap of ada, trained together with ben, leave behind."""
    places = {name: make_face_set(home / "face-sets", name) for name in ("ada", "ben")}
    with tracking.run("training", "train") as run:
        for name, folder in places.items():
            run.face_set(name, "d" * 64, str(folder), 3)
        run.picture(PIXELS, "preview.png", None)
        tracking.connect().log_text(run.run_id, "shared weights", "encoder/encoder.keras")
    for name in places:
        make_version(name, run.run_id, ["ada", "ben"])
    with tracking.run("preprocess ada", "preprocess") as sheet:
        sheet.parameters({"identity": "ada"})
        sheet.picture(PIXELS, "contact_sheet.png", None)
    out = home / "result.png"
    write_image(out, PIXELS, metadata=Provenance("ada", "face-ada", "1", run.run_id))
    audit.record("swapped", ["ada"], files=[out])
    cached = home / "cache" / "decoders" / ("d" * 64)
    cached.mkdir(parents=True)
    (cached / "card.json").write_text(json.dumps({"identity": "ada"}))
    stopped = work_folder("an-old-run")
    stopped.mkdir(parents=True)
    (stopped / "face_sets.json").write_text(json.dumps([str(places["ada"])]))
    return {**places, "out": out, "cached": cached, "stopped": stopped, "run": Path(run.run_id)}


def test_a_consent_is_recorded_extended_withdrawn_and_given_anew_in_both_places(home: Path) -> None:
    signed = home.parent / "signed.pdf"
    signed.write_bytes(b"signature")
    change(
        "record_consent", statement="signed by Ada", until=dt.date(2030, 1, 1), evidence=str(signed), by="mia"
    )
    change("extend_consent", until=dt.date(2031, 1, 1))
    withdraw(statement="she asked")
    with pytest.raises(ConsentError, match="can't be extended"):
        change("extend_consent", until=dt.date(2032, 1, 1))
    for events in (event_files.read("ada"), consents._in_mlflow(tracking.connect(), "ada")):
        assert {event.kind for event in events} == {"recorded", "extended", "withdrawn"}
    change("record_consent", statement="signed anew")
    life = jobs.consent_of("ada")
    assert [event.kind for event in life.events] == ["recorded", "extended", "withdrawn", "recorded"]
    assert life.events[0].evidence == audit.sha256_of(signed)
    assert life.state() == "valid"
    assert [one.what for one in audit.entries()][-1] == "consent recorded"


def test_one_place_is_enough_to_know_and_each_gets_what_it_lacks(home: Path) -> None:
    make_face_set(home / "face-sets", "ada")
    assert jobs.consent_of("ada").events[0].by == "its face set"
    withdraw()
    folder = home / "face-sets" / "ada" / "consent"
    assert len(list(folder.iterdir())) == 2, "the face set's own consent is part of the history now"
    storage.delete(str(folder))
    event_files._known.clear()
    with pytest.raises(ConsentError, match="withdrawn"):
        consents.require("ada", Purpose.SWAPPING)
    consents.synchronise("ada")
    assert len(list(folder.iterdir())) == 2


def test_after_a_withdrawal_nothing_of_the_person_is_loaded_promoted_served_or_trained(home: Path) -> None:
    one, two = add_versions("ada", 2)
    registry.alias_after_training(one)
    registry.alias_after_training(two)
    rows = MemoryRegistry()
    shown = Catalogue(listing=registry.allowed_versions, load=rows.load)
    assert shown.refresh().identities == ["ada"]
    done = withdraw()
    assert done.aliases == ["challenger", "production"]
    assert aliases(one.name) == {}
    assert shown.refresh().identities == []
    record = promotion.Record(outcome="passed", by="mia")
    for use in (
        lambda: registry.load("ada"),
        lambda: registry.load("ada/1"),
        lambda: promotion.promote(two, None, record),
        lambda: promotion.nominate(two, record),
        lambda: registry.alias_after_training(one),
        lambda: jobs.preprocess(
            jobs.PreprocessParameters(identity="ada", sources=["ada.mp4"], consent="signed")
        ),
    ):
        with pytest.raises(ConsentError, match="withdrawn"):
            use()
    assert aliases(one.name) == {}


def test_whoever_promotes_while_a_consent_is_withdrawn_loses(home: Path) -> None:
    (one,) = add_versions("ada", 1)
    record = promotion.Record(outcome="passed", by="mia")
    refused: list[BaseException] = []

    def promote() -> None:
        for _ in range(3):
            try:
                promotion.promote(one, registry.at(one.name, "production"), record)
            except Exception as error:
                refused.append(error)

    thread = threading.Thread(target=promote)
    thread.start()
    withdraw()
    thread.join()
    assert aliases(one.name).get("production") is None


def test_a_loaded_network_stops_with_the_consent(home: Path) -> None:
    class Graph:
        def __call__(self, crops: np.ndarray) -> np.ndarray:
            return crops / np.float32(255)

    consent = Consent(subject="ada", statement="signed")
    network = consents.PermittedNetwork(Graph(), None, None, consent)  # type: ignore[arg-type]
    assert network(PIXELS[None]).shape == (1, 32, 32, 3)
    withdraw()
    with pytest.raises(ConsentError, match="withdrawn"):
        network(PIXELS[None])


def test_a_running_training_of_that_person_stops_leaves_no_checkpoint_and_registers_nothing(
    home: Path,
) -> None:
    given = {name: Consent(subject=name, statement="signed") for name in ("ada", "ben")}
    told: list[int] = []
    with (
        pytest.raises(ConsentError, match="'ada' was withdrawn"),
        tracking.run("training", "train") as run,
        train_job._leaving_nothing_without_consent(run),
    ):
        checkpoint = work_folder(run.run_id) / "checkpoints" / "weights"
        checkpoint.parent.mkdir(parents=True)
        checkpoint.write_text("likeness")
        observer = Observer(run, None, lambda *_: told.append(1), TERMINAL, given)  # type: ignore[arg-type]
        observer.progress(0.1, "step 1")
        assert observer._questions.flush(20)
        withdraw()
        for _ in range(2):  # it is asked beside the training: the next report but one knows
            observer.progress(0.2, "step 2")
            assert observer._questions.flush(20)
    assert told == [1, 1]
    assert not work_folder(run.run_id).exists()
    ended = tracking.connect().get_run(run.run_id)
    assert (ended.info.status, "withdrawn" in ended.data.tags["stopped"]) == ("FAILED", True)
    assert registry.versions() == []


def test_a_record_of_consents_that_stands_still_holds_no_training_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, told = threading.Event(), []
    monkeypatch.setattr(observer_module.consents, "require", lambda *_: answers.wait(60))
    given = {"ada": Consent(subject="ada", statement="signed")}
    observer = Observer(None, None, lambda *_: told.append(1), TERMINAL, given)  # type: ignore[arg-type]
    for step in range(5):
        observer.progress(step / 5, f"step {step}")
    assert told == [1] * 5  # while the first question waits
    answers.set()
    assert observer._questions.flush(20)


def test_all_that_exists_is_listed_erased_and_not_found_again(
    home: Path, everything: dict[str, Path]
) -> None:
    found = withdraw().found
    kinds = sorted(item.kind for item in found.items)
    assert kinds == ["cache", "face set", "model", "output", "pictures", "run", "version", "work"]
    assert any("ben/1 was trained together with ada" in line for line in found.stay)
    done = withdraw(erase=True)
    assert done.left is not None
    assert (len(done.erased), done.left.items) == (8, [])
    assert not any(everything[key].exists() for key in ("ada", "out", "cached", "stopped"))
    assert everything["ben"].exists()
    assert [row.version.identity for row in registry.versions()] == ["ben"]
    left = [path for path in (home / "artifacts").rglob("*") if path.is_file()]
    assert not [path for path in left if path.suffix == ".png"]
    assert any(path.name == "encoder.keras" for path in left), "ben's versions need it"
    assert sum(path.name == "decoder.keras" for path in left) == 1
    assert b"preprocess ada" not in (home / "mlflow.db").read_bytes()
    assert jobs.consent_of("ada").state() == "withdrawn", "the withdrawal itself stays"


@contextmanager
def lost_after(count: int) -> Iterator[None]:
    """MLflow answers so many deletions, then no more."""
    whole, calls = erasing.remove, []

    def remove(item: remains.Item) -> None:
        calls.append(item)
        if len(calls) > count:
            raise TrackingError("MLflow does not answer", "start it")
        whole(item)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasing, "remove", remove)
        yield


def test_an_erasure_that_loses_its_server_goes_on_with_the_same_command(
    home: Path, everything: dict[str, Path]
) -> None:
    for count in (0, 1, 1):
        with lost_after(count), pytest.raises(TrackingError, match="things of 'ada' are erased; then"):
            withdraw(erase=True)
        assert remains.begun("ada")
    done = withdraw(erase=True)
    assert done.left is not None
    assert done.left.items == []
    assert remains.begun("ada") == []
    assert erasure.find("ada").items == []


def test_where_mlflow_is_away_the_withdrawal_holds_and_says_what_is_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise TrackingError("MLflow is away")

    with monkeypatch.context() as patch:
        patch.setattr(consents, "connect", away)
        done = withdraw()
        assert "not every place knows" in done.problems[0]
        with pytest.raises(ConsentError, match="withdrawn"):
            consents.require("ada", Purpose.TRAINING)
    assert withdraw().problems == []
    assert [event.kind for event in consents._in_mlflow(tracking.connect(), "ada")] == ["withdrawn"]


def test_a_registration_beside_a_withdrawal_leaves_no_version(home: Path) -> None:
    with tracking.run("training", "train") as run:
        version = make_version("ada", run.run_id, ["ada"])
    event = Event(identity="ada", kind="withdrawn")

    def created(*_: object) -> registry.Version:
        consents.write(event)  # between the question before and the one after
        return version

    card = type("Card", (), {"identities": {"ada": []}, "identity": "ada"})()
    with pytest.MonkeyPatch.context() as patch:
        from faceswap.registry import registering

        patch.setattr(registering, "_registered", lambda *_: None)
        patch.setattr(registering, "_new", created)
        patch.setattr(MlflowClient, "log_artifact", lambda *_: None)
        with pytest.raises(ConsentError, match="withdrawn"):
            registry.register(run.run_id, home, {"ada": card})
    assert registry.versions() == []
    assert not list((home / "artifacts").rglob("decoder.keras")), "its files are gone, too"


def test_weights_of_a_registration_that_ended_on_the_way_are_found_and_erased(home: Path) -> None:
    client = tracking.connect()
    with tracking.run("training", "train") as run:
        for name in ("ada", "ben"):
            run.face_set(name, "d" * 64, str(make_face_set(home / "face-sets", name)), 3)
        client.log_text(run.run_id, "shared weights", "encoder/encoder.keras")
    model = client.create_logged_model(client.get_run(run.run_id).info.experiment_id, "face-ada", run.run_id)
    (home / "made").mkdir()
    (home / "made" / "decoder.keras").write_text("weights")
    client.log_model_artifacts(model.model_id, str(home / "made"))
    found = withdraw().found
    assert {"weights", "encoder"} <= {item.kind for item in found.items}
    done = withdraw(erase=True)
    assert done.left is not None
    assert done.left.items == []
    assert not list((home / "artifacts").rglob("*.keras"))
