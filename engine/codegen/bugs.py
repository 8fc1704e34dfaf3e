"""The wrong line of a run with a bug, marked, with the right one above it."""

from __future__ import annotations

from engine.bugs import BUGS
from engine.codegen.plan import ScriptSpec, block

MARK = "BUG"


def marked(plan: ScriptSpec, bug: str, right: str, wrong: str) -> str:
    """The right lines; in a run with this bug the wrong ones instead, below the right ones as a comment.

    Args:
        wrong: "" where a line is only missing.
    """
    if plan.experiment.bug != bug:
        return right
    return block(
        f"# {MARK}, {BUGS[bug].title}. Right would be:",
        [f"# {line}" for line in right.splitlines()],
        wrong or None,
    )


def padded(plan: ScriptSpec) -> str:
    """The function that pads a batch far beyond its sequences."""
    nothing = "-1" if plan.symbols_in else "0"
    return block(
        "def padded(batch: Batch) -> Batch:",
        '    """The batch with all sequences padded to PADDED_TO steps, as if one of them were so long."""',
        "    shape = (PADDED_TO - len(batch.inputs), *batch.inputs.shape[1:])",
        f"    longer = np.concatenate([batch.inputs, np.full(shape, {nothing}, batch.inputs.dtype)])",
        "    return Batch(longer, batch.targets, batch.mask, batch.lengths)",
    )
