"""A training of seconds of two people in S3, as a command does it: ``python -m tests.team.people [STEPS]``."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from faceswap.cli.common import spoken_errors
from faceswap.cli.running import run
from faceswap.faces.faceset import HEADER, FaceSet, digest_of, write_header
from faceswap.jobs.parameters import TrainParameters
from faceswap.settings import settings
from faceswap.storage import list_files, publish_files

V1 = Path(__file__).parents[1] / "fixtures" / "v1"
NAMES = ("ann", "ben")


TINY: dict[str, object] = {
    "size": 32,
    "coverage": 1.5,
    "centre": 0,
    "encoder_coverage": 0,
    "encoder_filters": [8, 8, 8],
    "encoder_kernel": 3,
    "bottleneck": 8,
    "code_grid": 4,
    "code_columns": 0,
    "code_filters": 8,
    "decoder_filters": [8, 8],
    "batch_size": 2,
}


def training(**more: object) -> dict[str, object]:
    """Parameters of a training of networks of some kilobytes, which saves every second."""
    quick = {"checkpoint_seconds": 1, "validate_seconds": 1e6, "measure_frames": 0, "warm_start": ""}
    return {"face_sets": list(NAMES), "changes": TINY, **quick, **more}


def make_face_sets(root: Path) -> list[Path]:
    """A face set of each below a folder; returns theirs."""
    made = []
    for name in NAMES:
        folder = Path(shutil.copytree(V1 / "face-set", root / name / "making"))
        header = json.loads((folder / HEADER).read_text())
        header["identity"] = header["consent"]["subject"] = name
        write_header(folder, header)
        header["digest"] = digest_of(folder, FaceSet.load(str(folder), verify=False).consent)
        write_header(folder, header)
        made.append(folder.rename(folder.with_name(header["digest"][:16])))
    return made


def publish_face_sets() -> None:
    """The same, to where the settings say, in S3."""
    with tempfile.TemporaryDirectory() as scratch:
        for folder in make_face_sets(Path(scratch)):
            names = [file for file in list_files(str(folder)) if file != HEADER]
            uri = f"{settings().face_sets_root}/{folder.parent.name}/{folder.name}"
            publish_files(folder, [*names, HEADER], uri)


def main(steps: Annotated[int, typer.Argument()] = 0, minutes: float = 0) -> None:
    """Publish the face sets, and train so many steps or minutes."""
    with spoken_errors():
        publish_face_sets()
        if steps or minutes:
            budget: dict[str, object] = {"minutes": minutes} if minutes else {"steps": steps}
            run("train", TrainParameters.model_validate(training(**budget)))


if __name__ == "__main__":
    typer.run(main)
