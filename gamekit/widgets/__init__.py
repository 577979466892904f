"""Live widgets for notebooks, on anywidget: map, orders, fleet, market, console, latency, and a scrubber for replays.

The Python side only hands on: what happens comes from the client's I/O thread and goes to the front end at most ten
times a second, however busy the kernel is; what the user does goes back to that thread. No widget changes state. All
widgets of a game share one stream of messages (`stream`), and most of them one base (`shared`).
Front ends share the player page's renderer (`gamekit/web/js`); where nothing is live, a picture stands in.
"""
