"""The dropout masks between the layers of a call, drawn again from the state of the generator before it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from engine.watch.call import Call
from engine.watch.refusal import RefusalError


def masks_of(call: Call) -> dict[int, Tensor]:
    """What each layer's output was multiplied by, (T, B, directions * H): 0, or 1 / (1 - p). Empty without dropout.

    As PyTorch draws them on a CPU: for one layer after the other, of packed sequences for their packed data.

    Raises:
        RefusalError: on a device whose kernels do not show their masks.
    """
    stack, output = call.stack, call.output
    if not stack.dropout:
        return {}
    if call.random_state is None:
        raise RefusalError(
            f"{call.name} has dropout between its layers, and cuDNN does not show its masks. Watch it on a CPU, where "
            "it is exact, or in a run with dropout=0."
        )
    generator = torch.Generator()
    generator.set_state(call.random_state)
    width, steps = stack.directions * stack.width, len(output)
    shape = (steps, call.batch, width) if call.layout.packed is None else (int(call.layout.lengths.sum()), width)
    masks = {}
    for layer in range(stack.layers - 1):
        drawn = torch.zeros(shape, dtype=output.dtype)
        if stack.dropout < 1:  # else nothing is drawn
            drawn.bernoulli_(1 - stack.dropout, generator=generator).div_(1 - stack.dropout)
        if call.layout.packed is not None:
            sizes, unsorted = call.layout.packed
            drawn = pad_packed_sequence(PackedSequence(drawn, sizes, None, unsorted), total_length=steps)[0]
        masks[layer] = drawn
    return masks
