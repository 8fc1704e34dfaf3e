"""Parse a lesson: TOML, or Markdown with TOML between two lines of +++."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.data import Dataset
from engine.data.defaults import defaults
from engine.experiment import DATA_NAMES, Experiment, ExperimentError
from engine.preset import setting_links
from engine.preset.lesson_data import Find, nowhere
from engine.preset.preset import (
    ASK,
    CARDS,
    FIGURES,
    GATES,
    KINDS,
    SPEEDS,
    VERDICTS,
    BeingReadError,
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
                                "wrong": str, "right": str, "seen_as": list, "figures": list, "card": str,
                                "speed": str, "paused": bool, "note": str, "data": str, "data_choices": dict,
                                "next": list, "predict": list, "done": dict, "claims": list}  # fmt: skip
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


Place = tuple[str | int, ...]


def parse_preset(slug: str, text: str, form: str = "toml", find: Find = nowhere) -> Preset:
    """Parse a lesson; `form` is the file's suffix, "toml" or "md"; `find` finds data of its own.

    Raises:
        BeingReadError: if nothing is wrong, but its data are still being read.
        PresetError: for a syntax error, an unknown, missing or wrong key, or a link to invalid settings.
    """
    file = f"{slug}.{form}"
    preset, problems = check_table(file, read_table(file, text, form), find)
    if problems:
        raise next((each for each in problems if not isinstance(each, BeingReadError)), problems[0])
    assert preset is not None
    return preset


def read_table(file: str, text: str, form: str = "md") -> dict[str, Any]:
    """The settings of a lesson's file as TOML reads them, unchecked; the text of a Markdown file is one of them.

    Raises:
        PresetError: for a syntax error.
    """
    head, body = _split(file, text) if form == "md" else (text, "")
    try:
        table = tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        raise PresetError(f"{file} cannot be read: {error}", says=f"It cannot be read: {error}.") from error
    if body:
        if "text" in table:
            raise _problem(file, f"text stands below the second {FENCE} line already; leave the key out.")
        table["text"] = body
    return table


def check_table(file: str, table: dict[str, Any], find: Find = nowhere) -> tuple[Preset | None, list[PresetError]]:
    """Check the settings of a lesson.

    Args:
        file: its name, for messages; without the suffix it is the lesson's slug.
        table: as `read_table` returns it; not changed.
        find: finds the data of a lesson on data of its own.

    Returns:
        The lesson, or None if there are problems; and every problem, in the order in which a file is checked.
    """
    return _Check(file, find).lesson(table)


def _split(file: str, text: str) -> tuple[str, str]:
    """Split into settings and body. An empty line replaces the first fence, so line numbers in errors stay right."""
    lines = text.lstrip("\ufeff").splitlines()
    ends = [number for number, line in enumerate(lines) if line.rstrip() == FENCE]
    if len(ends) < 2 or ends[0] != 0:
        raise _problem(
            file,
            f"a lesson in Markdown begins with a line {FENCE}, then come its settings, another line {FENCE}, "
            "and the text.",
        )
    return "\n".join(["", *lines[1 : ends[1]]]), "\n".join(lines[ends[1] + 1 :]).strip()


class _Check:
    """The check of one lesson. It goes on after a problem, so that all of them can be told at once."""

    def __init__(self, file: str, find: Find) -> None:
        self.file, self.find = file, find
        self.problems: list[PresetError] = []
        self.experiment: Experiment | None = None  # None while its settings are wrong: others cannot be checked then

    def lesson(self, read: dict[str, Any]) -> tuple[Preset | None, list[PresetError]]:
        """The lesson of this table and all its problems."""
        file = self.file
        required = ("title", "question", "look_for", "order", *(() if "data" in read else ("experiment",)))
        table = self.table((), file, "a preset", read, PRESET_KEYS, required)
        for key, choices in (("speed", tuple(SPEEDS)), ("kind", KINDS), ("card", CARDS)):
            if key in table:
                self.one_of((key,), file, table[key], choices)
        dataset = self.own_data(table)
        complete = dataset is not None if "data" in read else "experiment" in table
        if complete:  # of data of its own a lesson may leave all settings to their defaults
            with self.at("experiment"):
                self.experiment = table["experiment"] = _experiment(file, table.get("experiment", {}), dataset)
        for key in ("explains", "text"):
            with self.at(key):
                _check_links(f"{file}, {key}", self.experiment, table.get(key, ""))
        if "figures" in table:
            table["figures"] = self.texts(("figures",), file, table["figures"], 1, MAX_FIGURES)
        figures = table.get("figures", FIGURES)
        table["seen_as"] = self.each("seen_as", table, lambda *at: self.seen_as(figures, *at))
        if "done" in table:
            table["done"] = self.condition(("done",), f"{file}, done", table["done"], DONE_KEYS, ("says",))
        for key, make in (("next", self.change), ("predict", self.prediction), ("claims", self.claim)):
            table[key] = self.each(key, table, make)
        slug = file.rpartition(".")[0]
        return (None if self.problems else Preset(slug=slug, **table)), self.problems

    def own_data(self, table: dict[str, Any]) -> Dataset | None:
        """The lesson's own data; None without, and if they are not to be had."""
        if "data" not in table:
            if "data_choices" in table:
                with self.at("data_choices"):
                    raise _problem(self.file, "data_choices is about data of the lesson's own, so it needs data.")
            return None
        with self.at("data"):
            try:
                return self.find(table["data"], table.get("data_choices", {}))
            except PresetError as error:
                raise type(error)(f"{self.file}, data: {error}", says=str(error)) from error
        return None

    # ---- its parts: each returns the value, or what is left of it if there were problems

    def change(self, place: Place, where: str, read: Any) -> Any:
        table = self.table(place, where, "a change", read, CHANGE_KEYS, ("says", "settings"))
        self.settings(place, where, table.get("settings", {}))
        return self.made(Change, table)

    def seen_as(self, figures: tuple[str, ...], place: Place, where: str, read: Any) -> Any:
        table = self.table(place, where, "a symptom", read, SEEN_AS_KEYS, ("says", "figure"))
        if "figure" in table:
            self.one_of((*place, "figure"), where, table["figure"], (*figures, ASK))
        self.settings(place, where, table.get("settings", {}))
        return self.made(SeenAs, table)

    def claim(self, place: Place, where: str, read: Any) -> Any:
        table = self.table(place, where, "a claim", read, CLAIM_KEYS, ("says", "gate"))
        gate = table.get("gate", "shown")
        self.one_of((*place, "gate"), where, gate, GATES)
        bounds_given = [key for key in ("measure", "above", "below", "equals") if key in table]
        with self.at(*place):
            if gate == "shown" and bounds_given:
                raise _problem(where, f"a claim that is only shown has no {bounds_given[0]}.")
            if gate in GATES[:2] and ("measure" not in bounds_given or len(bounds_given) < 2):
                article = "an" if gate == "exact" else "a"
                raise _problem(where, f"{article} {gate} claim needs measure, and above, below or equals.")
        settings = table.get("settings", {})
        for changes in (settings, {**settings, **table.get("against", {})}):
            self.settings(place, where, changes)
        if "seeds" in table:
            table["seeds"] = tuple(table["seeds"])
        return self.made(Claim, table)

    def prediction(self, place: Place, where: str, read: Any) -> Any:
        table = self.table(place, where, "a prediction", read, PREDICTION_KEYS, ("asks", "answers", "right", "because"))
        if "answers" in table:
            table["answers"] = self.texts((*place, "answers"), where, table["answers"], *ANSWER_COUNTS)
            last = len(table["answers"]) - 1
            if last >= 0 and not 0 <= table.get("right", 0) <= last:
                with self.at(*place, "right"):
                    raise _problem(
                        where, f"right must be from 0 (the first answer) to {last}, but got {table['right']}."
                    )
        self.settings(place, where, table.get("settings", {}))
        when_at = f"{where}, when"
        when = self.table((*place, "when"), when_at, "when", table.pop("when", {}), WHEN_KEYS, ())
        if "steps" in table:
            when["step"] = table.pop("steps")
        table["when"] = self.condition((*place, "when"), when_at, when, WHEN_KEYS, ())
        return self.made(Prediction, table)

    def condition(self, place: Place, where: str, read: Any, known: dict[str, type], required: tuple[str, ...]) -> Any:
        table = self.table(place, where, "a condition", read, known, required)
        if table.get("step", 0) < 0:
            with self.at(*place, "step"):
                raise _problem(where, f"step must be 0 or more, but got {table['step']}.")
        if "kind" in table:
            self.one_of((*place, "kind"), where, table["kind"], VERDICTS)
        if required and table.keys() <= {"says"}:
            with self.at(*place):
                others = ", ".join(key for key in known if key != "says")
                raise _problem(where, f"says alone is no condition; add one of {others}.")
        self.settings(place, where, table.get("settings", {}))
        return self.made(Condition, table)

    # ---- what the parts are made of

    @contextmanager
    def at(self, *place: str | int) -> Iterator[None]:
        """Note a problem instead of raising it; its place begins with this one."""
        try:
            yield
        except PresetError as error:
            error.place = (*place, *error.place)
            self.problems.append(error)

    def each(self, key: str, table: dict[str, Any], make: Any) -> tuple[Any, ...]:
        """The parts of a list, each made by `make(place, where, part)`."""
        where = f"{self.file}, {key}"
        return tuple(make((key, number), where, part) for number, part in enumerate(table.get(key, [])))

    def made(self, kind: type, table: dict[str, Any]) -> Any:
        """The part as a value; the table as it is once there is a problem, since the lesson is then not made."""
        return table if self.problems else kind(**table)

    def table(
        self, place: Place, where: str, what: str, read: Any, known: dict[str, type], required: tuple[str, ...]
    ) -> dict[str, Any]:
        """A table without the entries that are wrong, which are noted."""
        wrong: set[str | int] = set()
        for problem in _faults(where, what, read, known, required):
            wrong.update(problem.place)
            problem.place = (*place, *problem.place)
            self.problems.append(problem)
        return {key: value for key, value in read.items() if key not in wrong} if isinstance(read, dict) else {}

    def settings(self, place: Place, where: str, changes: dict[str, Any]) -> None:
        """Check changes of the lesson's experiment."""
        if self.experiment is not None:
            with self.at(*place, "settings"):
                _changed(where, self.experiment, changes)

    def one_of(self, place: Place, where: str, value: str, choices: tuple[str, ...]) -> None:
        """Check that a value is one of these; its key is the last part of its place."""
        if value not in choices:
            with self.at(*place):
                raise _problem(where, f"{place[-1]} must be {', '.join(choices)}, but got {value!r}.")

    def texts(self, place: Place, where: str, read: list[Any], minimum: int, maximum: int) -> tuple[str, ...]:
        """A list of `minimum` to `maximum` different texts."""
        are_texts = all(type(each) is str for each in read)
        if not are_texts or not minimum <= len(read) <= maximum or len(set(read)) < len(read):
            with self.at(*place):
                says = f"{place[-1]} must be a list of {minimum} to {maximum} different texts, but got {read!r}."
                raise _problem(where, says, is_shape=not are_texts)
        return tuple(read) if are_texts else ()


