"""Benchmarks: workloads by name and seed, servers to run them on, a load generator in a process of its own.

Everything here measures; nothing of gamekit imports it but the command line. `swarm` is the model that is played, by
gamekit and by a naive server (`naive`), so that what differs is the platform. `workloads` says what is measured,
`processes` starts and stops servers, `generator` is the load, and `harness` stands between them. `headless` plays the
model without a server, beside Mesa (`mesa_swarm`). `capacity` finds how many sessions a server holds: `search` decides
what is tried, `fit` how cost grows. `ratio` compares runs that alternated.
"""
