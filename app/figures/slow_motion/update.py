"""The effect of an update on the weights: norms of gradients, before and after clipping, of weights and of changes."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures import theme
from engine.number_format import share, short
from engine.slow_motion.update_trace import UpdateTrace

ROW, AROUND = 26, 96  # pixels: of a row, and of the axis and the legend
MAX_ROWS = 14
"""Parameters drawn at most."""
TOGETHER = "all together"


def drawn(r: UpdateTrace) -> np.ndarray:
    """Return the parameters with a row: all, or the matrices that change most if there are too many."""
    indices = np.arange(len(r.parameters))
    if len(indices) <= MAX_ROWS:
        return indices
    matrices = np.array([k for k in indices if len(r.shapes[k]) > 1])
    return np.sort(matrices[np.argsort(-r.change_norms[matrices], kind="stable")[:MAX_ROWS]])


def together(norms: np.ndarray) -> float:
    """Return the 2-norm of all parameters together."""
    return float(np.sqrt((norms**2).sum()))


def _rows(r: UpdateTrace, norms: np.ndarray) -> np.ndarray:
    """Return the norm of all parameters together, then those of the drawn ones."""
    return np.concatenate([[together(norms)], norms[drawn(r)]])


def clip(r: UpdateTrace) -> go.Figure:
    """Draw the norm of the gradient before and after clipping, and the threshold."""
    before, after = _rows(r, r.gradient_norms), _rows(r, r.clipped_norms)
    e, marks = (
        r.experiment,
        [_points(r, after, "after clipping" if r.clipped else "gradient", "circle", theme.GRADIENT)],
    )
    limit = e.clip_threshold if e.clip == "norm" else None
    if r.clipped:
        marks.insert(0, _points(r, before, "before", "circle-open", theme.GRADIENT))
    shapes = [_join(k, a, b) for k, (a, b) in enumerate(zip(before, after, strict=True)) if r.clipped and a > b > 0]
    notes = []
    if limit is not None:
        shapes.append({"type": "line", "y0": -0.45, "y1": 0.45, "x0": limit, "x1": limit,
                       "line": {"width": 4, "color": theme.INK}})  # fmt: skip
        notes.append({"x": np.log10(limit), "y": 0.5, "yanchor": "top", "showarrow": False,
                      "text": f"limit {limit:g}", "font": {"size": 13}})  # fmt: skip
    reach = [before, after] if limit is None else [before, after, np.array([limit])]
    labels = [short(value) for value in before]
    if r.clipped:
        labels = [f"{a} → {short(b)}" for a, b in zip(labels, after, strict=True)]
    return _weights(r, marks, labels, reach, shapes, notes, "length of the gradient", "its length")


def update(r: UpdateTrace) -> go.Figure:
    """Draw the norms of every parameter, of its gradient and of its change."""
    weight, gradient, change = (_rows(r, norms) for norms in (r.weight_norms, r.clipped_norms, r.change_norms))
    marks = [
        _points(r, weight, "weights", "square-open", theme.GREY),
        _points(r, gradient, "gradient", "diamond", theme.GRADIENT),
        _points(r, change, "change", "circle", theme.INK),
    ]
    shares = [share(c / w) if w > 0 else "from 0" for c, w in zip(change, weight, strict=True)]
    shapes = [_join(k, w, c) for k, (w, c) in enumerate(zip(weight, change, strict=True)) if w > 0 and c > 0]
    return _weights(r, marks, shares, [weight, gradient, change], shapes, [], "length (2-norm)", "moved by")


def _points(r: UpdateTrace, norms: np.ndarray, name: str, symbol: str, colour: str) -> go.Scatter:
    """Return one mark per row; none for exactly 0."""
    names = [TOGETHER, *(r.parameters[k] for k in drawn(r))]
    return go.Scatter(
        x=np.where(norms > 0, norms, np.nan), y=list(range(len(names))), mode="markers", name=name, text=names,
        marker={"symbol": symbol, "color": colour, "size": [19] + [13] * (len(names) - 1), "opacity": 1,
                "line": {"width": 2.5 if symbol.endswith("open") else 0, "color": colour}},
        hovertemplate="%{text}<br>%{fullData.name} %{x:.3g}<extra></extra>",
    )  # fmt: skip


def _join(row: int, left: float, right: float) -> dict:
    return {"type": "line", "x0": left, "x1": right, "y0": row, "y1": row, "layer": "below",
            "line": {"width": 3 if row == 0 else 1.5, "color": theme.QUIET}}  # fmt: skip


def _weights(
    r: UpdateTrace,
    marks: list,
    labels: list[str],
    reach: list[np.ndarray],
    shapes: list,
    notes: list,
    title: str,
    head: str,
) -> go.Figure:
    """Draw one row for all parameters together and one for each, with norms on a log axis."""
    names = [f"<b>{TOGETHER}</b>", *(r.parameters[k].removeprefix("recurrent.") for k in drawn(r))]
    sizes = np.concatenate(reach)
    sizes = sizes[(sizes > 0) & np.isfinite(sizes)]
    low, high = (np.floor(np.log10(sizes.min())), np.ceil(np.log10(sizes.max()) + 0.1)) if len(sizes) else (-1.0, 0.0)
    beside = [
        {"xref": "paper", "x": 1.012, "xanchor": "left", "y": row, "text": f"<b>{text}</b>" if row == 0 else text,
         "showarrow": False, "font": {"size": 15 if row == 0 else 13}}
        for row, text in enumerate(labels)
    ]  # fmt: skip
    notes = [*notes, {"xref": "paper", "x": 1.012, "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom",
                      "text": head, "showarrow": False, "font": {"size": 13}}]  # fmt: skip
    band = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": -0.45, "y1": 0.45, "layer": "below",
            "line": {"width": 0}, "fillcolor": theme.PADDING}  # fmt: skip
    return theme.figure(
        *marks,
        height=AROUND + ROW * len(names),
        revision=f"slow-weights-{len(names)}",
        margin={"l": 150, "r": 150, "t": 34, "b": 44},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 13}},
        xaxis={**theme.log_axis(int(low), max(int(high), int(low) + 1), 1), "showgrid": True, "gridwidth": 0.5,
               "title": {"text": title, "standoff": 6}},
        yaxis={"range": [len(names) - 0.4, -0.6], "tickvals": list(range(len(names))), "ticktext": names, "ticks": "",
               "showgrid": False, "showline": False, "tickfont": {"size": 13}},
        shapes=[band, *shapes],
        annotations=[*beside, *notes],
    )  # fmt: skip
