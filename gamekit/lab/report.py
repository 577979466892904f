"""The one page that a comparison becomes: what was compared, what came of it in words, charts, and every number.

Plain HTML with the charts as SVG inside it: it needs no network, and follows the reader's light or dark.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gamekit.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from gamekit.lab.compare import Comparison

#: Headings of the metrics that the lab knows; others go by their own names.
TITLES = {
    "company_credits": "Credits of each company",
    "made_by_ware": "Units made, by ware",
    "consumed_by_ware": "Units consumed, by ware",
    "price_by_ware": "Price against base price, by ware",
}
_STYLE = """:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:62em;padding:0 1em}
h1{margin-bottom:.2em}h2{margin:2em 0 .5em;font-size:1.2em}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:.25em .7em;text-align:right;border-bottom:1px solid #8884}
td:first-child,th:first-child,td:last-child,th:last-child{text-align:left}
.b,.a{display:inline-block;min-width:1.6em;font-weight:600}.up{color:#009e73}.down{color:#d55e00}
.note{border-left:4px solid #e69f00;padding:.2em .8em}ul{padding-left:1.2em}summary{cursor:pointer;color:#0072b2}
svg{max-width:100%;height:auto;overflow:visible;
display:block;margin:.5em 0 .5em 1em}
td:last-child{white-space:nowrap}"""
_COLUMNS = {
    "metric": "metric",
    "unit": "unit",
    "mean_a": "A",
    "mean_b": "B",
    "difference": "B less A",
    "low": "from",
    "high": "to",
    "percent": "%",
    "verdict": "verdict",
}


def page(done: Comparison) -> str:
    """The whole page."""
    pairs, failed = len(done.runs) // 2, len(done.runs.failures)
    trouble = f", {failed} runs failed" if failed else ""
    note = f"<p class=note>{html.escape(done.note)}</p>" if done.note else ""
    whole = done.whole
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>A against B</title><style>{_STYLE}</style><h1>A against B</h1>",
        f"<p><span class=a>A</span> {rules_told(done.rules_a)}<br>",
        f"<span class=b>B</span> {rules_told(done.rules_b)}</p>",
        f"<p>{pairs} pairs of runs on {_shared(done)}{trouble}; {done.confidence:.0%} intervals of the mean "
        f"paired difference.</p>{note}<h2>What differs</h2>{_findings(whole if len(whole) else done.frame)}",
    ]
    if len(whole):
        parts.append(_drawn(done, None) + _table(whole))
    for metric in done.with_parts:
        title = html.escape(TITLES.get(metric, metric))
        rows = done.parts(metric).rename(columns={"name": "metric"})
        parts.append(f"<h2>{title}</h2>{_drawn(done, metric)}")
        parts.append(f"<details><summary>The numbers</summary>{_table(rows)}</details>")
    return "\n".join(parts)


def rules_told(rules: Mapping[str, Any]) -> str:
    """What a side's rules are, for a page."""
    return html.escape(", ".join(f"{name} = {value}" for name, value in rules.items()) or "the rules as they are")


def _shared(done: Comparison) -> str:
    return "the same seeds" if "seed" in done.pairs else "the recorded commands of the same games"


def _findings(frame: pd.DataFrame) -> str:
    """Each metric in a sentence."""
    said = []
    for row in frame.to_dict("records"):
        name, percent = html.escape(row["metric"].replace("_", " ")), float(row["percent"])
        verdict, _, deterministic = row["verdict"].partition(" (")
        if verdict in {"b is higher", "b is lower"}:
            word, style = ("higher", "up") if verdict == "b is higher" else ("lower", "down")
            # Where A is zero there is no percentage.
            size = (
                f"{_number(abs(row['difference']))} {row['unit']}" if math.isnan(percent) else f"{abs(percent):.1f} %"
            )
            text = f"<span class={style}>{word} by {size}</span> in B"
            text += ", by the same number in every pair" if deterministic else ""
        elif row["verdict"] == "the same":
            text = "the same in every pair"
        elif verdict == "unknown":
            text = "unknown: one pair tells nothing of chance"
        else:
            text = f"not told apart by {row['pairs']} pairs"
        said.append(f"<li><b>{name}</b>: {text}")
    return f"<ul>{''.join(said)}</ul>"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.4g}"


def _drawn(done: Comparison, metric: str | None) -> str:
    try:
        return done.chart(metric, width=600).to_svg()
    except ConfigError as error:
        # Nothing to draw where side A is zero throughout; the table says the rest.
        return f"<p>{html.escape(str(error))}</p>"


def _table(frame: pd.DataFrame) -> str:
    shown = frame[list(_COLUMNS)].rename(columns=_COLUMNS)
    return str(shown.to_html(index=False, float_format=_number, border=0, na_rep="", escape=True))
