"""Decoders become versions, once each: a registration that was cut short is finished by the same call.

A version is created together with its tags, in one request, after its files are stored. What a kill leaves behind
before that is a stored model which no name points to.
"""

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import mlflow
from mlflow.entities import LoggedModelOutput
from mlflow.exceptions import MlflowException
from mlflow.models import Model

import faceswap
from faceswap.errors import ConsentError
from faceswap.provenance.consent.life import Purpose
from faceswap.registry import consents, erasing
from faceswap.registry.cards import model_card, version_card
from faceswap.registry.cards.measured import summary
from faceswap.registry.cards.version_card import CARD, DECODER, DECODER_DIGEST, DIGEST, Card
from faceswap.registry.fine_details import FINE_DETAIL
from faceswap.registry.graphs import GRAPH, export_graph
from faceswap.registry.model_names import PREFIX, Version
from faceswap.tracking import connect, explained, failures


def register(
    run_id: str, folder: Path, own_cards: Mapping[str, Card], tags: Mapping[str, str] | None = None
) -> dict[str, Version]:
    """Store the encoder once with the run, and each decoder, with its graph, as a version of its identity's model.

    Called again for the same run and weights it gives the versions that are there, and makes those that are missing.

    Args:
        run_id: of the training.
        folder: with ``encoder.keras``, ``decoder_<identity>.keras`` and, where the card names one,
            ``fine_detail_<identity>.npz``; gets ``swap_<identity>.onnx``.
        own_cards: identity -> card.
        tags: more tags of each version.

    Raises:
        TrackingError: MLflow or the store of its artifacts does not take them; the folder stays as it is.
        RegistryError: a file of the folder is damaged, or not the one that its card names.
        StorageError: a graph can't be written.
        ConsentError: one of the people of the run does not allow training; nothing is registered then.
    """
    client = connect()
    people = {name for card in own_cards.values() for name in card.identities}
    consents.require_all(people, Purpose.TRAINING, fresh=True)
    with explained("store the encoder"):
        client.log_artifact(run_id, str(folder / "encoder.keras"), "encoder")
    versions: dict[str, Version] = {}
    for identity, card in own_cards.items():
        with explained(f"register the decoder of {identity}"):
            found = _registered(client, card)
            versions[identity] = found or _new(client, card, folder, tags or {})
    try:
        # who withdraws writes that down first and then lists the versions: either side sees the other
        consents.require_all(people, Purpose.TRAINING, fresh=True)
    except ConsentError:
        with explained("remove what was just registered"):
            for version in versions.values():
                erasing.remove_version(client, f"{version.name}/{version.version}")
            erasing.remove_encoder(client, run_id)
        raise
    return versions


def _registered(client: mlflow.MlflowClient, card: Card) -> Version | None:
    """The version that an earlier call made of these weights."""
    name = PREFIX + card.identity
    for found in client.search_model_versions(f"name='{name}'"):
        tags = found.tags
        same = (tags.get("run_id"), tags.get("encoder_digest"), tags.get(DECODER_DIGEST)) == (
            card.run_id,
            card.encoder_digest,
            card.decoder_digest,
        )
        if same and version_card.is_complete(tags):
            return Version(name, int(found.version))
    return None


def _new(client: mlflow.MlflowClient, card: Card, folder: Path, more: Mapping[str, str]) -> Version:
    name = PREFIX + card.identity
    files = {DECODER: folder / f"decoder_{card.identity}.keras", GRAPH: folder / f"swap_{card.identity}.onnx"}
    card = export_graph(card, folder / "encoder.keras", files[DECODER], files[GRAPH])
    if card.fine_detail_digest:
        files[FINE_DETAIL] = folder / f"fine_detail_{card.identity}.npz"
    experiment = client.get_run(card.run_id).info.experiment_id
    model = client.create_logged_model(experiment, name, card.run_id, model_type="face-decoder")
    try:
        digest = _store(client, card, files, model.model_id)
        client.finalize_logged_model(model.model_id, "READY")
    except failures():
        with suppress(MlflowException):
            client.finalize_logged_model(model.model_id, "FAILED")
        raise
    client.log_outputs(card.run_id, [LoggedModelOutput(model.model_id, step=0)])
    try:
        client.create_registered_model(name, description=_about(card))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    created = client.create_model_version(
        name,
        source=f"models:/{model.model_id}",
        run_id=card.run_id,
        tags={**card.tags(), DECODER_DIGEST: card.decoder_digest, DIGEST: digest, **more},
        description=summary(card.tags()),
        model_id=model.model_id,
    )
    version = Version(name, int(created.version))
    model_card.write(version)
    return version


def _store(client: mlflow.MlflowClient, card: Card, files: Mapping[str, Path], model_id: str) -> str:
    """Upload what MLflow loads as a model, files by the names that they have there; returns the card's digest."""
    code = Path(faceswap.__file__).with_name("registered_model.py")
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, CARD)
        digest = version_card.write(card, file)
        artifacts = {"card": str(file)}
        for name, source in files.items():
            artifacts[Path(name).stem] = str(shutil.copy(source, Path(scratch, name)))
        mlflow.pyfunc.save_model(
            path=str(Path(scratch, "model")),
            python_model=str(code),
            artifacts=artifacts,
            pip_requirements=[f"faceswap=={faceswap.__version__}"],
            mlflow_model=Model(run_id=card.run_id, model_id=model_id),
        )
        client.log_model_artifacts(model_id, str(Path(scratch, "model")))
    return digest


def _about(card: Card) -> str:
    who = "a person who does not exist" if card.consent.fictional else f"consent: {card.consent.statement}"
    return (
        f"Decoders that put the likeness of **{card.identity}** on other faces ({who}). The alias `production` is what "
        f"`faceswap swap TARGET --reference {card.identity} --out FILE` uses; each version's first line says how good "
        "it is: distance of identity (lower is better), how well lips follow, sharpness."
    )[:4800]
