"""What is told while a training runs: verdicts and mistakes, at the look that first finds them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from engine.watch import mistakes
from engine.watch.diagnosis import MISTAKE, VERDICTS
from engine.watch.looks import ModuleLook
from engine.watch.loop_looks import LoopLook
from engine.watch.mistakes import Mistake

ANY, CHANGE = "any", "change"
KINDS = (*(kind for kind in VERDICTS if kind != MISTAKE), *mistakes.KINDS)

SPELLED = {kind.replace(" ", "_"): kind for kind in (*KINDS, ANY, CHANGE)}
"""Each kind by its name with underscores: "not finite" and "missing_detach" are understood, too."""


class Finding(NamedTuple):
    """What a look has found of a module. kind: one of KINDS; sentence: with its cure, without the module's name."""

    kind: str
    module: str
    sentence: str

    def __str__(self) -> str:
        what = "" if self.kind in VERDICTS else f"{self.kind}: "
        return f"{self.module}: {what}{self.sentence}"


Callback = Callable[[Finding], object]


def findings(
    looks: Mapping[str, ModuleLook | LoopLook], found: Sequence[Mistake], before: Mapping[str, str]
) -> list[Finding]:
    """The verdict of every module, and the mistakes.

    Args:
        before: the kind of each module's verdict at the last look.
    """
    verdicts = {name: look.diagnosis(found, before.get(name, "")) for name, look in looks.items()}
    told = [
        Finding(one.kind, name, f"{one.sentence[0].lower()}{one.sentence[1:]}\n{one.advice}".strip())
        for name, one in verdicts.items()
        if one.kind != MISTAKE  # told by its own kind
    ]
    return told + [Finding(each.kind, each.module, f"{each.sentence} {each.cure}") for each in found]


class Events:
    """Calls back those who want to know, at the end of a look."""

    def __init__(self) -> None:
        self._wanted: list[tuple[str, Callback]] = []
        self._told: set[tuple[str, str]] = set()
        self._verdicts: dict[str, str] = {}
        self._has_warned = False

    def on(self, kind: str, callback: Callback) -> None:
        """See `Lens.on`."""
        known = SPELLED.get(kind.replace(" ", "_"))
        if known is None:
            raise ValueError(f"kind is {kind!r}: one of {', '.join((*KINDS, ANY, CHANGE))} is expected")
        self._wanted.append((known, callback))

    def looked(self, looks: Mapping[str, ModuleLook | LoopLook], found: Sequence[Mistake]) -> None:
        """A look is over. Verdicts are found only if somebody wants to know: they cost a frame each."""
        if not self._wanted:
            return
        for finding in findings(looks, found, self._verdicts):
            is_new = (finding.kind, finding.module) not in self._told
            self._told.add((finding.kind, finding.module))
            is_changed = is_new
            if finding.kind in VERDICTS:
                is_changed = self._verdicts.get(finding.module) != finding.kind
                self._verdicts[finding.module] = finding.kind
            kinds = {CHANGE: is_changed, ANY: is_new, finding.kind: is_new}
            self._call([callback for kind, callback in self._wanted if kinds.get(kind)], finding)

    def _call(self, callbacks: Sequence[Callback], finding: Finding) -> None:
        """An error in somebody's callback must not end the training: it is warned of, once."""
        for callback in callbacks:
            try:
                callback(finding)
            except Exception as error:
                if not self._has_warned:
                    self._has_warned = True
                    with suppress(Warning):  # where warnings are errors
                        warnings.warn(
                            f"a callback of lens.on failed at {finding.kind!r}: {type(error).__name__}: {error}",
                            UserWarning,
                            stacklevel=2,
                        )
