"""A registered version of a few kilobytes, and media for it to swap."""

from pathlib import Path

import pytest

from faceswap import registry, tracking
from faceswap.jobs.fictional.fictional_media import write_people
from faceswap.media.video.reading import VideoReader, VideoWriter
from tests.jobs.swapping import SECONDS
from tests.registry.test_versions import TINY, card


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A network of a few kilobytes: untrained, so that its faces are noise."""
    from faceswap.model.training.autoencoders import Autoencoders
    from faceswap.model.training.model_files import export

    folder = tmp_path_factory.mktemp("export")
    return folder, export(Autoencoders(TINY, ["ada", "ben"]), folder)


@pytest.fixture
def version(database: Path, exported: tuple[Path, dict[str, str]]) -> registry.Version:
    """It, in the test's registry."""
    folder, digests = exported
    with tracking.run("training", "train") as run:
        return registry.register(run.run_id, folder, {"ada": card(run.run_id, digests)})["ada"]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video in two spans, four pictures and a broken one."""
    folder = tmp_path_factory.mktemp("media")
    people = write_people(folder / "people", ["bram"], "video", seconds=2, size=128)
    write_people(folder, ["bram"], "pictures", count=4, size=128)
    (folder / "bram" / "0002.png").write_bytes(b"no picture")
    with VideoReader(people["bram"]) as reader:
        frames = [frame.image for frame in reader.frames()]
    there_and_back = frames + frames[::-1]
    with VideoWriter(folder / "bram" / "long.mp4", width=128, height=128, fps=10) as writer:
        for number in range(SECONDS * 10):
            writer.write(there_and_back[2 * number % len(there_and_back)])
    return folder / "bram"
