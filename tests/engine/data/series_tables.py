"""Tables of numbers over time for tests, made with pandas instead of read from a file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from engine.data.content import SeriesContent
from engine.data.kinds.series import of_table
from engine.data.problems import Notes
from engine.data.table import Column, Table

AIRLINE = """112 118 132 129 121 135 148 148 136 119 104 118 115 126 141 135 125 149 170 170 158 133 114 140
145 150 178 163 172 178 199 199 184 162 146 166 171 180 193 181 183 218 230 242 209 191 172 194
196 196 236 235 229 243 264 272 237 211 180 201 204 188 235 227 234 264 302 293 259 229 203 229
242 233 267 269 270 315 364 347 312 274 237 278 284 277 317 313 318 374 413 405 355 306 271 306
315 301 356 348 355 422 465 467 404 347 305 336 340 318 362 348 363 435 491 505 404 359 310 337
360 342 406 396 420 472 548 559 463 407 362 405 417 391 419 461 472 535 622 606 508 461 390 432"""
"""Passengers of international airlines in thousands, January 1949 to December 1960 (Box and Jenkins, series G)."""


def airline() -> pd.DataFrame:
    """The classic 144 months."""
    months = pd.date_range("1949-01-01", periods=144, freq="MS")
    return pd.DataFrame({"Month": months, "Passengers in thousands": np.array(AIRLINE.split(), float)})


def column(name: str, cells: pd.Series) -> Column:
    """A column as the reader describes it: times, numbers, words or a constant."""
    distinct, texts = int(cells.nunique()), [None if pd.isna(cell) else str(cell) for cell in cells]
    if pd.api.types.is_datetime64_any_dtype(cells):
        kind = "constant" if distinct == 1 else "time"
        return Column(name, kind, list(texts), times=cells.to_numpy().astype("datetime64[s]"), distinct=distinct)
    if pd.api.types.is_numeric_dtype(cells):
        values = cells.to_numpy(np.float64)
        kind = "counter" if name == "No" else "constant" if distinct == 1 and not cells.isna().any() else "number"
        return Column(name, kind, list(texts), values=values, distinct=distinct, words=1.0)
    return Column(name, "label" if distinct <= len(cells) / 2 else "text", list(texts), distinct=distinct, words=1.0)


def read(frame: pd.DataFrame, **choices: Any) -> tuple[dict[str, Any], SeriesContent, list[str]]:
    """(summary, content, sentences) of a table whose header is line 1."""
    columns, notes = [column(str(name), frame[name]) for name in frame], Notes()
    names, cells = tuple(str(name) for name in frame), tuple(each.cells for each in columns)
    table = Table(names, cells, np.arange(2, len(frame) + 2), True, ",")
    summary, content = of_table(table, columns, notes, choices)
    return summary, content, [problem.sentence for problem in notes]


def waves(rows: int, period: int = 12, noise: float = 0.1, seed: int = 0, freq: str = "D") -> pd.DataFrame:
    """A wave that repeats itself, with a trend and noise."""
    rng, t = np.random.default_rng(seed), np.arange(rows)
    y = 10 + 0.02 * t + 2 * np.sin(2 * np.pi * t / period) + noise * rng.normal(size=rows)
    return pd.DataFrame({"date": pd.date_range("2020-01-01", periods=rows, freq=freq), "y": y})


def errors(found: dict[str, float]) -> list[float]:
    """Their values, in order."""
    return list(found.values())


def says(sentences: list[str], *words: str) -> bool:
    """True if one of the sentences has all of these words."""
    return any(all(word in sentence for word in words) for sentence in sentences)
