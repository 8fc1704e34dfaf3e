"""From what a look has kept of a module to a `Chain`, a `Look` and a `Diagnosis`: what figures and stage read."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.cells import CELLS
from engine.frame import Chain, Diagnosis, Look
from engine.frame.frozen import FrozenArrays
from engine.frame.reading_request import ReadingRequest
from engine.frame.readings import GradientNorms, Preactivations, Spectrum, WeightGradients
from engine.lens.norms import Endpoints, SequenceNorms, gradient_norms
from engine.lens.preactivations import chain_terms, preactivations
from engine.lens.spectrum import spectrum_of
from engine.lens.step_factors import factors_of
from engine.lens.sweep import SweepResult
from engine.lens.weight_gradients import weight_gradients_of
from engine.watch.advice import Code
from engine.watch.alone import last_loss_alone
from engine.watch.diagnosis import Watched, diagnose
from engine.watch.endpoints import endpoints, places_of, steps_back, what_is_broken
from engine.watch.flow import Flow
from engine.watch.kept import Kept, WatchedTrace
from engine.watch.mistakes import Mistake
from engine.watch.modules import WatchedModule
from engine.watch.reach import Reaches, reaches_of
from engine.watch.recurrent_weights import BlockSize, block_sizes

FOLLOWED = ("grad_norm_last", "grad_norm_memory", "relative", "relative_low", "relative_high", "ratio",
            "output_grad_norm")  # fmt: skip
"""Fields of `GradientNorms` that are of the followed loss; those of the drawn sequence follow them."""


@dataclass(frozen=True, eq=False)
class ModuleLook:
    """One module at one look. Everything is computed when it is asked for, and then kept.

    The drawn sequence is the longest of those that were looked at. The followed loss is the one that enters last. If
    the module was called several times in the pass, its gradient is known of the drawn sequence alone, and quartiles
    and medians of it are that sequence's; if states were changed between the calls, it is not known, and the gradient
    of all losses together stands in its place (`follows_last`).
    """

    flow: Flow
    kept: Kept
    module: WatchedModule

    @cached_property
    def ends(self) -> Endpoints:
        """Where the followed loss enters every sequence, and how far back it can come."""
        return endpoints(self.flow, self.kept)

    @cached_property
    def places(self) -> np.ndarray:
        """(T, rows) bool: where a loss enters."""
        return places_of(self.flow, self.kept)

    @cached_property
    def places_on_the_way(self) -> int:
        """At how many steps a loss enters between the last and the first step that it can come back to, at most."""
        if self.flow.last is not None:
            return int(self.flow.last.places.max())
        enters, relevant = self.ends.enters[0], self.ends.relevant[0]
        t = np.arange(len(self.places))[:, None]
        on_the_way = self.places & (t >= np.minimum(enters, relevant)) & (t <= np.maximum(enters, relevant))
        return int(on_the_way.sum(0).max())

    @cached_property
    def alone(self) -> SweepResult | None:
        """The drawn sequence's sweep of the last loss alone through several calls; None where it is not known."""
        flow, kept = self.flow, self.kept
        enters = int(self.ends.enters[0, kept.drawn])
        if flow.last is not None or kept.stack.directions > 1 or enters < 0 or self.places_on_the_way < 2:
            return None
        assert flow.grad_hidden_direct is not None
        direct = flow.grad_hidden_direct[-1, 0, :, kept.drawn] * kept.scale
        return last_loss_alone(kept.trace, kept.swept.passes, direct, enters)

    @cached_property
    def measured_reaches(self) -> Reaches:
        """How far the gradient comes back, of what the look has measured itself: without another sweep."""
        alone = self.flow.last is not None or self.places_on_the_way < 2
        return reaches_of(self.kept.norms.memory, self.ends, self.places_on_the_way, alone)

    @cached_property
    def reaches(self) -> Reaches:
        """How far the gradient of the followed loss comes back."""
        if self.alone is None:
            return self.measured_reaches
        norms = SequenceNorms.of(self.alone.chains, (1,)).divided_by(self.kept.scale)
        return reaches_of(norms.memory, self._own_ends, self.places_on_the_way, True)

    @property
    def _own_ends(self) -> Endpoints:
        """Of the drawn sequence alone."""
        ends, one = self.ends, slice(self.kept.drawn, self.kept.drawn + 1)
        return Endpoints(ends.valid[:, one], ends.enters[:, one], ends.relevant[:, one])

    @property
    def follows_last(self) -> bool:
        """True if the followed loss is the last alone; False if it is all losses together."""
        return self.flow.last is not None or self.places_on_the_way < 2 or self.alone is not None

    @property
    def _swept(self) -> tuple[SweepResult, tuple[int, int]]:
        """The drawn sequence's sweep, and for each direction the seed of the followed loss."""
        return (self.kept.swept, self.kept.seeds) if self.alone is None else (self.alone, (1, 1))

    @cached_property
    def chain(self) -> Chain:
        """The states along the time axis."""
        stack, kept, valid = self.kept.stack, self.kept, self.flow.valid
        own, counted, real = valid[:, kept.drawn], self.places[:, kept.drawn], np.flatnonzero(valid[:, kept.drawn])
        own_ends = (int(real[-1]), int(real[0]))
        measured = self.ends.enters[:, kept.drawn].tolist()
        entering = tuple(at if at >= 0 else own_ends[d] for d, at in enumerate(measured))
        answers_once = bool(entering == own_ends[: stack.directions] and counted.sum() <= stack.directions)
        if answers_once:  # one loss, said to be where the forward direction ends
            counted = np.arange(len(own)) == own_ends[0]
        alike = (valid == valid[:, :1]).all() and (self.ends.enters == self.ends.enters[:, :1]).all()
        return Chain(
            cell=stack.cell,
            nonlinearity=stack.nonlinearity,
            num_layers=stack.layers,
            directions=stack.directions,
            hidden_size=stack.units,
            input_size=kept.input_size,
            proj_size=stack.projected,
            time_steps=len(own),
            valid=tuple(own.tolist()),
            counted=tuple(counted.tolist()),
            answers_once=answers_once,
            entering=entering,
            same_lengths=bool(alike),
            sequences=valid.shape[1] if self.alone is None else 1,
            cuts=kept.cuts,
        )

    @cached_property
    def look(self) -> Look:
        """Everything that a frame has of a chain, without a diagnosis."""
        flow, drawn, (swept, seeds) = self.flow, self.kept.drawn, self._swept
        matrices = {f"{flow.name}.{name}": values for name, values in _matrices(self.kept).items()}
        is_plain = CELLS[self.kept.stack.cell].is_plain
        return Look(
            step=flow.backward_pass,
            hidden=flow.hidden[:, :, :, drawn].copy(),
            cell=None if flow.cell is None else flow.cell[:, :, :, drawn].copy(),
            gates={name: values[:, :, :, drawn].copy() for name, values in flow.gates.items()},
            valid=flow.valid[:, drawn].copy(),
            counted=np.array(self.chain.counted),
            factors=factors_of(swept, seeds),
            weight_gradients=self._weight_gradients(swept, seeds),
            mean_weights={name: np.array(np.abs(values).mean()) for name, values in matrices.items()},
            spectral_norms={
                name: np.array(np.linalg.norm(values, 2))
                for name, values in matrices.items()
                if is_plain and "weight_hh" in name and np.isfinite(values).all()
            },
            **vars(self._norms()),
            **vars(self._preactivations()),
        )

    def on_demand(self, requested: Collection[str]) -> dict[str, FrozenArrays]:
        """{name: reading} of the drawn sequence, for what is requested and this module has; see `Lens.frame`."""
        requests = {request.name: request for request in map(ReadingRequest.parse, requested) if request is not None}
        found: dict[str, FrozenArrays | None] = {}
        if "spectrum" in requests:
            found["spectrum"] = self._spectrum()
        if "terms" in requests:
            found["terms"] = chain_terms(self.kept.trace, *requests["terms"].arguments)
        return {name: reading for name, reading in found.items() if reading is not None}

    def _spectrum(self) -> Spectrum | None:
        """Of the last call, or of the loop of one-step calls; None if states were changed on the way, or projected."""
        last = self.kept.trace.passes[-1]
        if self.kept.stack.projected or not all(trace.is_one_loop for row in last.cell_traces for trace in row):
            return None
        return spectrum_of(WatchedTrace([last], []))

    @property
    def block_sizes(self) -> list[BlockSize]:
        """The sizes of the recurrent weights."""
        return block_sizes(self.kept.trace)

    @cached_property
    def broken(self) -> str:
        """What is not finite in some sequence, in words; empty if all is."""
        if found := what_is_broken(self.flow, self.kept.norms.total):
            return found
        terms = self.look.weight_gradients.ih[..., self.look.valid]
        return "" if np.isfinite(terms).all() else "weight's gradient"

    def diagnosis(self, mistakes: Sequence[Mistake], before: str = "") -> Diagnosis:
        """The verdict; mistakes: those that were found, in any module; before: see `Watched`."""
        kept, ends = self.kept, self.ends
        enters, relevant = ends.enters[0, kept.drawn], ends.relevant[0, kept.drawn]
        return diagnose(
            Watched(
                code=Code(self.module.path, kept.stack, kept.input_size, self.module.one_step),
                chain=self.chain,
                look=self.look,
                reaches=self.reaches,
                between=tuple(steps_back(ends, d, kept.drawn) for d in range(kept.stack.directions)),
                follows_last=self.follows_last,
                places=self.places_on_the_way,
                broken=self.broken,
                detached=tuple(at for at in kept.trace.cuts if relevant < at <= enters),
                calls=len(self.flow.calls),
                mistakes=[each for each in mistakes if each.module == self.flow.name],
                before=before,
                seen=self.flow.seen,
            )
        )

    def _norms(self) -> GradientNorms:
        kept, ends = self.kept, self.ends
        found = gradient_norms(kept.norms, ends, kept.drawn)
        if self.alone is None:
            return found
        own = gradient_norms(SequenceNorms.of(self.alone.chains, (1,)).divided_by(kept.scale), self._own_ends)
        names = [*FOLLOWED, *(f"sequence_{name}" for name in FOLLOWED[:2])]
        return dataclasses.replace(found, **{name: getattr(own, name) for name in names})

    def _weight_gradients(self, swept: SweepResult, seeds: tuple[int, int]) -> WeightGradients:
        """In the unit of the loss as it was differentiated, too."""
        scale, enters = self.kept.scale, self.ends.enters[:, self.kept.drawn].tolist()
        found = weight_gradients_of(swept, seeds, enters)
        hh = None if found.hh is None else found.hh / scale
        return dataclasses.replace(found, ih=found.ih / scale, hh=hh)

    def _preactivations(self) -> Preactivations:
        """Of the top layer, forwards. All calls have the same biases, as a single pass has; NaN if they do not."""
        found = preactivations(self.kept.trace)
        same = (found.biases == found.biases[:1]).all()
        return dataclasses.replace(found, biases=np.where(same, found.biases[:1], np.nan))


def _matrices(kept: Kept) -> dict[str, np.ndarray]:
    """The weights that are matrices, by their names in the module."""
    found = {}
    for layer, row in enumerate(kept.trace.weights):
        for d, weights in enumerate(row):
            suffix = f"_l{layer}" + ("_reverse" if d else "")
            for what, values in (("ih", weights.ih), ("hh", weights.hh), ("hr", weights.hr)):
                if values is not None:
                    found[f"weight_{what}{suffix}"] = values.numpy()
    return found
