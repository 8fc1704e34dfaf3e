"""Parse a lesson: TOML, or Markdown with TOML between two lines of +++."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

from engine.experiment import Experiment, ExperimentError
from engine.preset import setting_links
from engine.preset.preset import (
    ASK,
    CARDS,
    FIGURES,
    GATES,
    KINDS,
    SPEEDS,
    VERDICTS,
    Change,
    Claim,
    Condition,
    Prediction,
    Preset,
    PresetError,
    SeenAs,
)

FENCE = "+++"  # the line before and after the settings of a lesson in Markdown
MAX_FIGURES = 3
ANSWER_COUNTS = (2, 4)  # minimum and maximum number of answers of a prediction

TYPES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", dict: "a table",
         list: "a list"}  # fmt: skip
PRESET_KEYS: dict[str, type] = {"title": str, "question": str, "look_for": str, "order": int, "experiment": dict,
                                "kind": str, "chapter": str, "explains": str, "text": str, "symptom": str,
                                "seen_as": list, "figures": list, "card": str, "speed": str, "paused": bool,
                                "note": str, "next": list, "predict": list, "done": dict, "claims": list}  # fmt: skip
CHANGE_KEYS: dict[str, type] = {"says": str, "settings": dict}
SEEN_AS_KEYS: dict[str, type] = {"says": str, "figure": str, "settings": dict}
CLAIM_KEYS: dict[str, type] = {"says": str, "gate": str, "measure": str, "settings": dict, "against": dict,
                               "steps": int, "above": float, "below": float, "equals": float,
                               "seeds": list}  # fmt: skip
WHEN_KEYS: dict[str, type] = {"step": int, "solved": bool, "broken": bool, "kind": str, "loss": float,
                              "metric": float}  # fmt: skip
DONE_KEYS = {"says": str, **WHEN_KEYS, "settings": dict}
PREDICTION_KEYS: dict[str, type] = {"asks": str, "answers": list, "right": int, "because": str, "settings": dict,
                                    "steps": int, "when": dict}  # fmt: skip


def parse_preset(slug: str, text: str, form: str = "toml") -> Preset:
    """Parse a lesson; `form` is the file's suffix, "toml" or "md".

    Raises:
        PresetError: for a syntax error, an unknown, missing or wrong key, or a link to invalid settings.
    """
    file = f"{slug}.{form}"
    head, body = _split(file, text) if form == "md" else (text, "")
    try:
        read = tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        raise PresetError(f"{file} cannot be read: {error}") from error
    table = checked(file, "a preset", read, PRESET_KEYS, ("title", "question", "look_for", "order", "experiment"))
    for key, choices in (("speed", tuple(SPEEDS)), ("kind", KINDS)):
        _one_of(file, key, table.get(key, choices[0]), choices)
    if "card" in table:
        _one_of(file, "card", table["card"], CARDS)
    if body:
        if "text" in table:
            raise PresetError(f"{file}: text stands below the second {FENCE} line already; leave the key out.")
        table["text"] = body
    experiment = table["experiment"] = _experiment(file, Experiment.from_dict, table["experiment"])
    for key in ("explains", "text"):
        _check_links(f"{file}, {key}", experiment, table.get(key, ""))
    if "figures" in table:
        table["figures"] = _texts(f"{file}: figures", table["figures"], 1, MAX_FIGURES)
    figures = table.get("figures", FIGURES)
    table["seen_as"] = tuple(_seen_as(file, experiment, figures, each) for each in table.get("seen_as", []))
    if "done" in table:
        table["done"] = _condition(f"{file}, done", experiment, table["done"], DONE_KEYS, ("says",))
    for key, make in (("next", _change), ("predict", _prediction), ("claims", _claim)):
        table[key] = tuple(make(f"{file}, {key}", experiment, each) for each in table.get(key, []))
    return Preset(slug=slug, **table)


def _split(file: str, text: str) -> tuple[str, str]:
    """Split into settings and body. An empty line replaces the first fence, so line numbers in errors stay right."""
    lines = text.lstrip("\ufeff").splitlines()
    ends = [number for number, line in enumerate(lines) if line.rstrip() == FENCE]
    if len(ends) < 2 or ends[0] != 0:
        raise PresetError(
            f"{file}: a lesson in Markdown begins with a line {FENCE}, then come its settings, another line {FENCE}, "
            "and the text."
        )
    return "\n".join(["", *lines[1 : ends[1]]]), "\n".join(lines[ends[1] + 1 :]).strip()


def _change(where: str, experiment: Experiment, read: Any) -> Change:
    table = checked(where, "a change", read, CHANGE_KEYS, ("says", "settings"))
    _experiment(where, lambda settings: experiment.replace(**settings), table["settings"])
    return Change(**table)


def _seen_as(file: str, experiment: Experiment, figures: tuple[str, ...], read: Any) -> SeenAs:
    where = f"{file}, seen_as"
    table = checked(where, "a symptom", read, SEEN_AS_KEYS, ("says", "figure"))
    _one_of(where, "figure", table["figure"], (*figures, ASK))
    _experiment(where, lambda settings: experiment.replace(**settings), table.get("settings", {}))
    return SeenAs(**table)


def _claim(where: str, experiment: Experiment, read: Any) -> Claim:
    table = checked(where, "a claim", read, CLAIM_KEYS, ("says", "gate"))
    _one_of(where, "gate", table["gate"], GATES)
    bounds_given = [key for key in ("measure", "above", "below", "equals") if key in table]
    if table["gate"] == "shown" and bounds_given:
        raise PresetError(f"{where}: a claim that is only shown has no {bounds_given[0]}.")
    if table["gate"] != "shown" and ("measure" not in bounds_given or len(bounds_given) < 2):
        article = "an" if table["gate"] == "exact" else "a"
        raise PresetError(f"{where}: {article} {table['gate']} claim needs measure, and above, below or equals.")
    settings = table.get("settings", {})
    for changes in (settings, {**settings, **table.get("against", {})}):
        _experiment(where, lambda changed: experiment.replace(**changed), changes)
    if "seeds" in table:
        table["seeds"] = tuple(table["seeds"])
    return Claim(**table)


def _prediction(where: str, experiment: Experiment, read: Any) -> Prediction:
    table = checked(where, "a prediction", read, PREDICTION_KEYS, ("asks", "answers", "right", "because"))
    table["answers"] = _texts(f"{where}: answers", table["answers"], *ANSWER_COUNTS)
    if not 0 <= table["right"] < len(table["answers"]):
        last = len(table["answers"]) - 1
        raise PresetError(f"{where}: right must be from 0 (the first answer) to {last}, but got {table['right']}.")
    _experiment(where, lambda settings: experiment.replace(**settings), table.get("settings", {}))
    when = dict(checked(f"{where}, when", "when", table.pop("when", {}), WHEN_KEYS, ()))
    if "steps" in table:
        when["step"] = table.pop("steps")
    return Prediction(**table, when=_condition(f"{where}, when", experiment, when, WHEN_KEYS, ()))


def _condition(
    where: str, experiment: Experiment, read: Any, known: dict[str, type], required: tuple[str, ...]
) -> Condition:
    table = checked(where, "a condition", read, known, required)
    if table.get("step", 0) < 0:
        raise PresetError(f"{where}: step must be 0 or more, but got {table['step']}.")
    if "kind" in table:
        _one_of(where, "kind", table["kind"], VERDICTS)
    if required and table.keys() <= {"says"}:
        raise PresetError(f"{where}: says alone is no condition; add one of {', '.join(known)}.".replace("says, ", ""))
    _experiment(where, lambda settings: experiment.replace(**settings), table.get("settings", {}))
    return Condition(**table)


def _check_links(where: str, experiment: Experiment, written: str) -> None:
    """Check that every link in the text that changes settings is valid."""
    for says, assignments in setting_links.LINK.findall(written):
        at = f"{where}, link [{' '.join(says.split())}]"
        try:
            settings = setting_links.settings(assignments)
        except ValueError as error:
            raise PresetError(f"{at}: {error}.") from error
        _experiment(at, lambda changes: experiment.replace(**changes), settings)
    if written.count("](set:") != len(setting_links.LINK.findall(written)):
        raise PresetError(f"{where}: a link that sets something is written [words](set:name=value, name=value).")


def _texts(where: str, read: list[Any], minimum: int, maximum: int) -> tuple[str, ...]:
    """Check a list of `minimum` to `maximum` different texts."""
    if not minimum <= len(read) <= maximum or any(type(each) is not str for each in read) or len(set(read)) < len(read):
        raise PresetError(f"{where} must be a list of {minimum} to {maximum} different texts, but got {read!r}.")
    return tuple(read)


def _one_of(where: str, key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise PresetError(f"{where}: {key} must be {', '.join(choices)}, but got {value!r}.")


def checked(where: str, what: str, read: Any, known: dict[str, type], required: tuple[str, ...]) -> dict[str, Any]:
    """Check a table: known keys only, values of the right type, all required keys present."""
    if not isinstance(read, dict):
        raise PresetError(f"{where}: {what} must be a table, but got {read!r}.")
    for key, value in read.items():
        if key not in known:
            raise PresetError(f"{where}: {key} is not a key of {what}; those are {', '.join(known)}.")
        if type(value) is not known[key] and not (known[key] is float and type(value) is int):
            raise PresetError(f"{where}: {key} must be {TYPES[known[key]]}, but got {value!r}.")
    for key in required:
        if key not in read:
            raise PresetError(f"{where}: {key} is missing.")
    return dict(read)


def _experiment(where: str, make: Callable[[dict[str, Any]], Experiment], settings: dict[str, Any]) -> Experiment:
    try:
        return make(settings)
    except ExperimentError as error:
        raise PresetError(f"{where}: {error}") from error
