"""A report as text for a terminal, at most 100 columns wide."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np

from engine.number_format import short
from engine.watch.reach import Reach
from engine.watch.report import ChainReport, ModuleReport, Report, closing, count, modules_of

WIDTH, LABEL = 100, 14
COLUMNS = 32
BLOCKS = "▁▂▃▄▅▆▇█"
SCALE = "one block lower = 10 times smaller"


def written(report: Report) -> str:
    """All of it: module by module, then what is said of the whole."""
    lines = []
    for module in modules_of(report):
        lines += [*_module_lines(module), ""]
    return "\n".join([*lines, *_facts(closing(report))])


def _module_lines(module: ModuleReport) -> list[str]:
    lines = textwrap.wrap(module.heading, WIDTH, subsequent_indent="  ")
    lines += _facts([("try", line) for line in module.advice.splitlines()], "  ")
    lines += _fact("", f"({module.about_names})") if module.about_names else []
    for mistake in module.mistakes:
        lines += textwrap.wrap(f"  ! {mistake.kind}: {mistake}", WIDTH, subsequent_indent=" " * LABEL)
    lines += _facts(module.before, "  ")
    if module.chains:
        lines += _fact("  gradient:", f"{module.caption} ({SCALE})")
        lines += [_chain_line(chain) for chain in module.chains]
    return lines + _facts(module.after, "  ")


def _facts(facts: Sequence[tuple[str, str]], indent: str = "") -> list[str]:
    """A label once, where it stands before several sentences."""
    lines, before = [], ""
    for label, sentence in facts:
        lines += _fact("" if label == before else f"{indent}{label}:", sentence)
        before = label
    return lines


def _fact(label: str, sentence: str) -> list[str]:
    return textwrap.wrap(
        sentence, WIDTH, initial_indent=f"{label:{LABEL}}", subsequent_indent=" " * LABEL, break_on_hyphens=False
    )


def _chain_line(chain: ChainReport) -> str:
    where, reach = f"    {chain.where}" if chain.where else "", chain.reach
    if not reach.steps:
        return f"{where:{LABEL + 8}} {chain.word}"
    ends = f"{short(reach.enters):>8} {sparkline(reach)} {short(reach.first)}"
    return f"{where:{LABEL + 8}}{ends}, {count(reach.steps, 'step')} back: {chain.word}".rstrip()


def sparkline(reach: Reach) -> str:
    """The norms as blocks, a tenth of the size for each block lower; "·" is exactly 0, "?" is no finite number."""
    sizes = np.array(reach.by_distance)
    if len(sizes) > COLUMNS:
        sizes = sizes[np.linspace(0, len(sizes) - 1, COLUMNS).round().astype(int)]
    largest = max((size for size in sizes if math.isfinite(size)), default=0.0)
    return "".join(_block(float(size), float(largest)) for size in sizes)


def _block(size: float, largest: float) -> str:
    if not math.isfinite(size):
        return "?"
    if size == 0:
        return "·"
    lower = math.floor(math.log10(largest) - math.log10(size) + 1e-9)
    return BLOCKS[max(0, len(BLOCKS) - 1 - lower)]
