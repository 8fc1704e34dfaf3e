"""The eigenvalues of the recurrent weights, with the unit circle: of blocks of W_hh, or of a vector as a diagonal."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import recurrent_weights, theme
from app.figures.base import WEIGHTS, ChainFigure, Curves, Patch
from app.figures.over_time import gates
from engine.frame import Chain, Look
from engine.number_format import short

REACHES = (1.5, 3.0, 6.0, 12.0, 25.0, 50.0, 100.0, 1e3, 1e4, 1e6)
HEIGHT = 326  # pixels


def template(info: Chain) -> go.Figure:
    """The unit circle, and one trace of points per gate."""
    names = blocks(info)
    traces = [
        go.Scatter(
            x=np.zeros(0, np.float32), y=np.zeros(0, np.float32), mode="markers",
            name=name.replace("_", " ") if info.gates else recurrent_weights.symbol(info),
            marker=_marker(name),
            hovertemplate="%{x:.2f} %{y:+.2f} i<extra>%{fullData.name}</extra>",
        )
        for name in names
    ]  # fmt: skip
    legend = 1 if len(names) == 1 else 24 if len(names) < 4 else 42
    return theme.figure(
        *traces,
        height=HEIGHT + legend,
        revision="spectrum",
        margin={"l": 46, "r": 14, "t": 6 + legend, "b": 36},
        xaxis=_axis("real part"),
        yaxis={**_axis("imaginary part"), "scaleanchor": "x"},
        shapes=[
            {"type": "circle", "x0": -1, "x1": 1, "y0": -1, "y1": 1, "layer": "below",
             "line": {"width": 1.6, "color": theme.GHOST}}
        ],
        showlegend=len(names) > 1,
    )  # fmt: skip


def blocks(info: Chain) -> tuple[str, ...]:
    """Return the names of the blocks of the recurrent weights: one per gate, or the only one."""
    return info.gates or ("hidden",)


def _marker(name: str) -> dict:
    if name not in theme.GATES:
        return {"color": theme.W_HH, "size": 7, "line": {"width": 0}}
    symbol = gates.STYLES[name][1]
    return {
        "color": theme.W_HH,
        "symbol": symbol,
        "size": 6,
        "opacity": 0.75,
        "line": {"width": 1.4, "color": theme.W_HH},
    }


def _axis(title: str) -> dict:
    return {
        "range": [-REACHES[0], REACHES[0]],
        "nticks": 7,
        "zeroline": True,
        "zerolinecolor": theme.QUIET,
        "zerolinewidth": 1,
        "title": {"text": title, "standoff": 4, "font": {"size": 12}},
    }


def patch(info: Chain, frame: Look, curves: Curves) -> Patch:
    """Patch every eigenvalue of one layer; {} for a frame without this reading."""
    if frame.spectrum is None:
        return {}
    values = [_of_chain(info, frame, name) for name in blocks(info)]
    reach = next((reach for reach in REACHES if _radius(values) <= 0.98 * reach), REACHES[-1])
    changed: Patch = {"layout.xaxis.range": [-reach, reach], "layout.yaxis.range": [-reach, reach]}
    for index, eigenvalues in enumerate(values):
        changed[f"data.{index}.x"] = theme.float32(eigenvalues.real)
        changed[f"data.{index}.y"] = theme.float32(eigenvalues.imag)
    return changed


def _of_chain(info: Chain, frame: Look, name: str) -> np.ndarray:
    """Return (H,) complex, the finite eigenvalues of the layer that is shown."""
    assert frame.spectrum is not None
    values = frame.spectrum.eigenvalues[name][info.shown_chain]
    return values[np.isfinite(values)]


def _radius(values: list[np.ndarray]) -> float:
    """Return the largest absolute value; 0 if there is none."""
    return max((float(np.abs(eigenvalues).max(initial=0.0)) for eigenvalues in values), default=0.0)


def readout(info: Chain, frame: Look) -> str:
    """Return spectral radius and largest singular value; with several gates, their maxima."""
    if frame.spectrum is None:
        return ""
    names = blocks(info)
    norms = [float(frame.spectrum.largest_singular_value[name][info.shown_chain]) for name in names]
    if not np.isfinite(norms).all():
        return "not finite"
    radius, up_to = _radius([_of_chain(info, frame, name) for name in names]), "up to " if len(names) > 1 else ""
    return f"radius {up_to}{short(radius)} · singular value {up_to}{short(max(norms))}"


def _title(info: Chain) -> str:
    return f"Eigenvalues of {recurrent_weights.symbol(info)}{theme.chain_suffix(info)}"


def _look_for(info: Chain) -> str:
    if info.gates:
        return "One set of points per gate. The circle does not decide here: the old state also bypasses these weights."
    weights = recurrent_weights.symbol(info)
    if recurrent_weights.is_vector(info):
        return f"Each unit has its own number in {weights}. Between −1 and 1 its old state shrinks, beyond it grows."
    return f"Inside the circle: repeated multiplication by {weights} shrinks a vector. Outside: it grows."


def _how(info: Chain) -> str:
    weights, of_decoder = recurrent_weights.symbol(info), ", the decoder's. " if info.encoder_steps else ". "
    what = "Eigenvalues of each hidden_size × hidden_size block of weight_hh"
    if recurrent_weights.is_vector(info):
        what = f"The numbers of {weights}, which are the eigenvalues of a matrix with {weights} on its diagonal"
    return (
        f"{what}{of_decoder}Radius: the largest absolute eigenvalue; singular value: the largest factor by which the "
        "weights stretch a vector in one step. The slope of the activation is not included. "
        "engine/lens/spectrum.py, eigenvalues."
    )


FIGURE = ChainFigure(
    title=_title,
    look_for=_look_for,
    how=_how,
    label="Eigenvalues of the recurrent weights in the complex plane, with the unit circle",
    tab=WEIGHTS,
    over="training",
    applies=lambda info: info.has_spectrum and recurrent_weights.symbol(info) is not None,
    template=template,
    patch=patch,
    readout=readout,
    requires="spectrum",
)
