"""A report as a fragment of HTML for a notebook: no script, no style sheet, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from engine.watch.log_plot import log_plot
from engine.watch.report import ModuleReport, Report, closing, modules_of

ALARM = "#e07000"
BOX = "font-family:sans-serif;font-size:13px;line-height:1.45;max-width:46em"
TABLE = "border:none;border-collapse:collapse;margin:2px 0;color:inherit;font-size:inherit"
LABEL = "text-align:left;vertical-align:top;padding:1px 12px 1px 0;opacity:.65;font-weight:normal;white-space:nowrap"
VALUE = "text-align:left;vertical-align:top;padding:1px 0"


def html(report: Report) -> str:
    """All of it: module by module, then what is said of the whole."""
    parts = [*map(_module, modules_of(report)), _table(closing(report))]
    return f'<div style="{BOX}">{"".join(parts)}</div>'


def _module(module: ModuleReport) -> str:
    parts = [f'<p style="margin:0"><b>{escape(module.heading)}</b></p>']
    parts += [f'<p style="margin:0;white-space:pre-line">{escape(module.advice)}</p>'] if module.advice else []
    parts += [f'<p style="margin:0;opacity:.65">{escape(module.about_names)}</p>'] if module.about_names else []
    parts += [
        f'<p style="margin:4px 0;padding-left:8px;border-left:3px solid {ALARM}"><b>{escape(each.kind)}</b>: '
        f"{escape(each.sentence)} {escape(each.cure)}</p>"
        for each in module.mistakes
    ]
    parts.append(_table(module.before))
    shown = [chain for chain in module.chains if chain.reach.steps and chain.reach.is_finite]
    if shown:
        parts.append(f'<p style="margin:6px 0 0;opacity:.65">gradient: {escape(module.caption)}</p>')
        parts.append(log_plot([(chain.where, chain.reach.by_distance) for chain in shown]))
    parts.append(_table(module.after))
    return f'<div style="margin:0 0 14px">{"".join(parts)}</div>'


def _table(facts: Sequence[tuple[str, str]]) -> str:
    """A label once, where it stands before several sentences."""
    if not facts:
        return ""
    return f'<table style="{TABLE}">{"".join(_rows(facts))}</table>'


def _rows(facts: Sequence[tuple[str, str]]) -> Iterable[str]:
    before = ""
    for label, sentence in facts:
        shown = "" if label == before else escape(label)
        yield (
            f'<tr style="background:none"><th scope="row" style="{LABEL}">{shown}</th>'
            f'<td style="{VALUE}">{escape(sentence)}</td></tr>'
        )
        before = label
