"""Chain, Look and Diagnosis of a loop that was written by hand: nothing is known of its cell but its states."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.frame import Chain, Diagnosis, Look
from engine.frame.readings import Preactivations, StepFactors, WeightGradients
from engine.lens.norms import Endpoints, SequenceNorms, gradient_norms
from engine.watch.diagnosis import Watched, diagnose
from engine.watch.endpoints import last_of, steps_back, what_is_broken
from engine.watch.flow import Flow
from engine.watch.mistakes import Mistake
from engine.watch.reach import Reaches, reaches_of
from engine.watch.recurrent_weights import BlockSize


@dataclass(frozen=True, eq=False)
class LoopLook:
    """One hand-written loop at one look; as `engine.watch.looks.ModuleLook`.

    Where losses enter is not known, but at the last step, where nothing comes from later. So the gradient is that of
    all losses together. What needs a cell is NaN, or None: factors, weights, preactivations.
    """

    flow: Flow

    @cached_property
    def ends(self) -> Endpoints:
        """From the last step of every sequence back to its first."""
        valid = self.flow.valid
        return Endpoints(valid, last_of(valid, 0)[None], last_of(valid, 1)[None])

    @cached_property
    def drawn(self) -> int:
        """The longest sequence."""
        return int(self.flow.valid.sum(0).argmax())

    @cached_property
    def chain(self) -> Chain:
        """The states along the time axis; the size of the inputs is not known, and 0 here."""
        valid = self.flow.valid
        own, enters = valid[:, self.drawn], int(self.ends.enters[0, self.drawn])
        return Chain(
            cell="unknown",
            nonlinearity="",
            num_layers=1,
            directions=1,
            hidden_size=self.flow.hidden.shape[-1],
            input_size=0,
            time_steps=len(own),
            valid=tuple(own.tolist()),
            counted=tuple(t == enters for t in range(len(own))),
            entering=(enters,),
            same_lengths=bool((valid == valid[:, :1]).all()),
            sequences=valid.shape[1],
        )

    @cached_property
    def look(self) -> Look:
        """States and norms."""
        flow, drawn = self.flow, self.drawn
        shape, units = flow.hidden.shape[:3], flow.hidden.shape[-1]
        undefined = np.full(shape, np.nan)
        return Look(
            step=flow.backward_pass,
            hidden=flow.hidden[:, :, :, drawn].copy(),
            cell=None,
            gates={},
            valid=flow.valid[:, drawn].copy(),
            counted=np.array(self.chain.counted),
            factors=StepFactors(undefined, None, None, {}),
            weight_gradients=WeightGradients(None, undefined.copy(), None, undefined.copy()),
            **vars(gradient_norms(self._norms(), self.ends, drawn)),
            **vars(
                Preactivations(
                    from_input=np.full((shape[-1], 1, units), np.nan),
                    from_state=None,
                    biases=np.zeros((1, 0, 1, units)),
                )
            ),
        )

    def on_demand(self, requested: Collection[str]) -> dict[str, Any]:
        """None of them: they all need a cell."""
        return {}

    @property
    def block_sizes(self) -> list[BlockSize]:
        """None: its weights are not known."""
        return []

    def diagnosis(self, mistakes: Sequence[Mistake], before: str = "") -> Diagnosis:
        """The verdict; mistakes, before: see `ModuleLook.diagnosis`."""
        return diagnose(
            Watched(
                code=None,
                chain=self.chain,
                look=self.look,
                reaches=self.reaches,
                between=(steps_back(self.ends, 0, self.drawn),),
                follows_last=False,
                places=len(self.flow.valid),
                broken=what_is_broken(self.flow, self._norms().total),
                detached=(),
                calls=1,
                mistakes=[each for each in mistakes if each.module == self.flow.name],
                before=before,
                seen=self.flow.seen,
            )
        )

    @cached_property
    def reaches(self) -> Reaches:
        """How far the gradient of all losses together comes back."""
        return reaches_of(self._norms().memory, self.ends, len(self.flow.valid), False)

    @property
    def measured_reaches(self) -> Reaches:
        """The same: nothing else is known."""
        return self.reaches

    def _norms(self) -> SequenceNorms:
        total = np.linalg.norm(self.flow.grad_hidden, axis=-1)
        direct = np.where(np.arange(len(self.flow.valid))[:, None] == self.ends.enters, total, np.nan)
        return SequenceNorms(total=total, direct=direct, cell=None, last=total, last_cell=None)
