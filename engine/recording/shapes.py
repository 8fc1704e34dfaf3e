"""The shape that every array of a frame, or of a look, must have for its network, by named axes. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.experiment import Experiment
from engine.frame import Chain, RunInfo
from engine.recording.columns import ColumnError
from engine.tasks import task_of

CHAIN = "layers directions time"
AXES = {
    "hidden": f"{CHAIN} units",
    "cell": f"{CHAIN} inner_units",
    "first_hidden": "layers directions units",
    "first_cell": "layers directions inner_units",
    "gates.*": f"{CHAIN} inner_units",
    "from_input": "time blocks inner_units",
    "from_state": "time blocks inner_units",
    "biases": "passes vectors blocks inner_units",
    "embedding": "symbols two",
    "upper": "output_layers time units",
    "inputs": "time ...",
    "outputs": "time outputs",
    "free_outputs": "time outputs",
    "targets": "time ...",
    "loss_per_step": "time",
    "sequence_loss": "sequences",
    "valid": "time",
    "counted": "time",
    "ratio": "layers directions",
    "relative*": CHAIN,
    "grad_norm*": CHAIN,
    "sequence_grad_norm*": CHAIN,
    "factors.*": CHAIN,
    "weight_gradients.*": CHAIN,
    "attention.weights": "target_steps source_steps",
    "attention.mean_weights": "target_steps source_steps",
    "attention.sent": "target_steps source_steps",
    "attention.norms.*": "layers directions source_steps",
    "attention.shares.*": "layers directions source_steps",
    "attention.last_norms.*": "layers directions source_steps",
    "attention.last_shares.*": "layers directions source_steps",
    "attention.state_ratio": "layers directions",
    "attention.around_share": "layers directions",
    "decomposition.steps": "losses",
    "decomposition.norms": "layers directions losses time",
    "decomposition.cosines": "layers directions losses time",
    "decomposition.path_norms.*": "layers directions losses source_steps",
    "decomposition.path_shares.*": "layers directions losses source_steps",
    "spectrum.eigenvalues.*": "layers directions units",
    "spectrum.largest_singular_value.*": "layers directions",
    "spectrum.products.lags": "lags",
    "spectrum.products.norm": "layers directions lags",
    "spectrum.products.lyapunov": "layers directions ...",
    "saliency.steps": "answers",
    "saliency.norms": "answers time",
    "saliency.occluded": "time",
    "tags.*": "outputs",
    "terms.from_input": "time blocks inner_units",
    "terms.from_state": "time blocks inner_units",
    "terms.biases": "passes vectors blocks inner_units",
    "followed.relative*": CHAIN,
    "followed.path_norms.*": "layers directions source_steps",
    "followed.path_shares.*": "layers directions source_steps",
}
"""By path; "*" matches any ending. An axis whose size the experiment does not fix has the same length everywhere. The
cell's vectors are added in `check_shapes`."""


def check_shapes(experiment: Experiment, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check the shapes of a frame's arrays, by path, against the experiment.

    Raises:
        ColumnError: naming the first that does not fit or is missing.
    """
    sizes = {
        "passes": 2 if experiment.rnn_type == "encoder_decoder" else 1,
        "outputs": task_of(experiment).output_size,
    }
    check_chain_shapes(RunInfo.of(experiment), shapes, sizes)


def check_chain_shapes(
    chain: Chain, shapes: Mapping[str, tuple[int, ...]], more: Mapping[str, int] = MappingProxyType({})
) -> None:
    """Check the shapes of a look's arrays, by path, against the chain of states that they are of.

    Args:
        more: sizes of further axes that are known; an axis whose size is not has the same length everywhere.

    Raises:
        ColumnError: naming the first that does not fit or is missing.
    """
    cell = chain.cell_kind
    sizes = {
        "layers": chain.num_layers,
        "directions": chain.directions,
        "time": chain.time_steps,
        "source_steps": chain.encoder_steps,
        "target_steps": chain.time_steps - chain.encoder_steps,
        "units": chain.units,
        "inner_units": chain.hidden_size,
        "output_layers": chain.output_layers,
        "blocks": cell.blocks,
        "two": 2,
        **{vector.name: len(vector.symbols) for vector in cell.vectors},
        **more,
    }
    vectors = {f"vectors.{vector.name}": f"passes {vector.name} units" for vector in cell.vectors}
    known = AXES | vectors | {f"terms.{name}": axes for name, axes in vectors.items()}
    for path, shape in shapes.items():
        axes = axes_of(path, known)
        if axes is not None and not _fits(shape, axes.split(), sizes):
            shown = " x ".join(map(str, shape)) or "a single number"
            raise ColumnError(f"{path} has the wrong shape for this network: {shown}.")
    for path in (*(f"gates.{name}" for name in chain.gates), *vectors):
        if path not in shapes:
            raise ColumnError(f"{path} is missing, which this cell has.")


def axes_of(path: str, known: Mapping[str, str] = MappingProxyType(AXES)) -> str | None:
    """The names of an array's axes, as in AXES; None for one that is not known."""
    return next((axes for name, axes in known.items() if _matches(name, path)), None)


def _matches(name: str, path: str) -> bool:
    return path.startswith(name[:-1]) if name.endswith("*") else path == name


def _fits(shape: tuple[int, ...], axes: list[str], sizes: dict[str, int]) -> bool:
    """True if a shape has these axes. The length of a new axis is added to `sizes`, for the arrays that follow."""
    if axes[-1] == "...":
        axes, shape = axes[:-1], shape[: len(axes) - 1]
    return len(shape) == len(axes) and all(
        sizes.setdefault(name, size) == size for name, size in zip(axes, shape, strict=True)
    )
