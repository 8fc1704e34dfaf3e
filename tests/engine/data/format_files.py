"""Small files as programs and well-known collections write them: numbers and words made up here, the format theirs."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable

import numpy as np
import pandas as pd

Maker = Callable[[], bytes]


def days(count: int, start: str = "2020-01-01", step: str = "D") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=count, freq=step)


def wave(at: int, period: int = 7, level: float = 50.0) -> float:
    """Around the level, with a period and a little that looks like chance."""
    return round(level + 9 * math.sin(2 * math.pi * at / period) + (at * 7919 % 13) / 5, 2)


def csv(rows: list[list[object]], delimiter: str = ",") -> str:
    return "\n".join(delimiter.join(map(str, row)) for row in rows) + "\n"


NOUNS = ("cat", "dog", "house", "river", "teacher", "garden", "letter", "window")
VERBS = ("sees", "finds", "likes", "paints", "follows", "forgets")
GOOD, BAD = ("lovely", "clever", "warm", "bright"), ("dull", "clumsy", "cold", "noisy")


def sentence(at: int) -> str:
    return f"the {NOUNS[at % 8]} {VERBS[at * 5 % 6]} a {NOUNS[at * 3 % 7]} near number {at}"


def review(at: int) -> tuple[str, int]:
    """A text and whether it praises."""
    words = (BAD, GOOD)[at % 2]
    return f"The {NOUNS[at % 8]} was {words[at * 3 % 4]}, and the {NOUNS[at * 5 % 7]} {words[at * 7 % 4]} too.", at % 2


# ---- series


def kaggle_stores() -> bytes:
    rows = [
        [at * 4 + 2 * store + kind, day.date(), store + 1, ("BREAD", "MEAT")[kind], wave(at + store + kind), at % 3]
        for at, day in enumerate(days(60))
        for store in (0, 1)
        for kind in (0, 1)
    ]
    return csv([["id", "date", "store_nbr", "family", "sales", "onpromotion"], *rows]).encode()


def r_time_series() -> bytes:
    rows = [[f'"{at + 1}"', f"{1949 + at / 12:.15g}", round(wave(at, 12) + at)] for at in range(96)]
    return csv([['""', '"time"', '"value"'], *rows]).encode()


def german_excel() -> bytes:
    rows = [[day.strftime("%d.%m.%Y"), f"{1000 + wave(at, 12):,.2f}".translate(str.maketrans(",.", ".,")), "3,5"]
            for at, day in enumerate(days(60, "2015-01-01", "MS"))]  # fmt: skip
    return csv([["Monat", "Erlös in €", "Satz"], *rows], ";").encode("cp1252")


def pandas_with_row_numbers() -> bytes:
    frame = pd.DataFrame({"date": days(60), "value": [wave(at) for at in range(60)]})
    return frame.to_csv().encode()


def pandas_with_time_index() -> bytes:
    return pd.Series([wave(at, 24) for at in range(96)], days(96, step="h"), name="load").to_csv().encode()


def yahoo() -> bytes:
    rows: list[list[object]] = []
    for at, day in enumerate(days(80, step="B")):
        price = 100 + at / 5 + wave(at, 11, 0)
        rows.append([day.date(), *(f"{price + d:.6f}" for d in (0, 1, -1, 0.5, 0.25)), 1_000_000 + 17 * at])
    rows[30][1:] = ["null"] * 6
    return csv([["Date", "Open", "High", "Low", "Close", "Adj Close", "Volume"], *rows]).encode()


def air_quality() -> bytes:
    rows: list[list[object]] = []
    for at, hour in enumerate(days(120, "2004-03-10 18:00", "h")):
        value = "-200" if at % 20 == 7 else f"{wave(at, 24) / 10:.1f}".replace(".", ",")
        rows.append([hour.strftime("%d/%m/%Y"), hour.strftime("%H.%M.%S"), value, 1200 + at % 50, "", ""])
    empty = [[""] * 6] * 5
    return csv([["Date", "Time", "CO(GT)", "PT08.S1(CO)", "", ""], *rows, *empty], ";").encode()


def fred() -> bytes:
    rows: list[list[object]] = [[day.date(), wave(at, 12, 6)] for at, day in enumerate(days(72, "2010-01-01", "MS"))]
    rows[40][1] = "."
    return csv([["observation_date", "UNRATE"], *rows]).encode()


def search_interest() -> bytes:
    rows: list[list[object]] = [
        [day.date(), round(wave(at, 52, 40))] for at, day in enumerate(days(150, "2019-01-06", "W"))
    ]
    rows[9][1] = "<1"
    return ("Category: All categories\n\n" + csv([["Week", "cat food: (Worldwide)"], *rows])).encode("utf-8-sig")


def world_in_data() -> bytes:
    rows = [[land, land[:3].upper(), 1990 + at, wave(at, 9, 20 + 5 * len(land))]
            for land in ("Chad", "Bolivia", "Laos") for at in range(30)]  # fmt: skip
    return csv([["Entity", "Code", "Year", "Life expectancy"], *rows]).encode()


def world_bank() -> bytes:
    title = '"Data Source","World Development Indicators",\n\n"Last Updated Date","2024-06-28",\n\n'
    years = range(1980, 2020)
    lines = [",".join(['"Country Name"', '"Country Code"', '"Indicator Name"', '"Indicator Code"',
                       *(f'"{year}"' for year in years), ""])]  # fmt: skip
    for land in ("Chad", "Bolivia", "Laos", "Malta"):
        values = [f'"{wave(at, 9, 30 + 7 * len(land))}"' if at > 2 else "" for at in range(40)]
        lines.append(
            ",".join([f'"{land}"', f'"{land[:3].upper()}"', '"Population growth"', '"SP.POP.GROW"', *values, ""])
        )
    return (title + "\n".join(lines) + "\n").encode("utf-8-sig")


def world_bank_json() -> bytes:
    rows = [{"indicator": {"id": "SP", "value": "Population"}, "country": {"id": "TD", "value": "Chad"},
             "countryiso3code": "TCD", "date": str(2022 - at), "value": wave(at, 9), "unit": "", "decimal": 0}
            for at in range(40)]  # fmt: skip
    return json.dumps([{"page": 1, "pages": 1, "per_page": 100, "total": 40}, rows]).encode()


def carbon_dioxide() -> bytes:
    """As NOAA writes its monthly means: comments, columns aligned by spaces, -99.99 where there is none."""
    lines = [
        "# --------------------",
        "# USE OF THIS DATA: see the site",
        "#",
        "#            decimal   average   de-season",
    ]
    for at in range(72):
        value = -99.99 if at == 30 else wave(at, 12, 320)
        lines.append(
            f"{1958 + at // 12}  {at % 12 + 1:2d}  {1958 + (at + 0.5) / 12:9.4f}  {value:8.2f}  {319 + at / 10:8.2f}"
        )
    return ("\n".join(lines) + "\n").encode()


def weather_station() -> bytes:
    rows = [[f'"{hour:%d.%m.%Y %H:%M:%S}"', wave(at, 144, 990), wave(at + 30, 144, 9)]
            for at, hour in enumerate(days(160, "2009-01-01 00:10", "10min"))]  # fmt: skip
    return csv([['"Date Time"', '"p (mbar)"', '"T (degC)"'], *rows]).encode()


def transformer() -> bytes:
    rows = [[hour, wave(at, 24, 5), wave(at + 3, 24, 2), wave(at + 5, 24, 30)]
            for at, hour in enumerate(days(120, "2016-07-01", "h"))]  # fmt: skip
    return csv([["date", "HUFL", "HULL", "OT"], *rows]).encode()


def parquet() -> bytes:
    stream = io.BytesIO()
    frame = pd.DataFrame({"sales": [wave(at) for at in range(60)], "promo": [at % 3 for at in range(60)]}, days(60))
    frame.rename_axis("day").to_parquet(stream)
    return stream.getvalue()


def weather_service() -> bytes:
    """As a public weather service answers: units beside the columns."""
    hours = [f"{hour:%Y-%m-%dT%H:%M}" for hour in days(96, step="h")]
    columns = {"time": hours, "temperature_2m": [wave(at, 24, 12) for at in range(96)]}
    units = {"time": "iso8601", "temperature_2m": "°C"}
    return json.dumps({"latitude": 52.5, "elevation": 38.0, "hourly_units": units, "hourly": columns}).encode()


def spreadsheet() -> bytes:
    stream = io.BytesIO()
    frame = pd.DataFrame({"Month": days(60, "2015-01-01", "MS"), "Visitors": [wave(at, 12) for at in range(60)]})
    with pd.ExcelWriter(stream) as writer:
        pd.DataFrame({"About": ["made up"]}).to_excel(writer, sheet_name="Notes", index=False)
        frame.to_excel(writer, sheet_name="Data", index=False)
    return stream.getvalue()


# ---- words


def movie_phrases() -> bytes:
    rows = [[text.lower(), praise] for text, praise in map(review, range(60))]
    return csv([["sentence", "label"], *rows], "\t").encode()


def news_without_header() -> bytes:
    rows = [[f'"{at % 4 + 1}"', f'"{NOUNS[at % 4 * 2]} wins"', f'"{sentence(at)}, they said"'] for at in range(80)]
    return csv(rows).encode()


def business_reviews() -> bytes:
    rows = []
    for at in range(60):
        text, praise = review(at)
        rows.append({"review_id": f"r{at}xQ", "user_id": f"u{at % 9}kk", "business_id": f"b{at % 5}zz",
                     "stars": (4.0 if praise else 1.0) + at // 2 % 2, "useful": at % 7, "text": text,
                     "date": f"2018-{at % 12 + 1:02d}-03 10:00:00"})  # fmt: skip
    return "\n".join(map(json.dumps, rows)).encode()


def fasttext() -> bytes:
    lines = [f"__label__{('bad', 'good')[praise]} {text}" for text, praise in map(review, range(60))]
    return "\n".join(lines).encode()


def tatoeba() -> bytes:
    rows = [
        [1000 + at, sentence(at).capitalize() + ".", 5000 + 3 * at, sentence(at)[::-1].capitalize() + "."]
        for at in range(60)
    ]
    return csv(rows, "\t").encode()


def instructions() -> bytes:
    rows = [{"instruction": f"Say what the {NOUNS[at % 8]} {VERBS[at % 6]}, number {at}.",
             "input": sentence(at) if at % 3 == 0 else "",
             "output": f"It is about {NOUNS[at * 3 % 8]} number {at}, I think."} for at in range(60)]  # fmt: skip
    return json.dumps(rows, indent=1).encode()


def dialogue_lines() -> bytes:
    rows = [[f"L{at}", f"u{at % 3}", "m0", NOUNS[at % 3].upper(), sentence(at)] for at in range(60)]
    return csv(rows, " +++$+++ ").encode()


def parallel_bars() -> bytes:
    return csv([[sentence(at), sentence(at + 1).upper()] for at in range(60)], " ||| ").encode()


def newswire_entities() -> bytes:
    lines = []
    for at in range(30):
        lines += ["-DOCSTART- -X- -X- O", ""] if at % 5 == 0 else []
        lines += [f"{NOUNS[at % 8].capitalize()} NNP I-NP I-PER", f"{VERBS[at % 6]} VBZ I-VP O",
                  f"Town{at % 4} NNP I-NP I-LOC", ". . O O", ""]  # fmt: skip
    return "\n".join(lines).encode()


def treebank() -> bytes:
    lines = []
    for at in range(20):
        lines += [f"# sent_id = made-{at}", f"# text = {NOUNS[at % 8]} {VERBS[at % 6]}"]
        words = ((NOUNS[at % 8], "NOUN", "nsubj"), (VERBS[at % 6], "VERB", "root"), (".", "PUNCT", "punct"))
        lines += [f"{i}\t{w}\t{w}\t{tag}\tX\t_\t2\t{role}\t_\t_" for i, (w, tag, role) in enumerate(words, 1)]
        lines.append("")
    return "\n".join(lines).encode()


def entities_in_a_table() -> bytes:
    rows: list[list[object]] = []
    for at in range(20):
        words = ((NOUNS[at % 8], "NN", "O"), (VERBS[at % 6], "VBZ", "O"), (f"Town{at % 4}", "NNP", "B-geo"))
        rows += [[f"Sentence: {at + 1}" if i == 0 else "", *word] for i, word in enumerate(words)]
    return csv([["Sentence #", "Word", "POS", "Tag"], *rows]).encode("cp1252")


def entities_in_json() -> bytes:
    rows = [{"id": str(at), "tokens": [NOUNS[at % 8], VERBS[at % 6], f"Town{at % 4}"], "ner_tags": [0, 0, 5 + at % 2]}
            for at in range(20)]  # fmt: skip
    return "\n".join(map(json.dumps, rows)).encode()


def novel() -> bytes:
    text = " ".join(sentence(at).capitalize() + ("." if at % 3 else "; indeed, it does.") for at in range(60))
    return ("\n".join(text[at : at + 70] for at in range(0, len(text), 70)) + "\n").encode("utf-8-sig")


def first_names() -> bytes:
    return "\n".join(
        f"{a}{b}{c}" for a in ("Al", "Be", "Mi", "Jo") for b in ("na", "ri", "lo", "du") for c in ("", "s", "ne")
    ).encode()


# ---- sequences


def _signal(at: int) -> list[float]:
    return [round(math.sin((0.3 + 0.2 * (at % 2)) * t + at), 4) for t in range(24)]


def ucr() -> bytes:
    return csv([[at % 2 + 1, *_signal(at)] for at in range(40)], "\t").encode()


def ucr_of_different_lengths() -> bytes:
    rows = [[at % 2, *_signal(at)[: 24 - at % 6], *["NaN"] * (at % 6)] for at in range(40)]
    return csv(rows, "\t").encode()


def m4() -> bytes:
    rows = []
    for at in range(20):
        values = [f'"{wave(at + t, 12, 900 + 40 * at)}"' for t in range(30 - at % 7)]
        rows.append([f'"M{at + 1}"', *values, *[""] * (at % 7)])
    return csv([[f'"V{i + 1}"' for i in range(31)], *rows]).encode()


def arrays() -> bytes:
    stream = io.BytesIO()
    x = np.array([_signal(at) for at in range(50)])[:, :, None]
    y = np.arange(50) % 2
    np.savez(stream, X_train=x[:30], y_train=y[:30], X_test=x[30:], y_test=y[30:])
    return stream.getvalue()


def strokes() -> bytes:
    rows = [{"label": ("circle", "line")[at % 2], "points": [[round(v, 3), t / 24] for t, v in enumerate(_signal(at))]}
            for at in range(40)]  # fmt: skip
    return json.dumps(rows).encode()
