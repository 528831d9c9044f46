"""A version's model card, ``card.md`` among its files: data, consent, measures, limits, intended use, for people.

After Mitchell et al., "Model cards for model reporting", FAT* 2019. It is made from the version's tags, and made anew
when the version is measured; MLflow's artifact pages show it as Markdown.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mlflow.exceptions import MlflowException

from faceswap.evaluation.grading.measures import COLUMNS
from faceswap.registry.model_names import Version
from faceswap.tracking import connect, explained

FILE = "card.md"


def markdown(version: Version, tags: Mapping[str, str]) -> str:
    """The card.

    Args:
        version: which.
        tags: of it, as the registry has them.
    """
    measured = [(one, tags[one.key]) for one in COLUMNS if one.key in tags]
    rows = [f"| {one.title} | {value} {one.unit} |" for one, value in measured]
    frames = tags.get("frames", "some")
    measures = (
        [f"On {frames} held-out frames of each target:", "", "| measure | mean |", "|---|---|", *rows]
        if rows
        else ["Not measured yet: `faceswap evaluate` does it."]
    )
    return "\n".join(
        [
            f"# {version.identity}, version {version.version}",
            "",
            "A decoder that puts one person's likeness on faces in pictures and videos.",
            "",
            "## Data",
            "",
            *_data(tags),
            "",
            "## Consent",
            "",
            _consent(version, tags),
            "",
            "## Measures",
            "",
            *measures,
            "",
            "## Intended use",
            "",
            "Pictures and videos of targets that may be edited, for the purposes that the consent names. Every result "
            "is labelled, signed and marked as generated. Not for deceiving anybody about who said or did something, "
            "not for identification, and not for any decision about a person.",
            "",
            "## Limits",
            "",
            f"- It draws {tags.get('preset', 'its')} crops, with fine detail of its face set's photos where it holds "
            "any: faces that are larger than there look softer than their surroundings. That detail shows the person "
            "nearly as the photos do, and wants the same care.",
            "- Faces in profile, behind hands or in expressions that the face set does not show come out worse.",
            "- Detector, landmarks and embeddings are dlib's and do not work equally well on all people; measures on a "
            "few targets say little of others.",
            "- The encoder has seen everybody of its training: "
            + ", ".join(sorted(_people(tags)) or [version.identity])
            + ".",
            "",
            "## Where it comes from",
            "",
            f"MLflow run `{tags.get('run_id', '')}`; digest `{tags.get('digest', '')[:16]}`; "
            f"decoder `{tags.get('decoder_digest', '')[:16]}`, encoder `{tags.get('encoder_digest', '')[:16]}`.",
            "",
        ]
    )


def _people(tags: Mapping[str, str]) -> dict[str, str]:
    try:
        found = json.loads(tags.get("face_sets", "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _data(tags: Mapping[str, str]) -> list[str]:
    sets = [f"- {name}: face set `{str(digest)[:16]}`" for name, digest in sorted(_people(tags).items())]
    minutes = f", {tags['minutes']} minutes" if "minutes" in tags else ""
    about = (
        f"Preset {tags.get('preset', '–')}, bottleneck {tags.get('bottleneck', '–')}{minutes}. Trained on:"
    )
    return [about, "", *(sets or ["- not noted"])]


def _consent(version: Version, tags: Mapping[str, str]) -> str:
    if tags.get("fictional") == "true":
        return f"{version.identity} does not exist. {tags.get('consent', '')}"
    return (
        f"{tags.get('consent', 'none recorded')}. What holds today: `faceswap consent show {version.identity}`; a "
        "withdrawal ends all use of this version at once."
    )


def write(version: Version) -> None:
    """Store the card with the version's files; a version from before it had files of its own gets none.

    Raises:
        TrackingError: MLflow or the store of its artifacts does not take it.
    """
    client = connect()
    with explained(f"store the card of {version}"), tempfile.TemporaryDirectory() as scratch:
        found = client.get_model_version(version.name, str(version.version))
        if not found.model_id:
            return
        Path(scratch, FILE).write_text(markdown(version, found.tags), encoding="utf-8")
        try:
            client.log_model_artifacts(found.model_id, scratch)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
