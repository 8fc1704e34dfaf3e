"""Write a lesson as the Markdown file that `parser` reads: TOML between two lines of +++, then the text."""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import Any

from engine.data.dataset import dataset_of
from engine.data.defaults import defaults
from engine.experiment import DATA_NAMES, Experiment
from engine.preset.parser import (
    CHANGE_KEYS,
    CLAIM_KEYS,
    DONE_KEYS,
    FENCE,
    PREDICTION_KEYS,
    PRESET_KEYS,
    SEEN_AS_KEYS,
)
from engine.preset.preset import Condition, Preset

ORDER = ("order", "kind", "chapter", "title", "question", "look_for", "explains", "text", "symptom", "wrong",
         "right", "speed", "paused", "figures", "card", "note", "data", "data_choices")  # fmt: skip
"""The settings above the first table, in the order in which they are written."""
PARTS = {"seen_as": SEEN_AS_KEYS, "next": CHANGE_KEYS, "predict": PREDICTION_KEYS, "claims": CLAIM_KEYS}
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
MAX_LINE = 100  # characters of a text in one line; a longer one with line ends is written over several
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def write_preset(preset: Preset) -> str:
    """The lesson's file; parsed again, it is the same lesson."""
    return write_table(table_of(preset))


def table_of(preset: Preset) -> dict[str, Any]:
    """The lesson as the settings of its file, without those that have their usual value."""
    usual = Preset(slug="", order=0, title="", question="", look_for="", experiment=preset.experiment)
    table: dict[str, Any] = {key: getattr(preset, key) for key in ("order", "title", "question", "look_for")}
    for key in PRESET_KEYS:
        value = getattr(preset, key)
        if key not in table and value != getattr(usual, key) and key not in (*PARTS, "experiment", "done"):
            table[key] = list(value) if isinstance(value, tuple) else value
    settings = _own_settings(preset.experiment) if preset.data else settings_of(preset.experiment)
    if settings:
        table["experiment"] = settings
    for key in PARTS:
        if getattr(preset, key):
            table[key] = [_differing(each) for each in getattr(preset, key)]
    for asked, prediction in zip(table.get("predict", []), preset.predict, strict=True):
        asked |= {"when": _differing(prediction.when)} if prediction.when != Condition() else {}
        if "step" in asked.get("when", {}):
            asked["steps"] = asked["when"].pop("step")
        if not asked.get("when", True):
            del asked["when"]
    if preset.done is not None:
        table["done"] = {"says": preset.done.says, **_differing(preset.done)}
    return table


def settings_of(experiment: Experiment) -> dict[str, Any]:
    """The settings of an experiment that a lesson's file names: data, cell and length, and what is not usual."""
    usual = Experiment()
    always = ("task", "cell", "seq_len")
    return {
        name: value
        for name, value in experiment.to_dict().items()
        if name in always or value != getattr(usual, name) or type(value) is not type(getattr(usual, name))
    }


def _own_settings(experiment: Experiment) -> dict[str, Any]:
    """The settings that a lesson on own data names: those that are not what usually suits such data."""
    dataset = dataset_of(experiment)
    usual = Experiment() if dataset is None else defaults(dataset)
    return {
        name: value
        for name, value in experiment.to_dict().items()
        if name not in DATA_NAMES and value != getattr(usual, name)
    }


def _differing(part: Any) -> dict[str, Any]:
    """The fields of a part that are not as usual; its condition is left out."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        made = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        if value != made and not isinstance(value, Condition):
            values[field.name] = list(value) if isinstance(value, tuple) else value
    return values


def write_table(table: dict[str, Any]) -> str:
    """The file of these settings, as `parser.read_table` reads them: of a lesson that is not yet complete, too."""
    body = table.get("text", "")
    in_body = type(body) is str and body and "\n".join(body.splitlines()).strip() == body
    lines = [FENCE]
    known = [key for key in ORDER if key in table]
    others = [key for key in table if key not in (*ORDER, *PARTS, "experiment", "done")]
    lines += [
        f"{_key(key)} = {_value(table[key], wide=True)}" for key in (*known, *others) if not (key == "text" and in_body)
    ]
    if "experiment" in table:
        lines += _table("experiment", table["experiment"], [*table["experiment"]])
    for key, keys in PARTS.items():
        for part in table.get(key, []):
            lines += _table(key, part, [*keys], is_list=True)
        if table.get(key) == []:
            lines.insert(1, f"{key} = []")
    if "done" in table:
        lines += _table("done", table["done"], [*DONE_KEYS])
    return "\n".join([*lines, FENCE, *([body] if in_body else [])]) + "\n"


def _table(name: str, table: dict[str, Any], order: list[str], *, is_list: bool = False) -> list[str]:
    """The lines of one table with its heading, known keys first."""
    keys = sorted(table, key=lambda key: order.index(key) if key in order else len(order))
    heading = f"[[{name}]]" if is_list else f"[{name}]"
    return ["", heading, *(f"{_key(key)} = {_value(table[key], wide=True)}" for key in keys)]


def _key(key: str) -> str:
    return key if BARE_KEY.fullmatch(key) else _text(key)


def _value(value: Any, *, wide: bool = False) -> str:
    """A value as TOML; `wide` where a text may go over several lines."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _long_text(value) if wide and "\n" in value and len(value) > MAX_LINE else _text(value)
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return repr(value)


def _text(value: str) -> str:
    """A text in one line. What no line of the file may have is escaped: the parser splits it into lines."""
    return f'"{"".join(ESCAPES.get(each) or _visible(each) for each in value)}"'


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _long_text(value: str) -> str:
    """A text over several lines; in one line if one of them would end the settings."""
    if any(line.rstrip() == FENCE for line in value.split("\n")):
        return _text(value)
    kept = {"\n": "\n", '"': '"'}
    inside = "".join(kept.get(each) or ESCAPES.get(each) or _visible(each) for each in value)
    inside = re.sub(r'"(?="|$)', r"\"", inside)  # three in a row, or one at the end, would end the text
    return f'"""\n{inside}"""'
