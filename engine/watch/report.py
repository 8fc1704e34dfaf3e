"""What a lens has to say, in its order: as values for a terminal and a notebook to show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.diagnosis.bands import band
from engine.frame import Diagnosis
from engine.frame.readings import SATURATION_MARGIN
from engine.number_format import count, short
from engine.watch.black_box import BlackBox
from engine.watch.diagnosis import MEANS, MISTAKE
from engine.watch.flow import Flow, keep_gate, keep_gate_name
from engine.watch.looks import ModuleLook
from engine.watch.loop_looks import LoopLook
from engine.watch.mistakes import Mistake
from engine.watch.numbers import ModuleNumbers
from engine.watch.reach import Reach
from engine.watch.recurrent_weights import BlockSize
from engine.watch.schedule import Cost

LOSS = "the number that backward() was called on"
TF32 = (
    "its float32 products may be made in TF32, with three digits: states and gradients are off by some 1e-4 of their "
    "size. torch.backends.cudnn.allow_tf32 = False and torch.backends.cuda.matmul.allow_tf32 = False give all digits, "
    "for at most 10 % of the speed"
)
NOTHING_YET = "No backward pass has been looked at yet."


@dataclass(frozen=True)
class Report:
    """What there is to say."""

    looks: Mapping[str, ModuleLook | LoopLook]
    mistakes: Sequence[Mistake]
    refusals: Mapping[str, str]
    cost: Cost
    black_box: BlackBox
    loss: float | None


@dataclass(frozen=True)
class ChainReport:
    """The gradient of one layer in one direction. where: which, in words. word: its band, or what is wrong."""

    where: str
    reach: Reach
    word: str


@dataclass(frozen=True)
class ModuleReport:
    """What is said of one module.

    Args:
        verdict: None where nothing but mistakes is known. mistakes: in its wiring.
        before, after: (what it is about, sentence), to be shown before and after the picture of the gradient.
        whose: what `model` is in the advice.
        chains: that picture, by the distance from where the loss enters. caption: whose gradient it is.
    """

    name: str
    verdict: Diagnosis | None
    mistakes: tuple[Mistake, ...]
    before: tuple[tuple[str, str], ...]
    caption: str
    chains: tuple[ChainReport, ...]
    after: tuple[tuple[str, str], ...]
    whose: str = ""

    @property
    def advice(self) -> str:
        """What to write, beside the cures of mistakes."""
        return "" if self.verdict is None or self.verdict.kind == MISTAKE else self.verdict.advice

    @property
    def about_names(self) -> str:
        """What `model` is in lines of code; "" if it is not in them."""
        return self.whose if re.search(r"\bmodel\b", self.advice) else ""

    @property
    def heading(self) -> str:
        """The verdict in a sentence."""
        if self.verdict is None:
            return f"{self.name}: no look was possible."
        if self.verdict.kind == MISTAKE:
            means = next(MEANS[mistake.kind] for mistake in self.mistakes if mistake.kind in MEANS)
            return f"{self.name}: a mistake in its wiring: {means}."
        sentence = self.verdict.sentence
        return f"{self.name}: {sentence[0].lower()}{sentence[1:]}"


def modules_of(report: Report) -> list[ModuleReport]:
    """What is said of every module, in the order of their calls; one of which only mistakes are known included."""
    names = dict.fromkeys([*report.looks, *(mistake.module for mistake in report.mistakes)])
    return [_module(report, name) for name in names]


def closing(report: Report) -> list[tuple[str, str]]:
    """What is said at the end, of the whole: black box, what was refused, and what it cost."""
    box = report.black_box
    said = [] if report.loss is None else [("loss", f"{short(report.loss)} at the last look, {LOSS}")]
    said += [("black box", sentence) for sentence in box.story]
    if box.looks and not box.story:
        said.append(("black box", f"all states, gradients and weights in {_last_looks(len(box.looks))} are finite"))
    said += [("not measured", sentence) for sentence in report.refusals.values()]
    if not report.looks and not report.refusals:
        said.append(("not measured", NOTHING_YET))
    return [*said, ("cost", str(report.cost))]


def _last_looks(number: int) -> str:
    return "the look" if number == 1 else f"the last {number} looks"


def _module(report: Report, name: str) -> ModuleReport:
    mistakes = tuple(mistake for mistake in report.mistakes if mistake.module == name)
    look = report.looks.get(name)
    if look is None:
        return ModuleReport(name, None, mistakes, (), "", (), ())
    flow = look.flow
    chains = tuple(_chain(flow, *chain, reach) for chain, reach in look.reaches.items())
    numbers = next((one.modules[name] for one in reversed(report.black_box.looks) if name in one.modules), None)
    after = [*_gate_facts(flow), *_state_facts(numbers, look), *_weight_facts(look.block_sizes)]
    if flow.proof is not None:
        after.append(
            ("proof", f"dL/dW computed from these gradients differs from autograd's by {flow.proof:.0e} of its norm")
        )
    if flow.is_coarse:
        after.append(("precision", TF32))
    wiring = "; ".join(link for link in flow.links)
    at = f"backward pass {flow.backward_pass} of {report.cost.of} (the first is 0)"
    before = [("seen", f"{at}: {_size(flow)}"), *([("wiring", wiring)] if wiring else [])]
    verdict = look.diagnosis(report.mistakes)
    caption = _caption(flow, chains)
    return ModuleReport(name, verdict, mistakes, tuple(before), caption, chains, tuple(after), _whose(look))


def _whose(look: ModuleLook | LoopLook) -> str:
    """What `model` is in lines of code. A module's name begins with its model's class if nobody has named the model."""
    model = look.module.name.removesuffix(look.module.path).rstrip(".") if isinstance(look, ModuleLook) else ""
    return f"model is your {model}" if model else "model is what you gave to watch"


def _size(flow: Flow) -> str:
    layers, directions, steps, rows, units = flow.hidden.shape
    both = " in both directions" if directions == 2 else ""
    batch = max(span.batch for span in flow.calls)
    sequences = f"{rows} of {batch} sequences" if rows < batch else count(rows, "sequence")
    return f"{count(layers, 'layer')}{both}, {count(steps, 'step')}, {count(units, 'unit')}, {sequences}"


def _caption(flow: Flow, chains: Sequence[ChainReport]) -> str:
    """Which gradient the picture shows, and at which state.

    Of states that were shown one by one it is not known where a loss enters.
    """
    norm = "norm of dL/dh" if flow.cell is None else "norm of dL/dc (c is the cell state)"
    middle = ", median of the sequences" if len(flow.rows) > 1 else ""
    if flow.grad_hidden_direct is None:
        return f"{norm}{middle}, by steps back from the last that a loss reads; where others enter is not known"
    reach = max((chain.reach for chain in chains), key=lambda reach: reach.places)
    if reach.places < 2:
        return f"{norm}{middle}, by steps back from where the loss enters"
    if reach.is_last_alone:
        return f"{norm}, of what enters last alone{middle}, by steps back from where it enters"
    return f"{norm}, of what enters at all {reach.places} steps{middle}, by steps back from the last"


def _chain(flow: Flow, layer: int, direction: int, reach: Reach) -> ChainReport:
    layers, directions = flow.hidden.shape[:2]
    where = f"layer {layer + 1}" if layers > 1 or directions > 1 else ""
    return ChainReport(where + " backwards" * direction, reach, _word(reach, flow.seen))


def _word(reach: Reach, seen: str) -> str:
    if not reach.is_finite:
        return "not finite"
    if not reach.places or not reach.enters:
        return f"no gradient enters {seen}".rstrip()
    return "the loss reads its first step alone" if not reach.steps else band(reach.ratio)


def _gate_facts(flow: Flow) -> list[tuple[str, str]]:
    name, keep = keep_gate_name(flow), keep_gate(flow)
    if name is None or keep is None:
        return []
    half = np.log(2) / -np.log(keep) if 0 < keep < 1 else np.inf
    after = "never" if half == np.inf else f"after {half:.1f} steps"
    return [("gates", f"{name.replace('_', ' ')} {keep:.2f} on average: half of the old state is left {after}")]


def _state_facts(numbers: ModuleNumbers | None, look: ModuleLook | LoopLook) -> list[tuple[str, str]]:
    if numbers is None or not numbers.chains:
        return []
    hidden = [chain.hidden for chain in numbers.chains]
    cells = [chain.cell for chain in numbers.chains if chain.cell is not None]
    if not np.isfinite([*hidden, *cells]).all():
        return [("states", "not finite")]
    said = f"|h| up to {short(max(hidden))}" + (f", |c| up to {short(max(cells))}" if cells else "")
    if numbers.saturated is not None:
        said += f", {numbers.saturated:.0%} saturated ({_saturated(look)})"
    return [("states", said)]


def _saturated(look: ModuleLook | LoopLook) -> str:
    """Which states count as saturated."""
    if look.chain.activation == "relu":
        return "at 0"
    return f"{'|h|' if look.flow.cell is None else '|tanh(c)|'} above {1 - SATURATION_MARGIN}"


def _weight_facts(sizes: Sequence[BlockSize]) -> list[tuple[str, str]]:
    """Of each block of weight_hh the largest singular value, of a plain cell the largest eigenvalue as well."""
    by_chain: dict[tuple[int, int], list[BlockSize]] = {}
    for block in sizes:
        by_chain.setdefault((block.layer, block.direction), []).append(block)
    said = []
    for (layer, direction), blocks in by_chain.items():
        where = f", layer {layer + 1}{' backwards' * direction}" if len(by_chain) > 1 else ""
        said.append(("W_hh", f"largest singular value{where}: {', '.join(map(_block, blocks))}"))
    if sizes:
        long_run = "" if sizes[0].eigenvalue is None else ", by about the eigenvalue in the long run"
        said.append(("W_hh", f"these weights alone multiply a gradient by at most that much in one step{long_run}"))
    return said


def _block(block: BlockSize) -> str:
    gate = "" if block.gate == "hidden" else f"{block.gate.replace('_', ' ')} "
    in_the_long_run = "" if block.eigenvalue is None else f"; largest |eigenvalue|: {short(block.eigenvalue)}"
    return f"{gate}{short(block.singular)}{in_the_long_run}"
