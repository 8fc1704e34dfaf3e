"""Formats that programs and well-known collections write: what must be understood of each, without any choice."""

from __future__ import annotations

import pytest

from engine.data import read
from tests.engine.data import format_files as made

SERIES = {
    made.kaggle_stores: {"target": "sales", "ids": ["store_nbr", "family"], "series": 4, "step": "day", "period": 7},
    made.r_time_series: {"target": "value", "step": "month", "period": 12, "rows": 96},
    made.german_excel: {"target": "Erlös in €", "step": "month", "delimiter": ";", "encoding": "cp1252", "period": 12},
    made.pandas_with_row_numbers: {"target": "value", "time": "date", "step": "day", "inputs": ["value"]},
    made.pandas_with_time_index: {"target": "load", "step": "hour", "period": 24, "rows": 96},
    made.yahoo: {"target": "Close", "step": "weekday", "time": "Date", "missing": None},
    made.air_quality: {"target": "CO(GT)", "time": "Date+Time", "step": "hour", "rows": 120, "period": 24},
    made.fred: {"target": "UNRATE", "step": "month", "rows": 72},
    made.search_interest: {"step": "week", "rows": 150, "header": True},
    made.world_in_data: {"target": "Life expectancy", "time": "Year", "ids": ["Entity"], "series": 3, "step": "year"},
    made.world_bank: {"target": "Chad", "inputs": ["Chad", "Bolivia", "Laos", "Malta"], "step": "year", "rows": 37},
    made.world_bank_json: {"target": "value", "time": "date", "step": "year", "rows": 40},
    made.carbon_dioxide: {"step": "month", "rows": 72, "delimiter": " "},
    made.weather_station: {"time": "Date Time", "step": "10 minutes", "target": "p (mbar)"},
    made.transformer: {"target": "OT", "inputs": ["OT", "HUFL", "HULL"], "step": "hour"},
    made.parquet: {"target": "sales", "time": "day", "step": "day", "delimiter": None},
    made.weather_service: {"target": "temperature_2m", "time": "time", "step": "hour", "rows": 96},
    made.spreadsheet: {"target": "Visitors", "time": "Month", "step": "month", "rows": 60},
}
WORDS = {
    made.movie_phrases: {"kind": "labelled", "text": "sentence", "label": "label", "classes": 2, "rows": 60},
    made.news_without_header: {"kind": "labelled", "header": False, "classes": 4, "label": "column 1"},
    made.business_reviews: {"kind": "labelled", "text": "text", "label": "stars", "classes": 4},
    made.fasttext: {"kind": "labelled", "classes": 2, "rows": 60},
    made.tatoeba: {"kind": "pairs", "source": "column 2", "target": "column 4", "rows": 60},
    made.instructions: {"kind": "pairs", "source": "instruction", "target": "output", "rows": 60},
    made.parallel_bars: {"kind": "pairs", "rows": 60, "delimiter": "|||"},
    made.newswire_entities: {"kind": "tagged", "classes": 3, "sequences": 30},
    made.treebank: {"kind": "tagged", "column": "UPOS", "classes": 3, "sequences": 20},
    made.entities_in_a_table: {"kind": "tagged", "column": "Tag", "classes": 2, "sequences": 20},
    made.entities_in_json: {"kind": "tagged", "column": "ner_tags", "classes": 3, "sequences": 20},
    made.novel: {"kind": "text", "unit": "characters", "lines": False},
    made.first_names: {"kind": "text", "lines": True, "rows": 48},
}
SEQUENCES = {
    made.ucr: {"classes": 2, "rows": 40, "channels": 1, "lengths": [24, 24, 24], "label": "column 1"},
    made.ucr_of_different_lengths: {"classes": 2, "lengths": [19, 22, 24]},
    made.m4: {"classes": None, "rows": 20, "lengths": [24, 27, 30]},
    made.arrays: {"classes": 2, "rows": 50, "train": 30, "test": 20},
    made.strokes: {"classes": 2, "channels": 2, "rows": 40, "label": "label"},
}
EVERY = {
    **{maker: {"kind": "series", **expected} for maker, expected in SERIES.items()},
    **WORDS,
    **{maker: {"kind": "sequences", **expected} for maker, expected in SEQUENCES.items()},
}


@pytest.mark.parametrize("maker", EVERY, ids=lambda maker: maker.__name__)
def test_what_is_understood(maker):
    dataset = read(maker())
    found = {"kind": dataset.kind, **dataset.summary}
    counted = {key: len(found[key]) for key in ("classes",) if isinstance(found.get(key), dict)}
    found |= counted
    expected = {key: value for key, value in EVERY[maker].items() if key != "missing"}
    assert {key: found.get(key) for key in expected} == expected
