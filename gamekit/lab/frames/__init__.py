"""Everything tabular, as pandas DataFrames with fixed columns, types and units.

Every frame has exactly the columns listed in `COLUMNS`, in that order and of those types, however little there is in
it, and wherever it comes from: a live game, a database, a replay, a branch, a simulation. Ticks are integers; `time` is
the same as a Timedelta at ten ticks a second. Money is in credits as float, lengths are metres, speeds metres a second,
latencies milliseconds. A value that is not known to the one who looks (another player's cargo, say) is missing, never
zero. `frame.attrs["tick"]` is the moment that ships, stations and prices show. `frame.export(directory)` writes all of
them as Parquet, CSV or SQLite.
"""

from gamekit.lab.frames.columns import COLUMNS, MEANINGS
from gamekit.lab.frames.live import Frames
from gamekit.lab.frames.long import latency_frame

__all__ = ["COLUMNS", "MEANINGS", "Frames", "latency_frame"]
