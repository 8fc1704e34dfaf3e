"""The lens: the gradient at every step in time, from one forward call and one backward sweep without autograd.

PyTorch's fused layers keep no gradient of h_t: `retain_grad` on their output gives only the direct part, which is
exactly 0 for every t < T if the loss is read at the end. So the lens calls the model once, recomputes the local
derivatives of every step from states, weights and inputs, and sweeps the gradient backwards in plain tensors. Tests
compare it with autograd on an unrolled loop. Results are NumPy arrays.
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
