"""Joining the stage's JavaScript modules into one script, since a component's script is a single text without imports.

Every module becomes a function that returns what it exports, so that names of different modules do not meet.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
IMPORT = re.compile(r"^import \{(?P<names>[^}]*)\} from ['\"](?P<path>[^'\"]+)['\"];\n", re.MULTILINE | re.DOTALL)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (?P<name>\w+))", re.MULTILINE)


@cache
def bundle(entry: str) -> str:
    """The script of a module and of all that it imports; the entry's exports are names of the whole script.

    Args:
        entry: a file in this folder, "board.js".

    Raises:
        ValueError: if a module uses an import or an export of another form, or modules import each other in a circle.
    """
    written: dict[Path, str] = {}
    _add((HERE / entry).resolve(), written, ())
    names = ", ".join(_exports((HERE / entry).read_text()))
    return "\n".join([*written.values(), f"const {{ {names} }} = {_variable((HERE / entry).resolve())};"])


def _add(module: Path, written: dict[Path, str], above: tuple[Path, ...]) -> None:
    """Append a module after those that it imports."""
    if module in written:
        return
    if module in above:
        raise ValueError(f"{module.name} imports itself by way of {above[-1].name}")
    source = module.read_text()
    for match in IMPORT.finditer(source):
        _add((module.parent / match["path"]).resolve(), written, (*above, module))
    names, variable = _exports(source), _variable(module)
    body = IMPORT.sub(lambda match: _destructured(module, match), source)
    body = EXPORT.sub("", body)
    if left := re.search(r"^(?:import|export)\b.*$", body, re.MULTILINE):
        raise ValueError(f"{module.name}: not understood: {left[0]}")
    written[module] = f"const {variable} = (() => {{\n{body}\nreturn {{ {', '.join(names)} }};\n}})();"


def _destructured(module: Path, match: re.Match[str]) -> str:
    names = ", ".join(name.strip().replace(" as ", ": ") for name in match["names"].split(",") if name.strip())
    return f"const {{ {names} }} = {_variable((module.parent / match['path']).resolve())};\n"


def _exports(source: str) -> list[str]:
    return [match["name"] for match in EXPORT.finditer(source)]


def _variable(module: Path) -> str:
    """A module's name in the script: "stage_parts_wires"."""
    return re.sub(r"\W", "_", "_".join(["stage", *module.relative_to(HERE.resolve()).with_suffix("").parts]))
