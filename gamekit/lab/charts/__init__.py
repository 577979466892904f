"""Charts of frames, drawn with altair and shown as SVG: without a network, and alike in light and dark.

A chart is an altair chart like any other and can be changed and combined as such; only how it shows itself differs.
Needs the `lab` extra.
"""

from gamekit.lab.charts.books import books_chart
from gamekit.lab.charts.flows import flow_chart
from gamekit.lab.charts.latency import PHASES, latency_chart
from gamekit.lab.charts.percentiles import latency_percentile_chart
from gamekit.lab.charts.prices import price_chart, price_history_chart
from gamekit.lab.charts.routes import route_chart
from gamekit.lab.charts.single_ticks import tick_percentile_chart
from gamekit.lab.charts.spans import ship_chart
from gamekit.lab.charts.style import Chart

__all__ = [
    "PHASES",
    "Chart",
    "books_chart",
    "flow_chart",
    "latency_chart",
    "latency_percentile_chart",
    "price_chart",
    "price_history_chart",
    "route_chart",
    "ship_chart",
    "tick_percentile_chart",
]
