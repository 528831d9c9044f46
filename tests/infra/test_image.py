import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
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


def test_what_serves_has_all_that_it_imports() -> None:
    """Whatever our code imports is in the smaller image, but for what trains, exports and spreads over Dask."""
    left_out = {
        "keras",
        "keras_tuner",
        "tensorflow",
        "jax",
        "torch",
        "onnx",
        "tf2onnx",
        "distributed",
        "pynvml",
    }
    imported = set()
    for room in ("faceswap", "serving", "infra"):
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    imported |= {name.name.partition(".")[0] for name in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    imported.add(str(node.module).partition(".")[0])
    others = imported - set(sys.stdlib_module_names) - {"faceswap", "flows", "infra", "serving"} - left_out
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements-serve.txt").read_text(), re.MULTILINE))
    known = {re.sub(r"[-_.]+", "-", name).lower() for name in pinned}
    packages = packages_distributions()
    for name in sorted(others):
        by = packages.get(name, [f"{name}-bin"])  # a wheel that names no module: dlib
        assert {re.sub(r"[-_.]+", "-", one).lower() for one in by} & known, name
