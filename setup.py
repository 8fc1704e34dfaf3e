"""The wheel: `engine` and `app` inside one package, `rnn_playground`, with the files that they read.

In a clone both are packages of their own. So that an installed playground takes no common name from other projects, the
build writes their names anew, wherever they stand, in strings and docstrings too: `engine.watch` becomes
`rnn_playground.engine.watch`. All else about the package is in pyproject.toml.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
PACKAGE = "rnn_playground"
MOVED = ("engine", "app")
TREES = (*MOVED, "presets")
FILES = ("lessons/README.md", "lessons/example.md", ".streamlit/config.toml")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.partial.csv", "*.sweep")
COMMAND = (re.compile(r"python -m engine(?![\w.])"), "rnn-playground")


def names(package: str) -> re.Pattern[str]:
    """The places where a package of the clone is named: with one of its rooms, or to take a room from it."""
    rooms = "|".join(each.stem for each in (HERE / package).iterdir() if each.is_dir() or each.suffix == ".py")
    return re.compile(rf"(?<![\w.]){package}(?=\.(?:{rooms})\b| import )")


NAMES = [names(package) for package in MOVED]


def renamed(text: str) -> str:
    """A text in which the packages have the names that they have once they are installed."""
    for name in NAMES:
        text = name.sub(rf"{PACKAGE}.\g<0>", text)
    return COMMAND[0].sub(COMMAND[1], text)


class Build(build_py):
    """Copies the packages and what they read into `rnn_playground`, and renames them."""

    def run(self) -> None:
        target = Path(self.build_lib, PACKAGE)
        super().run()
        for tree in TREES:
            shutil.copytree(HERE / tree, target / tree, ignore=LEFT_OUT, dirs_exist_ok=True)
        for file in FILES:
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(HERE / file, target / file)
        for file in target.rglob("*.py"):
            file.write_text(renamed(file.read_text(encoding="utf-8")), encoding="utf-8")


with tempfile.TemporaryDirectory() as scratch:  # what an earlier build has left must not be in this one
    setup(cmdclass={"build_py": Build}, options={"build": {"build_base": scratch}, "egg_info": {"egg_base": scratch}})
