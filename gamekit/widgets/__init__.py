"""Live widgets for notebooks: the galaxy map and the tick-latency chart, on anywidget.

The Python side only hands on: what happens comes from the client's I/O thread and goes to the front end at most ten
times a second, however busy the kernel is; what the user does goes back to that thread. No widget changes state.
Front ends share the player page's renderer (`gamekit/web/js`); where nothing is live, a picture stands in.
"""
