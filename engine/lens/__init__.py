"""The lens: what a gradient does at every step in time, from one forward call and one adjoint sweep, without autograd.

The fused layers of the library keep no gradient of h_t (what `retain_grad` on their output shows is only the direct
part, exactly 0 for every t < T where the loss is read at the end). So the model runs once as it is; from its states,
weights and inputs the local slopes of every step are recomputed, and the gradient is swept backwards in plain tensors.
Tests hold it against autograd on an unrolled loop. Everything comes back as NumPy.
"""

from engine.frame.readings import saturation
from engine.lens.decomposition import loss_decomposition
from engine.lens.gradient_flow import GradientFlow, gradient_flow
from engine.lens.jacobians import jacobian_products, step_jacobians
from engine.lens.saliency import input_saliency, saliency_triangle
from engine.lens.spectrum import eigenvalues
from engine.lens.step_factors import omega, step_factors
from engine.lens.weight_gradients import weight_gradients

__all__ = [
    "GradientFlow",
    "eigenvalues",
    "gradient_flow",
    "input_saliency",
    "jacobian_products",
    "loss_decomposition",
    "omega",
    "saliency_triangle",
    "saturation",
    "step_factors",
    "step_jacobians",
    "weight_gradients",
]
