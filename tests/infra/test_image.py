import re
import tomllib
from pathlib import Path

from setuptools import find_packages

ROOT = Path(__file__).parents[2]


def test_the_image_holds_every_package() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = find_packages(str(ROOT), include=setuptools["packages"]["find"]["include"])
    before_install, found, _ = (ROOT / "Dockerfile").read_text().partition("--target /own")
    copied = {tuple(words.split()) for words in re.findall(r"^COPY (.+)$", before_install, re.MULTILINE)}
    assert found
    assert {"faceswap", "flows", "infra", "serving"} <= set(packages)
    for package in {name.partition(".")[0] for name in packages}:
        assert (package, package) in copied
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert not {name.partition(".")[0] for name in packages} & set(ignored)
