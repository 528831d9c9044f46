"""Models and losses as functions that are compiled where that makes them faster."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from faceswap.model.device import device
from faceswap.settings import settings

Chain = Sequence[keras.Model]
LEAST_STEPS, LEAST_SECONDS = 100, 30.0
"""Of a training whose loss is fused: that compiles for 2.3 s of the processor, and saves some 0.03 s a step."""


def compiled(like: Chain) -> Callable[[Chain, Any], Any]:
    """One model after the other, as a function of models that are built like these and of the first one's input.

    It is compiled once for all of them, and reads their weights as they are at each call.
    """
    if keras.backend.backend() != "jax":
        return _chained
    import jax

    def stateless(values: list[Any], x: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(_variables(like), values, strict=True))):
            return _chained(like, x)

    run = jax.jit(stateless)
    return lambda models, x: run([variable.value for variable in _variables(models)], x)


def fuses(steps: int | None = None, seconds: float | None = None) -> bool:
    """Whether a training of so many steps, or of so many seconds, is faster by :func:`fused`.

    Only where TensorFlow trains on a CPU (elsewhere the graph around the function is compiled as a whole), and for
    long enough.
    """
    if keras.backend.backend() != "tensorflow" or device().accelerated:
        return False
    return (steps or LEAST_STEPS) >= LEAST_STEPS and (seconds or LEAST_SECONDS) >= LEAST_SECONDS


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays whose operations become a few passes over memory, instead of one each.

    On a CPU that would make the convolutions slower, but the loss of a step takes 26 ms of the processor instead of 57
    (8 pictures of 144 px), 100 instead of 242 at 288 px.
    """
    import tensorflow as tf

    return tf.function(function, jit_compile=True)


def _chained(models: Chain, x: Any) -> Any:
    for model in models:
        x = model(x, training=False)
    return x


def _variables(models: Chain) -> list[Any]:
    return [variable for model in models for variable in model.variables]


def keep_compiled() -> None:
    """Compiled graphs are kept under the home folder, so that the next training starts at once.

    JAX_COMPILATION_CACHE_DIR names another place.
    """
    import jax

    if not jax.config.jax_compilation_cache_dir:
        jax.config.update("jax_compilation_cache_dir", str(settings().cache_path / "xla"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
