"""The entry for `python server.py`: the same as `gamekit serve`."""

from gamekit.cli.serve import serve

serve()
