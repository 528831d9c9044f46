"""Models as functions: compiled on JAX, where each operation called by itself would be compiled by itself."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

Chain = Sequence[keras.Model]


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


def _chained(models: Chain, x: Any) -> Any:
    for model in models:
        x = model(x, training=False)
    return x


def _variables(models: Chain) -> list[Any]:
    return [variable for model in models for variable in model.variables]
