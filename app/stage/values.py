"""What the stage is told with every frame: flat arrays over (layer, direction, real step), and new words."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.figures import theme
from app.figures.base import Patch, Quantised
from app.figures.over_time.hidden import scale_of
from app.figures.unrolled import symbols
from app.stage.description import real_steps, rows, units
from engine.frame import Chain, Frame, Look, RunInfo


def values(info: RunInfo, frame: Frame) -> Patch:
    """The numbers of a frame as the stage draws them; states as one byte each, everything else as float32."""
    real, drawn = real_steps(info), units(info)
    changed: Patch = {
        **of_look(info, frame),
        "total": None if not np.isfinite(frame.sequence_loss[0]) else float(frame.sequence_loss[0]),
        **_answers(info, frame),
        **_attention(info, frame),
    }
    if len(frame.upper):
        changed |= _states("upper", frame.upper[:, real][..., np.minimum(drawn, frame.upper.shape[-1] - 1)])
    return changed


def of_look(chain: Chain, look: Look) -> Patch:
    """The numbers of the chain of states alone: of any network that was looked into."""
    real = real_steps(chain)
    changed: Patch = {
        **_states("h", look.hidden[:, :, real][..., rows(chain, chain.units)]),
        "norms": logarithm(look.sequence_grad_norm_memory[:, :, real]),
        "direct": theme.float32(look.sequence_grad_norm_direct[:, :, real].ravel()),
        **_relative(chain, look),
        "step": look.step,
        "means": {name: float(value) for name, value in look.mean_weights.items()},
    }
    if look.cell is not None:
        changed |= _states("c", look.cell[:, :, real][..., rows(chain, chain.hidden_size)])
    if gate := chain.cell_kind.retain_gate:
        changed["keep"] = theme.float32(look.gates[gate][:, :, real].mean(-1).ravel())
    return changed


def _states(name: str, states: np.ndarray) -> Patch:
    """States as one byte each, and the number for which the largest byte stands."""
    scale = scale_of(states)
    return {name: Quantised.of(states.ravel(), scale), f"{name}Scale": scale}


def words(info: RunInfo, frame: Frame) -> Patch:
    """What the drawn sequence reads and should say at each real step; the same in all frames of a run."""
    real = real_steps(info)
    read = [symbols.plain_input(info, frame, int(t)) for t in real]
    goal = [_target(info, frame, int(t)) if frame.counted[t] else None for t in real]
    changed: Patch = {"words": read, "targets": goal}
    if info.inputs == "values" and np.ndim(frame.inputs) == 2:
        given = np.nan_to_num(frame.inputs[real])
        most = float(np.abs(given).max()) or 1.0
        count = (
            info.image[0] * info.image[1] if info.image and given.shape[1] >= info.image[0] * info.image[1] else None
        )
        changed["channels"] = theme.float32((given[:, :count] / most).ravel())
    return changed


def _target(info: RunInfo, frame: Frame, t: int) -> str:
    return symbols.target(info, frame, t) if info.outputs == "symbols" else ""


def _relative(info: Chain, frame: Look) -> Patch:
    """Size relative to where the loss enters, with its quartiles over the probe.

    The drawn sequence's own, without quartiles, where a median over sequences of other lengths would mix steps that
    mean different things, and of an old recording.
    """
    real = real_steps(info)
    if (
        info.same_lengths
        and frame.relative is not None
        and frame.relative_low is not None
        and frame.relative_high is not None
    ):
        found = {"relative": frame.relative, "low": frame.relative_low, "high": frame.relative_high}
        return {name: logarithm(array[:, :, real]) for name, array in found.items()}
    norms = frame.sequence_grad_norm_memory
    enters = [info.enters(d) for d in range(info.directions)]
    entered = [info.entered(d) for d in range(info.directions)]
    with np.errstate(divide="ignore", invalid="ignore"):
        own = norms / norms[:, entered, enters][..., None]
    return {"relative": logarithm(own[:, :, real])}


def before(info: RunInfo, untouched: Frame | None) -> Patch:
    """Of the network as it was before it was changed: relative sizes and answers; None where there is no such thing."""
    names = {"relative": "wasRelative", "best": "wasBest", "sure": "wasSure"}
    if untouched is None:
        return dict.fromkeys(names.values())
    found = {**_relative(info, untouched), **_answers(info, untouched)}
    return {was: found.get(name) for name, was in names.items()}


def logarithm(sizes: np.ndarray) -> np.ndarray:
    """log10 as float32, flat: float32 itself ends at 1e-38, a gradient does not. -inf is exactly 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(sizes).astype(np.float32).ravel()


def _attention(info: RunInfo, frame: Frame) -> Patch:
    """What each real step of a decoder reads of each real one of the encoder, and what its loss sends back directly."""
    if frame.attention is None:
        return {}
    real = real_steps(info)
    source = real[real < info.encoder_steps]
    drawn = np.ix_(real[len(source) :] - info.encoder_steps, source)
    return {
        "attention": theme.float32(frame.attention.weights[drawn].ravel()),
        "attentionSent": logarithm(frame.attention.sent[drawn]),
    }


def _answers(info: RunInfo, frame: Frame) -> Patch:
    """What the network says at each real step, and the losses; NaN where it says nothing."""
    real = real_steps(info)
    counted = frame.counted[real]
    changed: dict[str, Any] = {"losses": theme.float32(np.where(counted, frame.loss_per_step[real], np.nan))}
    said = np.asarray(frame.outputs, np.float64)[real]
    if info.outputs == "values":
        goal = np.asarray(frame.targets, np.float64)[real]
        return {
            **changed,
            "best": theme.float32(np.where(counted, said[:, 0], np.nan)),
            "goal": theme.float32(np.where(counted, goal[:, 0], np.nan)),
        }
    finite = counted & np.isfinite(said).all(-1)
    known = np.where(finite[:, None], said, 0)
    targets = np.asarray(frame.targets)[real]
    changed |= {
        "best": theme.float32(np.where(finite, known.argmax(-1), np.nan)),
        "sure": theme.float32(np.where(finite, known.max(-1), np.nan)),
        "chance": theme.float32(np.where(finite, known[np.arange(len(real)), targets.astype(int)], np.nan)),
    }
    if counted.sum() == 1 and said.shape[1] <= 12:
        changed["chances"] = theme.float32(said[counted][0])
    if frame.free_outputs is not None:
        free = frame.free_outputs[real]
        changed["free"] = [
            theme.symbol(info.output_labels[int(np.argmax(row))]) if here and np.isfinite(row).all() else ""
            for row, here in zip(free, counted, strict=True)
        ]
    return changed
