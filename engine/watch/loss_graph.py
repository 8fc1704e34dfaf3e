"""What a cross-entropy is given, read from the graph of a loss: there it is a log-softmax and a choice."""

from __future__ import annotations

from typing import Any

from torch import Tensor

MOST_NODES = 200
"""Operations of the graph among which the log-softmax is looked for, from the loss on."""
RESHAPING = ("View", "UnsafeView", "ReshapeAlias", "Transpose", "T", "Permute", "Squeeze", "Unsqueeze", "Select",
             "Slice", "Index", "Alias", "Clone", "ToCopy")  # fmt: skip
"""Operations that leave a row of probabilities what it is."""


def before_log_softmax(loss: Tensor) -> str | None:
    """The operation whose result the first log-softmax of a loss reads, as "Softmax"; None if none is near the loss."""
    ahead, seen = [loss.grad_fn], 0
    while ahead and seen < MOST_NODES:
        node, seen = ahead.pop(0), seen + 1
        if node is None:
            continue
        if not _operation(node).startswith("LogSoftmax"):
            ahead += [before for before, _ in node.next_functions]
            continue
        before = node.next_functions[0][0]
        while before is not None and _operation(before) in RESHAPING:
            before = before.next_functions[0][0]
        return "" if before is None else _operation(before)
    return None


def _operation(node: Any) -> str:
    """The name of a node of the graph, as "Softmax" of SoftmaxBackward0."""
    return str(node.name()).partition("Backward")[0]
