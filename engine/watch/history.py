"""What is kept of the looks beside the newest flows: the black box, the recurrent weights, and what was told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch

from engine.watch.black_box import BlackBox, Recorder
from engine.watch.call import Call
from engine.watch.events import Events
from engine.watch.looks import ModuleLook
from engine.watch.loop_looks import LoopLook
from engine.watch.modules import WatchedModule, flat_weights
from engine.watch.numbers import numbers_of
from engine.watch.recurrent_weights import RecurrentWeights, recurrent_weights


class History:
    """Grows with every look.

    Attributes:
        events: who wants to be told of what. recurrent_weights: of each module at its last look.
    """

    def __init__(self) -> None:
        self.events = Events()
        self.recurrent_weights: dict[str, RecurrentWeights] = {}
        self._recorder = Recorder()

    @property
    def black_box(self) -> BlackBox:
        """The last looks as small numbers."""
        return self._recorder.value

    @torch.no_grad()
    def looked(
        self, backward_pass: int, calls: Sequence[Call], looks: Mapping[str, ModuleLook | LoopLook], is_scaled: bool
    ) -> None:
        """Keep what is needed of a look.

        Args:
            looks: the newest of every module, also those of earlier looks. is_scaled: see `Recorder.looked`.
        """
        fresh = {name: look for name, look in looks.items() if look.flow.backward_pass == backward_pass}
        self._recorder.looked(backward_pass, numbers_of(calls, fresh), is_scaled)
        self.recurrent_weights |= recurrent_weights(calls)

    def closed(self, modules: Iterable[WatchedModule]) -> None:
        """Look once more at the weights of the modules that are still there."""
        there = [(watched.name, watched.module()) for watched in modules]
        self._recorder.closed(
            [
                name
                for name, module in there
                if module is not None and not all(bool(torch.isfinite(weight).all()) for weight in flat_weights(module))
            ]
        )
