"""The network of a script: only the parts that the experiment needs, named as in the engine, so that weights fit."""

from __future__ import annotations

from engine.codegen.cells import class_name
from engine.codegen.forward import forward, start
from engine.codegen.helpers import draw_all, initialise
from engine.codegen.plan import ScriptSpec, block, indented


def network(plan: ScriptSpec) -> str:
    """The class Network."""
    e = plan.experiment
    own = [
        f"self.{name} = {constant}  # changed while the network trains"
        for name, constant, used in (
            ("noise", "INPUT_NOISE", plan.noisy),
            ("teacher_forcing", "TEACHER_FORCING", plan.feeds),
            ("head_dropout", "HEAD_DROPOUT", plan.drops),
            ("input_dropout", "INPUT_DROPOUT", plan.drops_inputs),
        )
        if used and plan.varies(name)
    ]
    if plan.has("state_kept_between_batches"):
        own.append("self.state = None  # at the end of the batch before")
    if initialise(plan):
        own += [f"initialise(self.{name})" for name in (("encoder", "decoder") if plan.translates else ("recurrent",))]
    own += _other_layers(plan)
    is_wide = plan.attends or (e.bidirectional and not plan.translates)
    width = "2 * HIDDEN_SIZE" if is_wide else "HIDDEN_SIZE"
    sizes = [width, *["HIDDEN_SIZE"] * e.output_layers]
    upper = f"[nn.Linear({width}, HIDDEN_SIZE)]"
    if e.output_layers > 1:
        upper = f"nn.Linear(size, HIDDEN_SIZE) for size in ({', '.join(sizes[:-1])})"
    return block(
        "class Network(nn.Module):",
        f'    """{_docstring(plan)}"""',
        "",
        "    def __init__(self) -> None:",
        "        super().__init__()",
        indented(block(*_layers(plan)), 2),
        e.output_layers > 0 and f"        self.upper = nn.ModuleList({upper})",
        f"        self.head = nn.Linear({sizes[-1]}, OUTPUT_SIZE)",
        e.tied_weights
        and f"        self.head.weight = self.{'decoder_' * plan.translates}embedding.weight  # one and the same",
        [indented(each, 2) for each in _learned_start(plan)],
        [indented(each, 2) for each in own],
        "",
        plan.starts and [indented(start(plan)), ""],
        indented(forward(plan)),
    )


def _learned_start(plan: ScriptSpec) -> list[str]:
    """The lines that create the learned states before the first step."""
    rows = plan.experiment.num_layers * plan.experiment.directions
    return [
        f"self.start_{state} = nn.Parameter(torch.zeros({rows}, HIDDEN_SIZE))  # learned, before the first step"
        for state in (plan.cell.states if plan.starts else ())
    ]


def _other_layers(plan: ScriptSpec) -> list[str]:
    """The lines that draw embeddings, output layers and head as `init_all` says; none where PyTorch's numbers stay."""
    e = plan.experiment
    if e.init_all == "pytorch":
        return []
    linear = ["*self.upper"] * (e.output_layers > 0 and e.init_reach == "all") + ["self.head"]
    tables = ["self.embedding", *["self.decoder_embedding"] * plan.translates] if e.embedding_size else []
    return [
        _for_each([*tables, *linear], draw_all(e, "{}.weight")),
        _for_each(linear, "nn.init.zeros_({}.bias)"),
    ]


def _for_each(layers: list[str], statement: str) -> str:
    """The lines that do something with some layers, one after the other."""
    if len(layers) == 1 and not layers[0].startswith("*"):
        return statement.format(layers[0])
    return block(f"for layer in ({', '.join(layers)}):", f"    {statement.format('layer')}")


def _docstring(plan: ScriptSpec) -> str:
    parts = [
        "embedding" if plan.experiment.embedding_size else "",
        f"encoder -> decoder{' with attention' * plan.attends}"
        if plan.translates
        else "recurrent layers"
        if plan.cell.is_recurrent
        else "layers",
        "upper layers without links in time" if plan.experiment.output_layers else "",
        "head",
    ]
    return f"{' -> '.join(filter(None, parts)).capitalize()}. Time comes first everywhere."


def _layers(plan: ScriptSpec) -> list[str]:
    """The lines that create embeddings and recurrent layers, in the order in which the engine initialises them."""
    embeds = bool(plan.experiment.embedding_size)
    encoder_size, decoder_size = ("EMBEDDING_SIZE", "EMBEDDING_SIZE") if embeds else ("INPUT_SIZE", "OUTPUT_SIZE")
    tables = ["self.embedding = nn.Embedding(INPUT_SIZE, EMBEDDING_SIZE)"] * embeds
    if plan.translates:
        tables += ["self.decoder_embedding = nn.Embedding(OUTPUT_SIZE, EMBEDDING_SIZE)"] * embeds
        return [
            *tables,
            f"self.encoder = {_constructor(plan, encoder_size)}",
            f"self.decoder = {_constructor(plan, decoder_size, decodes=True)}",
        ]
    return [*tables, f"self.recurrent = {_constructor(plan, 'WINDOW * ' * plan.windowed + encoder_size)}"]


def _constructor(plan: ScriptSpec, size: str, decodes: bool = False) -> str:
    """The expression that creates the recurrent layers."""
    e = plan.experiment
    if not plan.library:
        if plan.encodes_both_ways and not decodes:
            return f"LayersBothWays({size})"
        is_stack = e.num_layers > 1 if decodes else plan.stacked
        return f"Layers({size})" if is_stack else f"{class_name(plan)}({size})"
    options = [
        f"num_layers={e.num_layers}" if e.num_layers > 1 else "",
        f'nonlinearity="{e.nonlinearity}"' if plan.cell.uses_nonlinearity and e.nonlinearity != "tanh" else "",
        f"dropout={e.dropout!r}" if e.dropout else "",
        "bidirectional=True" if e.bidirectional and not decodes else "",
    ]
    return f"nn.{plan.cell.torch_layer}({', '.join([size, 'HIDDEN_SIZE', *filter(None, options)])})"
