"""Measuring the calls of a backward pass, and the newest look at every module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from engine.recording.growing import WHOLE_MODEL
from engine.watch.arguments import check_name
from engine.watch.call import Call
from engine.watch.flow import Flow
from engine.watch.flows import MeasuredCall, add_direct_of_ends, chosen_rows, flow_of, groups_of, measure_calls
from engine.watch.guard import Guard
from engine.watch.kept import kept_of
from engine.watch.looks import ModuleLook
from engine.watch.loop_looks import LoopLook
from engine.watch.modules import WatchedModule
from engine.watch.proof import AtWeights, allowed, prove
from engine.watch.states import States, flows_of_states

NOTHING_FOUND = (
    "The model has none of PyTorch's recurrent modules (nn.RNN, nn.GRU, nn.LSTM or their cells). In a hand-written "
    'loop call lens.state("h", h) at every step.'
)


class Looking:
    """Takes looks.

    Args:
        modules: those that are watched. rows: see `watch`. guard: gets what cannot be measured, and why.

    Attributes:
        looks: the newest of every module, by name.
    """

    def __init__(self, modules: Mapping[int, WatchedModule], rows: int | None, guard: Guard) -> None:
        self._modules, self._rows, self._guard = modules, rows, guard
        self.looks: dict[str, ModuleLook | LoopLook] = {}
        self._failed: dict[str, str] = {}
        self._proved: dict[str, float] = {}

    @property
    def flows(self) -> dict[str, Flow]:
        """The newest flow of every module, by name."""
        return {name: look.flow for name, look in self.looks.items()}

    def one(self, name: str | None, refusals: Mapping[str, str]) -> ModuleLook | LoopLook:
        """The newest look at one module.

        Args:
            name: as in `named_modules()`, or its end; None if there is only one. refusals: as of `Lens`.

        Raises:
            LookupError: if there is none of this name, with the reason. TypeError: if it is no name.
        """
        if name is not None:
            check_name(name)
        if name is None:
            names = list(self.looks)
        else:
            names = [name] if name in self.looks else [each for each in self.looks if each.endswith("." + name)]
        if len(names) == 1:
            return self.looks[names[0]]
        if names:
            raise LookupError(f"say which module: {', '.join(names)}")
        reasons = {key: why for key, why in refusals.items() if name is None or key in (name, WHOLE_MODEL)}
        why = " ".join(reasons.values()) or "No backward pass has been looked at yet."
        if name is not None and (others := self._others(name)):
            is_watched = len(others) < len(self._known())
            why = (
                f"{why} There is: {', '.join(others)}." if reasons or is_watched else f"There is: {', '.join(others)}."
            )
        raise LookupError(f"there is no flow{'' if name is None else f' of {name}'}. {why}")

    def _others(self, name: str) -> list[str]:
        """The names that there are: those that were looked at, and the other modules that are watched."""
        return [each for each in self._known() if each != name and not each.endswith("." + name)]

    def _known(self) -> list[str]:
        return list(dict.fromkeys([*self.looks, *(watched.name for watched in self._modules.values())]))

    @torch.no_grad()
    def look(
        self, calls: list[Call], states: States, at_weights: AtWeights, *, number: int, scale: float, proves: bool
    ) -> bool:
        """Measure what has arrived in a backward pass. Returns False if nothing was kept of it.

        Args:
            number: of the pass. scale: by which a GradScaler has multiplied the loss.
            proves: prove what is found.
        """
        if states and self._guard.refusals.get(WHOLE_MODEL) == NOTHING_FOUND:
            del self._guard.refusals[WHOLE_MODEL]
        if not calls and not states:
            return False
        flows, refused = flows_of_states(states, self._rows, number, scale)
        looks: dict[str, ModuleLook | LoopLook] = {name: LoopLook(flow) for name, flow in flows.items()}
        rows = chosen_rows(calls, self._rows)
        found, reasons = measure_calls(calls, rows)
        refused |= reasons
        add_direct_of_ends(found, calls)
        if proves:
            self._prove(calls, refused, at_weights, found)
        for name in dict.fromkeys(call.name for call in calls):
            if name not in refused and name not in self._failed:
                own = [one for one in found if one.call.name == name]
                flow = flow_of(name, own, rows[name], number, scale, self._proved.get(name))
                looks[name] = ModuleLook(flow, kept_of(own, flow, scale), self._module(name))
        for name in looks:
            self._guard.refusals.pop(name, None)
        self._guard.refusals |= {**refused, **self._failed}
        unknown = {*refused, *self._failed} - set(looks)
        self.looks = {**{name: look for name, look in self.looks.items() if name not in unknown}, **looks}
        return True

    def _module(self, name: str) -> WatchedModule:
        return next(watched for watched in self._modules.values() if watched.name == name)

    def _prove(
        self, calls: Sequence[Call], refused: Mapping[str, str], at_weights: AtWeights, found: Sequence[MeasuredCall]
    ) -> None:
        """Prove what was measured. A proof that fails refuses the module until one succeeds."""
        shares = {id(weight) for call in calls if call.name in refused for weight in call.weights}
        provable = [call for call in calls if not any(id(weight) in shares for weight in call.weights)]
        parts = {one.call.number for one in found if not one.is_whole}
        known = {one.call.number: one.sweep for one in found}
        groups = groups_of(provable)
        whole = [group[0].number for group in groups if not any(call.number in parts for call in group)]
        proofs = prove(groups, at_weights, {number: known[number] for number in whole})
        limits = {call.name: allowed(call) for call in provable}
        for name, difference in proofs.items():
            self._failed.pop(name, None)
            self._proved[name] = difference
            if not difference <= limits[name]:
                self._failed[name] = (
                    f"{name}: dL/dW from its states is not what autograd brought to its weights: they differ by "
                    f"{difference:.1e} of its norm. Its weights are used elsewhere as well, or it does not compute "
                    "what PyTorch's own module computes."
                )
