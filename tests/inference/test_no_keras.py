"""Swapping, the app and measuring need no Keras: a fresh process does all three with a registered version."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faceswap import registry, tracking
from faceswap.media.images import write_image
from faceswap.registry.cards import version_card
from faceswap.synthetic import Scene, person, render

V1 = Path(__file__).parents[1] / "fixtures" / "v1"


@pytest.mark.usefixtures("database")
def test_a_fresh_process_swaps_serves_and_measures_without_keras(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    shutil.copy(V1 / "encoder.keras", folder)
    shutil.copy(V1 / "decoder.keras", folder / "decoder_ada.keras")
    with tracking.run("training", "train") as run:
        card = version_card.read(V1 / "card.json").model_copy(update={"run_id": run.run_id})
        registry.register(run.run_id, folder, {"ada": card})
    write_image(tmp_path / "emeric.png", render(person("emeric"), Scene(), 256).image)
    command = [sys.executable, "-m", "tests.inference.no_keras"]
    places = [str(tmp_path / "emeric.png"), str(tmp_path), str(V1 / "face-set")]
    done = subprocess.run(
        [*command, *places],
        env=os.environ | {"FACESWAP_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "brought along: []"
