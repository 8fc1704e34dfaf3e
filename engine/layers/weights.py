"""The weights of one layer in one direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn


class Weights(NamedTuple):
    """Weights of one layer in one direction, as in PyTorch: weight_ih (G*H, I), weight_hh (G*H, H), both biases.

    `vectors` are the cell's further parameters by name, such as "weight_ch". `hr` is weight_hr (P, H) of an LSTM with
    `proj_size` P: its h_t has P units, and weight_hh is (G*H, P). What a cell does not have is None.
    """

    ih: Tensor
    hh: Tensor | None = None
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    vectors: dict[str, Tensor] = {}  # noqa: RUF012 - a field of a NamedTuple, never changed in place
    hr: Tensor | None = None

    @property
    def recurrent(self) -> Tensor:
        """weight_hh of a cell that has one."""
        assert self.hh is not None
        return self.hh

    def map_tensors(self, change: Callable[[Tensor], Tensor]) -> Weights:
        """Apply a function to every tensor."""

        def changed(weight: Tensor | None) -> Tensor | None:
            return None if weight is None else change(weight)

        vectors = {name: change(vector) for name, vector in self.vectors.items()}
        biases = (changed(self.bias_ih), changed(self.bias_hh))
        return Weights(change(self.ih), changed(self.hh), *biases, vectors, changed(self.hr))

    def detached(self) -> Weights:
        """Detached from autograd."""
        return self.map_tensors(Tensor.detach)


def weights_of(layers: nn.Module, layer: int, direction: int) -> Weights:
    """Get the weights of one layer in one direction of a recurrent module, PyTorch's or `StepLayers`."""
    suffix = f"_l{layer}" + ("_reverse" if direction else "")
    vectors: tuple[str, ...] = getattr(layers, "vector_names", ())
    return Weights(
        getattr(layers, "weight_ih" + suffix),
        getattr(layers, "weight_hh" + suffix, None),
        getattr(layers, "bias_ih" + suffix, None),
        getattr(layers, "bias_hh" + suffix, None),
        {name: getattr(layers, name + suffix) for name in vectors},
        getattr(layers, "weight_hr" + suffix, None),
    )
