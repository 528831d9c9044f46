"""Many steps a call on JAX: faces, weights and optimizer stay on the device, and the pairs are made there."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np

from faceswap.errors import CheckpointError
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.engines.optimizer import adam
from faceswap.model.training.engines.parallel import spread
from faceswap.model.training.engines.supply import Pace, Supply, padded
from faceswap.model.training.pairs.device_pairs import DevicePairs
from faceswap.model.training.pairs.draws import BatchDraws
from faceswap.model.training.pairs.resident_faces import FaceArrays, Rows
from faceswap.model.training.schedule import Step
from faceswap.process.cards import free_memory

_FEW = 8
"""Up to so many pairs of each identity all decoders are computed together, as one with a further axis: at 3 x 4 on an
H100 7,570 images/s instead of 5,800, while at 3 x 16 it costs 4 % (hd256)."""


class _Learnt(NamedTuple):
    """What changes from step to step: all weights and all of the optimizer's variables."""

    weights: list[Any]
    slots: list[Any]


class _Steps(NamedTuple):
    """What a call's steps are told; arrays of ``most`` steps, of which ``count`` are trained."""

    count: Any
    rates: Any
    warps: Any
    rests: Any
    rows: Rows
    draws: BatchDraws


class JaxEngine:
    """See :class:`faceswap.model.training.engines.engine.Engine`.

    One graph trains the main phase and the finish: where the encoder rests, its gradients count nothing and its weights
    stay. It has one optimizer for all weights; those that rest are left out when it is handed over.
    """

    def __init__(self, model: Autoencoders, data: TrainingData, seed: int) -> None:
        self.model, self._preset = model, data.preset
        self._variables = list(model.weights)  # all of them learn
        encoder = {id(variable) for variable in model.encoder.weights}
        places = {id(variable): place for place, variable in enumerate(self._variables)}
        self._decoders = [[places[id(v)] for v in decoder.weights] for decoder in model.decoders]
        self._of_encoder = [id(variable) in encoder for variable in self._variables]
        self._whole = adam(data.preset, self._variables)
        self._spread = spread()
        self._everywhere = self._spread.everywhere if self._spread else None
        self._supply = Supply(data, seed, partial(jax.device_put, device=self._everywhere), _memory())
        self._pairs = DevicePairs(data, self._supply.faces.side, jax.lax.optimization_barrier)
        self._pace = Pace(self._supply.most)
        self._learnt: _Learnt | None = None
        self._compiled: Any = None
        self._failed = False
        self._sums: Any = np.zeros(len(model.identities))
        self._steps = 0

    @property
    def wanted(self) -> int:
        """Steps of half a second."""
        return self._pace.steps

    def use(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Main phase or finish, by what is trainable in the model now."""
        self._optimizer = optimizer
        self._rests = not self.model.encoder.trainable
        trained = {id(variable) for variable in self.model.trainable_variables}
        self._trained = [place for place, v in enumerate(self._variables) if id(v) in trained]
        self.reload()

    def reload(self) -> None:
        """Weights and slots from the variables; those of resting weights are zeros."""
        own = self._optimizer.variables
        slots = [np.zeros(v.shape, v.dtype) for v in self._whole.variables]
        for ours, theirs in self._slots():
            slots[ours] = np.array(own[theirs].value)
        # by way of the host: copies on the device would be compiled for each shape
        learnt = _Learnt([np.array(v.value) for v in self._variables], slots)
        self._learnt, self._failed = jax.device_put(learnt, self._everywhere), False

    def _slots(self) -> list[tuple[int, int]]:
        """(place in the optimizer of all, place in that of the trained): iterations, rate, then two of each weight."""
        pairs = [(2 + 2 * ours, 2 + 2 * theirs) for theirs, ours in enumerate(self._trained)]
        return [(0, 0), (1, 1), *((a + i, b + i) for a, b in pairs for i in range(2))]

    def settle(self) -> None:
        """Copies, since the next call overwrites what it is given."""
        if self._learnt is None:
            return
        if self._failed:
            raise CheckpointError(
                "What was learnt since the last checkpoint is lost: the device failed in the middle of a call",
                "resume: it goes on from that checkpoint",
            )
        learnt: _Learnt = jax.device_get(self._learnt)
        for variable, value in zip(self._variables, learnt.weights, strict=True):
            variable.assign(value)
        for ours, theirs in self._slots():
            self._optimizer.variables[theirs].assign(learnt.slots[ours])

    def prepare(self) -> float:
        """Compile the one graph, or find it in the cache under the home folder."""
        if self._compiled is not None:
            return 0.0
        started = time.monotonic()
        faces, told = self._told([Step(0, 0.0, 0.0)])
        results = {"out_shardings": self._everywhere} if self._spread else {}
        train = jax.jit(self._train, donate_argnums=0, **results)
        self._compiled = train.lower(self._learnt, faces, told).compile()
        return time.monotonic() - started

    def run(self, plan: Sequence[Step]) -> tuple[int, dict[str, Any]]:
        """Train all steps of the plan in one call; meanwhile the next ones' numbers are drawn."""
        self.prepare()
        started = time.monotonic()
        faces, told = self._told(plan)
        self._supply.prepare(plan[-1].number + 1, self._pace.likely)
        self._failed = True  # until it is done: a call overwrites what it is given
        self._learnt, losses = self._compiled(self._learnt, faces, told)
        self._sums = self._sums + jax.device_get(losses)  # waits
        self._failed = False
        self._steps += len(plan)
        self._pace.took(len(plan), time.monotonic() - started)
        means = self._sums / self._steps
        named = {f"loss_{name}": float(m) for name, m in zip(self.model.identities, means, strict=True)}
        return len(plan), {"loss": float(means.sum()), **named}

    def reset_means(self) -> None:
        """The next means begin here."""
        self._sums, self._steps = np.zeros(len(self.model.identities)), 0

    def restart(self) -> None:
        """Forget the draws."""
        self._supply.forget()

    def close(self) -> None:
        """Release the device's memory."""
        self._supply.close()
        self._learnt = None

    def _told(self, plan: Sequence[Step]) -> tuple[FaceArrays, _Steps]:
        faces, rows, draws = self._supply.of(plan)
        warps = [self._preset.augmentation.warp_at(step.progress, step.number) for step in plan]
        most = self._supply.most
        rates = padded([step.learning_rate for step in plan], most)
        count, rests = jnp.int32(len(plan)), jnp.bool_(self._rests)
        return faces, _Steps(count, rates, padded(warps, most), rests, rows, draws)

    def _train(self, learnt: _Learnt, faces: FaceArrays, told: _Steps) -> tuple[_Learnt, Any]:
        """The steps of a call; returns what is learnt and each identity's sum of losses."""

        def one(index: Any, state: tuple[_Learnt, Any]) -> tuple[_Learnt, Any]:
            learnt, sums = state
            rows, draws = jax.tree.map(lambda array: array[index], (told.rows, told.draws))
            if self._spread:  # each device makes its own pairs
                rows, draws = self._spread.shared_out((rows, draws))
            # the barrier: else the pairs are made again within each sum over them
            x, y = jax.lax.optimization_barrier(self._pairs(faces, rows, draws, told.warps[index]))
            if self._spread:
                x, y = self._spread.shared_out((x, y))
            learnt, losses = self._step(learnt, x, y, told.rates[index], told.rests)
            return learnt, sums + losses

        return jax.lax.fori_loop(0, told.count, one, (learnt, jnp.zeros(len(self.model.identities))))

    def _step(self, learnt: _Learnt, x: Any, y: Any, rate: Any, rests: Any) -> tuple[_Learnt, Any]:
        def loss(weights: list[Any]) -> tuple[Any, Any]:
            losses = self.model.identity_losses(y, self._predictions(weights, x))
            return losses.sum(), losses

        gradients, losses = jax.grad(loss, has_aux=True)(learnt.weights)
        gradients = [
            jnp.where(rests, 0, gradient) if encoder else gradient
            for gradient, encoder in zip(gradients, self._of_encoder, strict=True)
        ]
        iterations, _, *slots = learnt.slots
        weights, slots = self._whole.stateless_apply([iterations, rate, *slots], gradients, learnt.weights)
        weights = [
            jnp.where(rests, old, new) if encoder else new
            for old, new, encoder in zip(learnt.weights, weights, self._of_encoder, strict=True)
        ]
        return _Learnt(weights, slots), losses

    def _predictions(self, weights: list[Any], x: Any) -> dict[str, Any]:
        """What the model gives with these weights."""
        model, given = self.model, list(zip(self._variables, weights, strict=True))
        if len(model.decoders) == 1 or self._preset.batch_size > _FEW:
            with keras.StatelessScope(state_mapping=given):
                return dict(model(x, training=True))
        with keras.StatelessScope(state_mapping=given):
            features, shape = model.reader(x.reshape(-1, *x.shape[2:]), training=True)
        first = model.decoders[0]
        each = [
            jnp.stack(own) for own in zip(*([weights[i] for i in d] for d in self._decoders), strict=True)
        ]

        def draw(own: list[Any], part: Any) -> Any:
            with keras.StatelessScope(state_mapping=list(zip(first.weights, own, strict=True))):
                return first(part, training=True)

        return {
            "picture": jax.vmap(draw)(each, features.reshape(*x.shape[:2], *features.shape[1:])),
            "shape": shape,
        }


def _memory() -> int | None:
    """What XLA would take, or less where others use the card, too."""
    stats = jax.devices()[0].memory_stats()
    if not stats or "bytes_limit" not in stats:
        return None
    return min(int(stats["bytes_limit"]), free_memory() or int(stats["bytes_limit"]))
