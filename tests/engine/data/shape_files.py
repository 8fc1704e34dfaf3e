"""Small files in the shapes that people bring: titles, footers, decimal commas, two orders of columns, stray quotes."""

from __future__ import annotations

import io
import math

import numpy as np
import openpyxl
import pandas as pd

from tests.engine.data.format_files import NOUNS, csv, days, review, sentence, wave


def growing_months() -> bytes:
    """Monthly, growing, its swing growing with it."""
    rows = [[f'"{day:%Y-%m}"', round(100 * 1.01**at * (1 + 0.2 * math.sin(2 * math.pi * at / 12)) + at * 7 % 5)]
            for at, day in enumerate(days(144, "1951-01-01", "MS"))]  # fmt: skip
    return csv([['"Month"', '"Passengers: monthly totals in thousands"'], *rows]).encode()


def years_without_a_century() -> bytes:
    rows = [[f'"{at // 12 + 1}-{at % 12 + 1:02d}"', wave(at, 5, 200)] for at in range(36)]
    return csv([['"Month"', '"Sales"'], *rows]).encode()


def hours_in_four_columns() -> bytes:
    rows = [[at + 1, hour.year, hour.month, hour.day, hour.hour,
             "NA" if at < 24 else round(wave(at, 24, 60)), -3 + at % 9, ("SE", "NE", "cv")[at % 3]]
            for at, hour in enumerate(days(200, "2011-03-01", "h"))]  # fmt: skip
    return csv([["No", "year", "month", "day", "hour", "pm2.5", "TEMP", "cbwd"], *rows]).encode()


def date_and_clock() -> bytes:
    rows = [[f"{minute:%d/%m/%Y}", f"{minute:%H:%M:%S}", "?" if at == 60 else f"{wave(at, 20, 2):.3f}", "234.8"]
            for at, minute in enumerate(days(180, "2006-12-16 17:24", "min"))]  # fmt: skip
    rows[5][3] = "235.1"
    return csv([["Date", "Time", "Global_active_power", "Voltage"], *rows], ";").encode()


def wide_with_decimal_commas() -> bytes:
    rows = [[f'"{when:%Y-%m-%d %H:%M:%S}"', *(f"{wave(at + k, 96, 20 + k):.6f}".replace(".", ",") for k in range(4))]
            for at, when in enumerate(days(200, "2011-01-01 00:15", "15min"))]  # fmt: skip
    return csv([['""', *(f'"MT_{k + 1:03d}"' for k in range(4))], *rows], ";").encode()


def nights_with_footer() -> bytes:
    rows = [[f'"{day:%Y-%m-%d}"', wave(at, 50, 12)] for at, day in enumerate(days(200, "1981-01-01"))]
    rows[100][1] = "?0.2"
    footer = "Daily minimum temperatures in a southern town, 1981\n\nSource: the old station\n"
    return (csv([['"Date"', '"Daily minimum temperatures"'], *rows]) + footer).encode()


def newest_first() -> bytes:
    rows = [[f"{day:%Y-%m-%d}", *(f"{36 + at / 9 + wave(at, 13, 0) + k:.6f}" for k in range(3)), 9004309 + at]
            for at, day in enumerate(days(180, "2019-01-01", "B"))]  # fmt: skip
    return csv([["Date", "Open", "Close", "Adj Close", "Volume"], *reversed(rows)]).encode()


def long_series() -> bytes:
    rows = [
        [f"M{k}", day.date(), wave(at + k, 12, 60)]
        for k in range(5)
        for at, day in enumerate(days(36, "2015-01-01", "MS"))
    ]
    return csv([["unique_id", "ds", "y"], *rows]).encode()


def film_reviews() -> bytes:
    rows = [[f'"{text}<br /><br />I said ""{NOUNS[at % 8]}"", who agreed."', ("negative", "positive")[praise]]
            for at, (text, praise) in enumerate(map(review, range(120)))]  # fmt: skip
    return csv([["review", "sentiment"], *rows]).encode()


def messages() -> bytes:
    """Tabs, no header, Latin-1, quotes that are never closed."""
    rows = [
        [("ham", "spam")[at % 4 == 0], f'"{sentence(at)} £{at}' if at % 9 == 0 else sentence(at)] for at in range(150)
    ]
    return csv(rows, "\t").encode("latin-1")


def flyers() -> bytes:
    rows = [[570300000 + at, ("negative", "neutral", "positive")[at % 3], f"{0.5 + at / 1000:.4f}",
             "Late" if at % 3 == 0 else "", ("North", "South")[at % 2], f"person{at}", f'"@NorthAir {review(at)[0]}"',
             f"2015-02-24 11:{at % 60:02d}:00 -0800"]
            for at in range(120)]  # fmt: skip
    names = "tweet_id,airline_sentiment,airline_sentiment_confidence,negativereason,airline,name,text,tweet_created"
    return csv([names.split(","), *rows]).encode()


def rated_reviews() -> bytes:
    frame = pd.DataFrame(
        {"reviewerID": [f"A{at}" for at in range(100)], "overall": [1.0 + at % 5 for at in range(100)],
         "reviewText": [f"{review(at)[0]} {sentence(at)}" for at in range(100)],
         "helpful": [[0, at % 2] for at in range(100)]}
    )  # fmt: skip
    return frame.to_json(orient="records", lines=True).encode()


def phrases() -> bytes:
    rows = [[sentence(at).capitalize() + ".", sentence(at)[::-1].capitalize() + ".",
             f"CC-BY 2.0 (France) Attribution: #{1000 + at} (person{at % 9})"]
            for at in range(120)]  # fmt: skip
    return csv(rows, "\t").encode()


def names_of_lizards() -> bytes:
    parts = ("ni", "lu", "to", "mi", "da", "le", "ke", "ri", "sa", "ba")
    return "\n".join(f"{parts[at % 10]}{parts[at // 10]}{parts[(at * 7) % 10]}saurus" for at in range(100)).encode()


def heart_beats() -> bytes:
    rows = [
        [*(f"{math.sin((0.2 + 0.1 * (at % 3)) * t + at / 9):.6e}" for t in range(60)), f"{at % 3:.6e}"]
        for at in range(90)
    ]
    return csv(rows).encode()


def moves() -> bytes:
    stream = io.BytesIO()
    steps = np.arange(60)
    x = np.stack([np.stack([np.sin(steps * (0.1 + 0.1 * (at % 2)) + at), np.cos(steps * 0.1)], 1) for at in range(40)])
    np.savez(stream, x=x.astype(np.float32), y=np.array(["left", "right"] * 20))
    return stream.getvalue()


def harbour() -> bytes:
    book = openpyxl.Workbook()
    notes, sheet = book.active, book.create_sheet("Tonnes")
    notes["A1"] = "Only a note"
    sheet.append(["Harbour statistics"])
    sheet.append([])
    sheet.append(["Month", "Tonnes", "Ships"])
    for at, day in enumerate(days(72, "2015-01-01", "MS")):
        sheet.append([day.to_pydatetime(), wave(at, 12, 500), 20 + at % 5])
    sheet.append(["Total", 36000, 1500])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
