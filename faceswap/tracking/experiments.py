"""MLflow's experiments, one for each kind of work.

Trainings, searches, evaluations and swaps are compared among themselves, so each kind has an experiment of its own.
Homes from before have all runs in one, named like the setting ``experiment``: it is still read.
"""

import datetime as dt
from contextlib import suppress
from pathlib import Path

import mlflow
from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException

from faceswap.files.home_paths import local_path
from faceswap.settings import settings
from faceswap.tracking import views
from faceswap.tracking.views import Chart, View

TRAINING, TUNING, JUDGING, SWAPS = "training", "tuning", "evaluation and promotion", "swaps"
CONSENT = "consent"
_KINDS = {
    "tune": TUNING,
    "trial": TUNING,
    "evaluate": JUDGING,
    "promote": JUDGING,
    "rollback": JUDGING,
    "swap": SWAPS,
    "consent": CONSENT,
}
_ABOUT = {
    TRAINING: "Trainings, and the face sets they start from. Compare them by `swap_identity_distance` (lower is "
    "better) and `swap_lip_gap_correlation` (towards 1), both measured on held-out frames as the training goes on.",
    TUNING: "Searches, each with its trials nested in it. Compare trials by parallel coordinates over the searched "
    "settings and `quality` (0 to 1).",
    JUDGING: "Versions measured on held-out frames, and who went to production, when and why: each run has "
    "`promotion.md` or `evaluation.json` and pictures.",
    CONSENT: "Who allowed what with their likeness, until when, and who withdrew it: a run for each step, which nobody "
    "changes or deletes. `faceswap consent show NAME` reads them.",
    SWAPS: "Pictures and videos that were swapped, with the version that was used.",
}

_VIEWS = {
    TRAINING: View(
        charts=(
            Chart(
                "LINE", ("swap_identity_distance",), "Likeness: distance to the reference (lower is better)"
            ),
            Chart("LINE", ("swap_lip_gap_correlation",), "Lips follow the target (towards 1)"),
            Chart("LINE", ("heldout_mae",), "Error on held-out faces (lower is better)"),
            Chart("LINE", ("loss",), "Loss of the training"),
            Chart("LINE", ("images_per_second",), "Images a second"),
            Chart("IMAGE", ("preview",), "Previews"),
        ),
        columns=(
            "params.preset.name",
            "metrics.swap_identity_distance",
            "metrics.swap_lip_gap_correlation",
            "metrics.heldout_mae",
        ),
    ),
    TUNING: View(
        charts=(
            Chart("LINE", ("quality",), "Quality of the trials (0 to 1)"),
            Chart("SCATTER", ("identity_distance", "lip_gap_correlation"), "Likeness against lips"),
            Chart("BAR", ("winner.quality",), "Quality of each search's best trial"),
        ),
        columns=("metrics.quality", "metrics.identity_distance", "metrics.lip_gap_correlation"),
    ),
    JUDGING: View(
        charts=(
            Chart("BAR", ("identity_distance",), "Likeness: distance to the reference (lower is better)"),
            Chart("BAR", ("lip_gap_correlation",), "Lips follow the target (towards 1)"),
            Chart("BAR", ("sharpness",), "Sharpness, as a share of the reference's"),
            Chart("SCATTER", ("identity_distance", "lip_gap_correlation"), "Likeness against lips"),
        ),
        columns=("metrics.identity_distance", "metrics.lip_gap_correlation", "metrics.sharpness"),
    ),
    CONSENT: View(charts=(), columns=("tags.consent", "tags.consent.by", "tags.consent.until")),
    SWAPS: View(
        charts=(
            Chart("BAR", ("frames_per_second",), "Frames a second"),
            Chart("BAR", ("frames_without_face",), "Frames without a face"),
        ),
        columns=("params.reference", "metrics.written", "metrics.skipped"),
    ),
}
"""What each experiment's charts show first, and its table; all else MLflow lists below."""


def name_of(kind: str) -> str:
    """The experiment that a run of a kind ("train", "swap", …) belongs to."""
    return f"{settings().experiment} {_KINDS.get(kind, TRAINING)}"


def all_ids(client: mlflow.MlflowClient) -> list[str]:
    """Ids of all our experiments that there are, old ones included."""
    name = settings().experiment
    found = client.search_experiments(max_results=1000)
    return [one.experiment_id for one in found if one.name == name or one.name.startswith(f"{name} ")]


def id_for(client: mlflow.MlflowClient, kind: str) -> str:
    """Id of the experiment for runs of a kind; made if there is none.

    The place of an experiment's artifacts is absolute and can't be changed. Where a home was moved or copied, the old
    experiment keeps its runs under another name, and a new one takes its own: nothing is written to the old place.
    """
    name = name_of(kind)
    found = client.get_experiment_by_name(name)
    if found is not None and _is_elsewhere(found):
        with suppress(MlflowException):  # another process may have been faster
            client.rename_experiment(
                found.experiment_id, f"{name} (home moved {dt.datetime.now():%Y-%m-%d %H:%M:%S})"
            )
        found = client.get_experiment_by_name(name)
    if found is not None:
        if found.tags.get(views.TAG) != (view := _VIEWS[_KINDS.get(kind, TRAINING)].tag()):
            with suppress(MlflowException):  # a look only
                client.set_experiment_tag(found.experiment_id, views.TAG, view)
        return str(found.experiment_id)
    local = settings().tracking.startswith("sqlite:") or bool(settings().artifact_root)
    tags = {
        "mlflow.note.content": _ABOUT[_KINDS.get(kind, TRAINING)],
        "mlflow.experimentKind": "custom_model_development",
        views.TAG: _VIEWS[_KINDS.get(kind, TRAINING)].tag(),
    }
    try:
        return str(client.create_experiment(name, settings().artifacts if local else None, tags))
    except MlflowException:  # another process may have been faster
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return str(found.experiment_id)


def _is_elsewhere(experiment: Experiment) -> bool:
    """Whether an experiment of this home's own database keeps its artifacts outside of the home's artifacts."""
    place, root = local_path(experiment.artifact_location), local_path(settings().artifacts)
    if place is None or root is None or place == root:
        return False
    tracking = settings().tracking
    own = (
        tracking.startswith("sqlite:")
        and Path(tracking.removeprefix("sqlite:///")).parent == settings().home_path
    )
    return own and not settings().artifact_root
