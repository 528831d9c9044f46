"""Libraries that write to the process's standard error while they are imported are imported in silence."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from faceswap.process.silence import silence

_CHATTY = frozenset({"keras", "tensorflow"})
"""TensorFlow 2.21 writes before it reads TF_CPP_MIN_LOG_LEVEL; Keras goes on to ask it for its devices."""


class _Quiet(MetaPathFinder):
    """Finds the chatty libraries as Python does, and lets them be executed in silence."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a chatty library; None for everything else."""
        spec = PathFinder.find_spec(name, path, target) if name in _CHATTY else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def quietly(module: ModuleType) -> None:
            with silence():
                execute(module)

        spec.loader.exec_module = quietly  # type: ignore[method-assign]
        return spec


def silence_imports() -> None:
    """From now on the chatty libraries are imported in silence, wherever in this process that happens."""
    if not any(isinstance(finder, _Quiet) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Quiet())
