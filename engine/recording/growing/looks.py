"""What is recorded of one look at somebody else's model, as values, as a chunk, and back. No torch."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from engine.frame import Chain, Diagnosis, Look
from engine.number_format import to_json
from engine.recording.columns import Column, leaves, reading
from engine.recording.error import RecordingError
from engine.recording.growing.chunks import DAMAGED, Chunk, to_bytes
from engine.recording.shapes import check_chain_shapes

WHOLE_MODEL = "*"
"""In the place of a module's name: what is refused of the whole model."""
MOST_STEPS = 100_000
"""Steps of a time axis: figures make room for all of them before they have read one."""
MOST_UNITS = 1_000_000


@dataclass(frozen=True)
class FoundMistake:
    """A classic mistake in the wiring: its kind, the module, what is wrong, and what to write instead."""

    kind: str
    module: str
    sentence: str
    cure: str


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordedModule:
    """One recurrent module in one backward pass.

    Args:
        name: as in `named_modules()`. look: what was measured, with its verdict. links: where its states and inputs
            come from, in words. proof: how far dL/dW from its states is from `.grad`, relative; None if not compared.
        precision: what is to be said of the digits of its numbers; "" if they are as usual.
    """

    name: str
    chain: Chain
    look: Look
    links: tuple[str, ...] = ()
    proof: float | None = None
    precision: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordedLook:
    """All that is known after one backward pass that was looked at.

    Args:
        step: the number of the backward pass.
        modules: those that were measured. mistakes: found so far.
        refusals: why something is not measured, by module, or by WHOLE_MODEL.
        story: what came first when a number stopped being finite, in sentences; empty while all are.
        cost: what watching has cost so far, in words. is_last: watching has ended.
        loss: the number on which `backward()` was called; None if that is not known, or in an older file.
        requested: the readings that cost more, and that were asked for; see `engine.frame.reading_request`.
        ended_by: the name of the error that cut the training short, in the last entry; "" if none did.
    """

    step: int
    modules: tuple[RecordedModule, ...]
    mistakes: tuple[FoundMistake, ...] = ()
    refusals: Mapping[str, str] = field(default_factory=dict)
    story: tuple[str, ...] = ()
    cost: str = ""
    is_last: bool = False
    ended_by: str = ""
    loss: float | None = None
    requested: tuple[str, ...] = ()

    def module(self, name: str) -> RecordedModule | None:
        """What was measured of a module; None if it was not."""
        return next((each for each in self.modules if each.name == name), None)


# ---- writing


def chunk_of(recorded: RecordedLook) -> bytes:
    """A look as the bytes of one chunk."""
    arrays: dict[str, np.ndarray] = {}
    modules = []
    for number, module in enumerate(recorded.modules):
        arrays |= {f"{number}.{path}": np.asarray(value) for path, value in leaves(module.look)}
        modules.append(
            {
                "name": module.name,
                "chain": asdict(module.chain),
                "diagnosis": _of_diagnosis(module.look.diagnosis),
                "links": list(module.links),
                "proof": None if module.proof is None else to_json(module.proof),
                "precision": module.precision,
            }
        )
    text = {
        "step": recorded.step,
        "modules": modules,
        "mistakes": [asdict(mistake) for mistake in recorded.mistakes],
        "refusals": dict(recorded.refusals),
        "story": list(recorded.story),
        "cost": recorded.cost,
        "is_last": recorded.is_last,
        "ended_by": recorded.ended_by,
        "requested": list(recorded.requested),
        "loss": None if recorded.loss is None else to_json(recorded.loss),
    }
    return to_bytes(text, arrays)


