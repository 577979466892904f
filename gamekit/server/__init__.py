"""The Tornado server: routes, sockets, and the host that owns clock, loop and journal."""
