"""The LSTM with layer normalisation (Ba, Kiros and Hinton, 2016), the raw cell state carried on.

The products with x_t and with h_{t-1}, four gates together, are normalised each by itself, and so is c_t on its way to
h_t. What goes on to the next step is c_t as it is, as in the paper, so that dc_t/dc_{t-1} still has diag(f) in it; code
that carries the normalised c undoes the scale of f at every step. Inside a normalisation there is no bias: the mean
would take it out. The bias of the forget gate is the shift after it.

At h_{t-1} = 0 nothing but sqrt(1e-5) stands in the denominator: there a small change of W_hh h is multiplied by 316.
"""

from engine.cells.cell import Array, Cell, Equation, OldState, Ops, Vector


def step(ops: Ops, x: Array, s: OldState) -> tuple[dict[str, Array], dict[str, Array]]:
    """One step; see `engine.cells.cell.Step`."""
    from_x = [ops.W_ih("i", x), ops.W_ih("f", x), ops.W_ih("g", x), ops.W_ih("o", x)]
    h = s("gates", "h")
    from_h = [ops.W_hh("i", h), ops.W_hh("f", h), ops.W_hh("g", h), ops.W_hh("o", h)]
    x_i, x_f, x_g, x_o = ops.layer_norm(from_x, "gain_ih", "shift_ih")
    h_i, h_f, h_g, h_o = ops.layer_norm(from_h, "gain_hh", "shift_hh")
    i = ops.sigmoid(x_i + h_i)
    f = ops.sigmoid(x_f + h_f)
    g = ops.tanh(x_g + h_g)
    o = ops.sigmoid(x_o + h_o)
    c = ops.state("c", f * s("kept", "c") + i * g)
    (m,) = ops.layer_norm([c], "gain_c", "shift_c")
    terms = {"x_i": x_i, "x_f": x_f, "x_g": x_g, "x_o": x_o, "h_i": h_i, "h_f": h_f, "h_g": h_g, "h_o": h_o, "m": m}
    return {"i": i, "f": f, "g": g, "o": o, **terms}, {"h": o * ops.tanh(m), "c": c}


def _normalised(letter: str) -> str:
    """LaTeX of a gate's argument."""
    return rf"\mathrm{{LN}}(W_{{i{letter}}} x_t) + \mathrm{{LN}}(W_{{h{letter}}} h_{{t-1}})"


def _symbols(letter: str) -> tuple[str, ...]:
    """LaTeX of the blocks of a gain or shift."""
    return tuple(rf"{letter}_{gate}" for gate in "ifgo")


CELL = Cell(
    title="Layer-norm LSTM",
    summary="The LSTM with layer normalisation, the raw cell state carried on (Ba, Kiros and Hinton, 2016).",
    note="LN subtracts the mean, divides by the standard deviation, multiplies by a learned gain γ and adds a shift β. "
    "Mean and deviation are taken over the units, in the two products over all four gates together. The raw $c_t$ goes "
    "on to the next step, as in the paper; some code carries LN($c_t$) instead, which undoes the scale of the forget "
    "gate. The forget bias sets the shift.",
    states=("h", "c"),
    letters=("i", "f", "g", "o"),
    gates=("input_gate", "forget_gate", "cell_candidate", "output_gate"),
    paths={"kept": "c", "gates": "h"},
    step=step,
    equations=(
        Equation("input gate", rf"i_t = \sigma({_normalised('i')})"),
        Equation("forget gate", rf"f_t = \sigma({_normalised('f')})"),
        Equation("new content", rf"g_t = \tanh({_normalised('g')})"),
        Equation("output gate", rf"o_t = \sigma({_normalised('o')})"),
        Equation("cell state", r"c_t = f_t \odot c_{t-1} + i_t \odot g_t"),
        Equation("hidden state", r"h_t = o_t \odot \tanh(\mathrm{LN}(c_t))"),
    ),
    retain_gate="forget_gate",
    suggested_forget_bias=3.0,
    gate_bias=("shift_ih", "shift_hh"),
    has_bias=False,
    vectors=(
        Vector("gain_ih", _symbols(r"\gamma"), start=1.0),
        Vector("shift_ih", _symbols(r"\beta"), start=0.0),
        Vector("gain_hh", _symbols(r"\gamma'"), start=1.0),
        Vector("shift_hh", _symbols(r"\beta'"), start=0.0),
        Vector("gain_c", (r"\gamma_c",), start=1.0),
        Vector("shift_c", (r"\beta_c",), start=0.0),
    ),
    terms={
        **{f"x_{gate}": rf"\mathrm{{LN}}(W_{{i{gate}}} x_t)" for gate in "ifgo"},
        **{f"h_{gate}": rf"\mathrm{{LN}}(W_{{h{gate}}} h_{{t-1}})" for gate in "ifgo"},
        "m": r"\mathrm{LN}(c_t)",
    },
)
