"""README's section "In a notebook", run as it stands, but for the length of the training."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from faceswap.media.images import read_image, write_image
from faceswap.media.video.reading import VideoReader
from tests.e2e.conftest import Done, environment_of


def test_the_lines_of_the_readme_train_register_and_swap_without_a_server(demo: Done, tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    found = re.search(r"## In a notebook\n\n```python\n(.*?)```", readme, re.DOTALL)
    assert found
    lines = found[1].replace("minutes=4", "steps=2, measure_frames=0")
    assert lines != found[1]
    for name, video in (("ada", "bram"), ("ben", "emeric")):
        shutil.copy(demo.out / "people" / f"{video}.mp4", tmp_path / f"{name}.mp4")
    with VideoReader(tmp_path / "ben.mp4") as reader:
        frame = next(reader.frames()).image
    write_image(tmp_path / "ben.png", frame)
    lines += "\nimport sys\nassert 'prefect' not in sys.modules\n"
    done = subprocess.run(
        [sys.executable, "-c", lines],
        cwd=tmp_path,
        env=environment_of(tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "'pictures_faces': 1" in done.stdout
    assert abs(read_image(tmp_path / "swapped.png").astype(int) - frame).max() > 30