def _check_links(where: str, experiment: Experiment | None, written: str) -> None:
    """Check that every link in the text that changes settings is valid."""
    for says, assignments in setting_links.LINK.findall(written):
        link = f"link [{' '.join(says.split())}]"
        try:
            settings = setting_links.settings(assignments)
        except ValueError as error:
            raise PresetError(f"{where}, {link}: {error}.", says=f"{link}: {error}.") from error
        if experiment is not None:
            _changed(where, experiment, settings, link)
    if written.count("](set:") != len(setting_links.LINK.findall(written)):
        raise _problem(where, "a link that sets something is written [words](set:name=value, name=value).")


def checked(where: str, what: str, read: Any, known: dict[str, type], required: tuple[str, ...]) -> dict[str, Any]:
    """Check a table: known keys only, values of the right type, all required keys present."""
    for problem in _faults(where, what, read, known, required):
        raise problem
    return dict(read)


def _faults(
    where: str, what: str, read: Any, known: dict[str, type], required: tuple[str, ...]
) -> Iterator[PresetError]:
    """All that is wrong with a table: unknown keys, values of the wrong type, keys that are missing."""
    if not isinstance(read, dict):
        yield _problem(where, f"{what} must be a table, but got {read!r}.", is_shape=True)
        return
    for key, value in read.items():
        if key not in known:
            says = f"{key} is not a key of {what}; those are {', '.join(known)}."
            yield _problem(where, says, key, is_shape=True)
        elif type(value) is not known[key] and not (known[key] is float and type(value) is int):
            yield _problem(where, f"{key} must be {TYPES[known[key]]}, but got {value!r}.", key, is_shape=True)
    for key in required:
        if key not in read:
            yield _problem(where, f"{key} is missing.", key)


def _problem(where: str, says: str, *place: str | int, is_shape: bool = False) -> PresetError:
    return PresetError(f"{where}: {says}", says=says, place=place, is_shape=is_shape)


def _experiment(where: str, settings: dict[str, Any], dataset: Dataset | None) -> Experiment:
    """The experiment of these settings. On own data, those that are left out are what usually suits such data."""
    try:
        if dataset is None:
            return Experiment.from_dict(settings)
        for name in DATA_NAMES:
            if name in settings:
                raise _problem(where, f"{name} must be left out, because the lesson has data of its own.", name)
        return Experiment.from_dict({**defaults(dataset).to_dict(), **settings}, dataset.to_task())
    except ExperimentError as error:
        raise _problem(where, str(error), error.field) from error


def _changed(where: str, experiment: Experiment, settings: dict[str, Any], link: str = "") -> None:
    """Check changes of an experiment, those of a link in a text if it is named."""
    try:
        experiment.replace(**settings)
    except ExperimentError as error:
        says = f"{link}: {error}" if link else str(error)
        raise PresetError(f"{where}{', ' if link else ': '}{says}", says=says) from error
