"""What an interrupted training leaves, and what it may be resumed with."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from faceswap import storage
from faceswap.cli.common import spoken_errors
from faceswap.errors import ConsentError, ConsentUnknown, DivergedError, SettingsError, TrackingError
from faceswap.faces.geometry import Geometry
from faceswap.jobs.monitor import Terminal
from faceswap.jobs.parameters import OF_THE_RUN, PresetName, TrainParameters
from faceswap.jobs.training import resuming as work
from faceswap.jobs.training.checkpoint_store import CheckpointStore
from faceswap.model.presets import Preset
from faceswap.model.training.checkpoints import Checkpoints, TrainingState
from faceswap.settings import settings
from tests.s3 import s3_bucket, use_server

V1 = Path(__file__).parents[1] / "fixtures" / "v1"
BEGUN = TrainParameters(face_sets=["ada", "ben"], preset=PresetName("original"), minutes=3, patience=5)


def leave(run_id: str, parameters: TrainParameters = BEGUN, checkpoint: bool = True) -> None:
    """What a killed training has written by then."""
    folder = work.work_folder(run_id)
    sets = {n: SimpleNamespace(uri=f"sets/{n}/old") for n in ("ada", "ben")}
    work.remember(parameters, sets, folder)  # type: ignore[arg-type]
    if checkpoint:
        leave_checkpoint(work.checkpoints(folder), run_id)


def leave_checkpoint(folder: Path, run_id: str) -> None:
    nothing = SimpleNamespace(weights=[], variables=[])
    Checkpoints(folder).save(nothing, nothing, TrainingState(0, {}, {}, {}, run_id=run_id))  # type: ignore[arg-type]


def resumed(**given: object) -> TrainParameters:
    return work.of_interrupted(
        TrainParameters(**{"face_sets": [OF_THE_RUN], "resume": "r1", **given})  # type: ignore[arg-type]
    )


def test_a_resumed_training_keeps_its_settings_and_the_face_sets_of_that_day(home: Path) -> None:
    leave("r1")
    found = resumed()
    assert found == BEGUN.model_copy(update={"resume": "r1"})
    assert work.face_sets_of(found) == [str(Path(f"sets/{n}/old").resolve()) for n in ("ada", "ben")]
    assert work.face_sets_of(BEGUN) == ["ada", "ben"]


def test_a_training_from_before_its_face_sets_were_noted_is_resumed_by_their_names(home: Path) -> None:
    leave("r1")
    (work.work_folder("r1") / "face_sets.json").unlink()
    assert work.face_sets_of(resumed()) == ["ada", "ben"]


def test_a_training_goes_on_with_its_preset_as_it_was(home: Path) -> None:
    """Here one that the first release made: the crops of a preset are others today."""
    leave("r1", BEGUN.model_copy(update={"preset": PresetName("lite")}), checkpoint=False)
    shutil.copytree(V1 / "checkpoint", work.checkpoints(work.work_folder("r1")))
    then = json.loads((V1 / "checkpoint/step-000000060/state.json").read_text())["preset"]
    found = work.with_its_preset(resumed()).recipe()
    assert found == Preset.model_validate(then)
    assert found.geometry == Geometry(then["size"], then["coverage"])


def test_another_budget_replaces_the_old_one(home: Path) -> None:
    leave("r1")
    found = resumed(steps=900)
    assert (found.minutes, found.steps) == (None, 900)
    assert found.options().budget.steps == 900
    assert resumed(minutes=120).options().budget.minutes == 120


@pytest.mark.parametrize(
    "given",
    [{"preset": "hd128"}, {"seed": 4}, {"face_sets": ["eve", "ben"]}, {"patience": 2}, {"warm_start": ""}],
)
def test_what_a_resumed_training_can_not_take_is_refused(home: Path, given: dict[str, object]) -> None:
    leave("r1")
    with pytest.raises(SettingsError, match=f"{next(iter(given))} can't change"):
        resumed(**given)
    assert resumed(preset="original", face_sets=["ada", "ben"]).patience == 5


def test_without_a_checkpoint_nothing_is_resumed(home: Path) -> None:
    leave("r1", checkpoint=False)
    with pytest.raises(SettingsError, match="left no checkpoint"):
        resumed()


class Orchestrated(Terminal):
    def root(self) -> str:
        return "f1"


@pytest.mark.parametrize("changed", [False, True])
def test_a_retried_run_goes_on_with_the_same_training_only(
    home: Path, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    leave("r1")
    monkeypatch.setattr(work.tracking, "interrupted_run", lambda *asked: {("f1", "train"): "r1"}[asked])
    asked = BEGUN.model_copy(update={"seed": 7 if changed else 0})
    assert work.of_retried(asked, Orchestrated()).resume == ("" if changed else "r1")
    unnamed = asked.model_copy(update={"preset": None})  # it stays what was chosen at first
    assert work.of_retried(unnamed, Orchestrated()).resume == ("" if changed else "r1")
    assert changed or work.of_retried(unnamed, Orchestrated()).preset == "original"
    leave("r1", BEGUN.model_copy(update={"resume": "r1"}))  # as the second try notes it
    assert work.of_retried(BEGUN, Orchestrated()).resume == "r1"
    assert work.of_retried(BEGUN, Terminal()) == BEGUN  # nobody tries again


@pytest.mark.parametrize("how", [KeyboardInterrupt(), TrackingError("MLflow is away"), ConsentUnknown("?")])
def test_what_ends_a_training_says_how_to_go_on(
    home: Path, how: BaseException, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    leave("r1")
    with caplog.at_level("INFO"), pytest.raises(type(how)) as caught, work.telling_how_to_go_on("r1"):
        raise how
    assert "faceswap train --resume r1" in caplog.text
    assert caught.value.__notes__ == ["`faceswap train --resume r1` goes on with the training"]


@pytest.mark.parametrize("how", [DivergedError("not a number"), ConsentError("no"), KeyboardInterrupt()])
def test_where_going_on_does_not_help_nothing_is_said(home: Path, how: BaseException) -> None:
    leave("r1", checkpoint=not isinstance(how, KeyboardInterrupt))
    with pytest.raises(type(how)) as caught, work.telling_how_to_go_on("r1"):
        raise how
    assert not hasattr(caught.value, "__notes__")


def test_the_same_work_finds_its_folder_until_it_is_done(home: Path) -> None:
    with pytest.raises(KeyboardInterrupt), work.going_on("pretrain", {"seed": 1}) as first:
        assert work.run_of(first) == ""
        leave_checkpoint(work.checkpoints(first), "r7")
        raise KeyboardInterrupt
    with work.going_on("pretrain", {"seed": 2}) as other:
        assert work.run_of(other) == ""
    with work.going_on("pretrain", {"seed": 1}) as again:
        assert work.run_of(again) == "r7"
        with pytest.raises(SettingsError, match="runs already"), work.going_on("pretrain", {"seed": 1}):
            pass
    assert not again.exists()


@pytest.mark.parametrize("prefect_too", [False, True])
def test_ctrl_c_prints_what_is_kept_and_the_notes(
    capsys: pytest.CaptureFixture[str], prefect_too: bool
) -> None:
    stopped = KeyboardInterrupt()
    stopped.add_note("`faceswap train --resume r1` goes on with the training")
    with pytest.raises(typer.Exit) as caught, spoken_errors("all is lost"):
        if not prefect_too:
            raise stopped
        try:
            raise stopped
        except KeyboardInterrupt:
            raise ConnectionError("Connection refused")  # noqa: B904  # as Prefect's client does it
    assert caught.value.exit_code == 130
    assert capsys.readouterr().err.split("\n")[1:3] == [
        "Interrupted; all is lost.",
        "  → `faceswap train --resume r1` goes on with the training",
    ]


def test_another_machine_goes_on_with_the_checkpoints_in_s3(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with s3_bucket(monkeypatch) as bucket:
        monkeypatch.setenv("FACESWAP_CHECKPOINTS", f"{bucket}/checkpoints")
        settings.cache_clear()
        leave("r1", checkpoint=False)
        folder, store = work.work_folder("r1"), CheckpointStore("r1")
        store.remember(folder)
        nothing = SimpleNamespace(weights=[], variables=[])
        for step in (1, 2, 3):
            state = TrainingState(0, {}, {}, {}, run_id="r1", step=step)
            store.saved(Checkpoints(work.checkpoints(folder)).save(nothing, nothing, state))  # type: ignore[arg-type]
            store.flush()
        monkeypatch.setenv("FACESWAP_HOME", str(tmp_path / "elsewhere"))
        settings.cache_clear()
        found = resumed()
        assert found == BEGUN.model_copy(update={"resume": "r1"})
        assert work.face_sets_of(found) == [str(Path(f"sets/{n}/old").resolve()) for n in ("ada", "ben")]
        brought = Checkpoints(work.checkpoints(work.work_folder("r1")))
        latest = brought.latest()
        assert latest is not None and latest.step == 3
        assert [one.name for one in brought._all()] == ["step-000000002", "step-000000003"]
        store.clear()
        assert storage.list_files(f"{bucket}/checkpoints") == []


def test_a_store_that_does_not_answer_holds_no_training_up(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use_server(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.setenv("FACESWAP_CHECKPOINTS", "s3://faces/checkpoints")
    monkeypatch.setenv("FACESWAP_S3_ATTEMPTS", "1")
    settings.cache_clear()
    folder, store = work.work_folder("r1"), CheckpointStore("r1")
    leave_checkpoint(work.checkpoints(folder), "r1")
    store.saved(work.checkpoints(folder) / "step-000000000")
    store.flush()
    assert "on this machine" in caplog.text
    assert Checkpoints(work.checkpoints(folder)).latest()
