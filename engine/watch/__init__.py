"""Looking into somebody else's PyTorch model while it is trained: `with watch(model) as lens`.

Global hooks keep what each recurrent module read and gave, and what autograd sends back to its results; at the end of
the same backward pass the engine's own sweep computes the gradient at every state. The training stays the same, bit for
bit.
"""

from engine.watch.flow import Flow
from engine.watch.lens import Lens
from engine.watch.start import watch

__all__ = ["Flow", "Lens", "watch"]