def _of_diagnosis(verdict: Diagnosis | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    evidence = {name: to_json(value) for name, value in verdict.evidence.items()}
    return {"kind": verdict.kind, "sentence": verdict.sentence, "evidence": evidence, "advice": verdict.advice}


# ---- reading: nothing in a file is trusted before it has been checked


def look_of(chunk: Chunk) -> RecordedLook:
    """The look in a chunk.

    Raises:
        RecordingError, ColumnError: if it is none, or its arrays do not fit its chain. Other errors are possible
            where the text is not what it should be.
    """
    text = chunk.text
    columns: list[dict[str, Column]] = [{} for _ in text["modules"]]
    for name, array in chunk.arrays.items():
        number, _, path = name.partition(".")
        if array.dtype.kind not in "biufc":
            raise RecordingError(DAMAGED)
        columns[int(number)][path] = Column((0,), array[None])
    modules = tuple(_module(entry, own) for entry, own in zip(text["modules"], columns, strict=True))
    step = _checked(int, text["step"])
    if step < 0 or len({module.name for module in modules}) < len(modules):
        raise RecordingError(DAMAGED)
    return RecordedLook(
        step=step,
        modules=modules,
        mistakes=tuple(_from_fields(FoundMistake, entry) for entry in text["mistakes"]),
        refusals={_checked(str, name): _checked(str, why) for name, why in text["refusals"].items()},
        story=_checked(tuple[str, ...], text["story"]),
        cost=_checked(str, text["cost"]),
        is_last=_checked(bool, text["is_last"]),
        ended_by=_checked(str, text.get("ended_by", "")),
        requested=_checked(tuple[str, ...], text.get("requested", [])),
        loss=None if text.get("loss") is None else float(text["loss"]),
    )


def _module(entry: dict[str, Any], columns: dict[str, Column]) -> RecordedModule:
    chain = _chain(entry["chain"])
    check_chain_shapes(chain, {path: column.values.shape[1:] for path, column in columns.items()})
    look = reading(Look, columns, 0, {"diagnosis": _diagnosis(entry["diagnosis"])})
    if set(columns) != {path for path, _ in leaves(look)} or look.step < 0:
        raise RecordingError(DAMAGED)
    own, given = (look.valid.tolist(), look.counted.tolist()), (list(chain.valid), list(chain.counted))
    if look.valid.dtype != bool or look.counted.dtype != bool or own != given:
        raise RecordingError("The steps of this look are not those of its chain.")
    links = _checked(tuple[str, ...], entry["links"])
    proof = None if entry["proof"] is None else float(entry["proof"])
    name, precision = _checked(str, entry["name"]), _checked(str, entry.get("precision", ""))
    return RecordedModule(name=name, chain=chain, look=look, links=links, proof=proof, precision=precision)


def _chain(entry: dict[str, Any]) -> Chain:
    """A chain, whose numbers are possible and agree with each other."""
    chain = _from_fields(Chain, entry)
    steps = chain.time_steps
    possible = (
        (chain.nonlinearity in ("tanh", "relu", "identity") or not chain.is_cell_known)
        and 1 <= chain.num_layers <= 64
        and chain.directions in (1, 2)
        and 1 <= chain.hidden_size <= MOST_UNITS
        and 0 <= chain.proj_size < chain.hidden_size
        and 0 <= chain.input_size <= MOST_UNITS
        and chain.output_layers == 0
        and 1 <= steps <= MOST_STEPS
        and 0 <= chain.encoder_steps < steps
        and len(chain.valid) == len(chain.counted) == steps
        and (any(chain.counted) or chain.entering)
        and all(valid >= counted for counted, valid in zip(chain.counted, chain.valid, strict=True))
        and len(chain.entering) in (0, chain.directions)
        and all(0 <= at < steps and chain.valid[at] for at in chain.entering)
        and (chain.lag is None or 0 <= chain.lag < steps)
        and 0 <= chain.first_informative < steps
        and chain.sequences >= 1
        and all(0 < cut < steps for cut in chain.cuts)
        and len(chain.step_names) in (0, steps)
        and (chain.shown is None or chain.shown in chain.chains)
    )
    if not possible:
        raise RecordingError("A chain of this recording is no chain of a recurrent network.")
    return chain


def _diagnosis(entry: dict[str, Any] | None) -> Diagnosis | None:
    if entry is None:
        return None
    evidence = {_checked(str, name): float(value) for name, value in entry["evidence"].items()}
    kind, sentence, advice = (_checked(str, entry[name]) for name in ("kind", "sentence", "advice"))
    return Diagnosis(kind, sentence, evidence, {}, advice)


def _from_fields(kind: type, entry: dict[str, Any]) -> Any:
    """A dataclass of plain values from JSON, every field of its declared type; fields without an entry need a default.

    An entry that this version does not know is left out: a later one may write more.
    """
    hints = get_type_hints(kind)
    known = {each.name for each in fields(kind)}
    return kind(**{name: _checked(hints[name], value) for name, value in entry.items() if name in known})


def _checked(hint: Any, value: Any) -> Any:
    """A JSON value as a type says: str, int, bool, None, and tuples of these.

    Raises:
        RecordingError: if it is of another type.
    """
    if isinstance(hint, types.UnionType):
        inner = next(option for option in get_args(hint) if option is not types.NoneType)
        return None if value is None else _checked(inner, value)
    if get_origin(hint) is tuple and isinstance(value, list):
        inside = get_args(hint)
        kinds = [inside[0]] * len(value) if inside[-1] is ... else inside
        return tuple(_checked(each, item) for each, item in zip(kinds, value, strict=True))
    if type(value) is not hint:
        raise RecordingError(DAMAGED)
    return value
