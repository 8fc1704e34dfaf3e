"""The shape that every array of a frame must have for an experiment, by named axes. No torch."""

from __future__ import annotations

from collections.abc import Mapping

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.recording.columns import ColumnError
from engine.tasks import task_of

CHAIN = "layers directions time"
AXES = {
    "hidden": f"{CHAIN} units",
    "cell": f"{CHAIN} units",
    "gates.*": f"{CHAIN} units",
    "from_input": "time blocks units",
    "from_state": "time blocks units",
    "biases": "passes vectors blocks units",
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
    "decomposition.steps": "losses",
    "decomposition.norms": "layers directions losses time",
    "decomposition.cosines": "layers directions losses time",
    "spectrum.eigenvalues.*": "layers directions units",
    "spectrum.largest_singular_value.*": "layers directions",
    "spectrum.products.lags": "lags",
    "spectrum.products.norm": "layers directions lags",
    "spectrum.products.lyapunov": "layers directions ...",
    "saliency.steps": "answers",
    "saliency.norms": "answers time",
    "saliency.occluded": "time",
    "terms.from_input": "time blocks units",
    "terms.from_state": "time blocks units",
    "terms.biases": "passes vectors blocks units",
    "followed.relative*": CHAIN,
}
"""By path; "*" matches any ending. An axis whose size the experiment does not fix has the same length everywhere. The
cell's vectors are added in `check_shapes`."""


def check_shapes(experiment: Experiment, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check the shapes of arrays, by path, against the experiment.

    Raises:
        ColumnError: naming the first that does not fit or is missing.
    """
    e, cell = experiment, CELLS[experiment.cell]
    sizes = {
        "layers": e.num_layers,
        "directions": e.directions,
        "time": e.time_steps,
        "units": e.hidden_size,
        "output_layers": e.output_layers,
        "blocks": cell.blocks,
        "passes": 2 if e.rnn_type == "encoder_decoder" else 1,
        "outputs": task_of(e).output_size,
        "two": 2,
        **{vector.name: len(vector.symbols) for vector in cell.vectors},
    }
    vectors = {f"vectors.{vector.name}": f"passes {vector.name} units" for vector in cell.vectors}
    known = AXES | vectors | {f"terms.{name}": axes for name, axes in vectors.items()}
    for path, shape in shapes.items():
        axes = next((axes for name, axes in known.items() if _matches(name, path)), None)
        if axes is not None and not _fits(shape, axes.split(), sizes):
            shown = " x ".join(map(str, shape)) or "a single number"
            raise ColumnError(f"{path} has the wrong shape for this network: {shown}.")
    for path in (*(f"gates.{name}" for name in RunInfo.of(e).gates), *vectors):
        if path not in shapes:
            raise ColumnError(f"{path} is missing, which this cell has.")


def _matches(name: str, path: str) -> bool:
    return path.startswith(name[:-1]) if name.endswith("*") else path == name


def _fits(shape: tuple[int, ...], axes: list[str], sizes: dict[str, int]) -> bool:
    """True if a shape has these axes. The length of a new axis is added to `sizes`, for the arrays that follow."""
    if axes[-1] == "...":
        axes, shape = axes[:-1], shape[: len(axes) - 1]
    return len(shape) == len(axes) and all(
        sizes.setdefault(name, size) == size for name, size in zip(axes, shape, strict=True)
    )
