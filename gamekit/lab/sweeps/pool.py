"""Carrying out jobs on an executor: chunks of at least half a second, a bounded number under way, lost ones again.

Any `concurrent.futures.Executor` will do. Chunks are built here, because not every executor honours `chunksize`, and
because a chunk's size is only known once the first runs have been timed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager, nullcontext
from typing import ParamSpec, TypeVar

from gamekit.errors import ConfigError
from gamekit.lab.sweeps.jobs import Job, Packed, Plan, PlanUnreadable, Result, forget, packed, run_chunk
from gamekit.lab.sweeps.workers import begin, context, end_with_parent, without_main

P = ParamSpec("P")
T = TypeVar("T")

#: A chunk shall take so long, in processor seconds, so that handing it over costs next to nothing.
CHUNK_S = 0.5
#: Chunks that are under way at a time, for each worker: one that runs and one that waits.
AHEAD = 2
#: How often a job is given out again whose worker died, before it counts as failed.
TRIES = 3


class OwnPool(Executor):
    """A pool of processes that is made anew when a worker of it dies.

    Workers do not inherit threads, sockets or locks of this process, do not run its script, and end with it; see
    `gamekit.lab.sweeps.workers`.

    Args:
        workers: how many; by default one for each processor.
    """

    def __init__(self, workers: int | None = None) -> None:
        #: Named as in the standard library's pools.
        self._max_workers = workers or os.cpu_count() or 1
        self._pool = self._made()
        #: Done as soon as a worker has come up for the first time.
        self._up: Future[int] = self._submit(os.getpid)

    def _made(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(max_workers=self._max_workers, mp_context=context(), initializer=begin)

    def _submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        with without_main():
            return self._pool.submit(fn, *args, **kwargs)

    @property
    def came_up(self) -> bool:
        """Whether a worker has ever begun, or may still do so."""
        return not self._up.done() or self._up.exception() is None

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hand work over, to a new pool when the one before has broken."""
        try:
            return self._submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown()
            self._pool = self._made()
            return self._submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers once they have done what they were given."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def stop(self) -> None:
        """End the workers at once, whatever they are at."""
        workers = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for one in workers:
            one.kill()
        for one in workers:
            one.join()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.shutdown(cancel_futures=True)
        else:
            # Interrupted or failed: what is under way may take hours, and nobody waits for it.
            self.stop()


def at_work(executor: Executor | None, workers: int | None) -> AbstractContextManager[Executor]:
    """The executor that somebody gave, which stays theirs; or a pool of processes for the time being."""
    return OwnPool(workers) if executor is None else nullcontext(executor)


def carried_out(
    plan: Plan, jobs: Sequence[Job], executor: Executor | None, workers: int | None
) -> Iterator[list[tuple[Job, Result]]]:
    """The results of all jobs, chunk by chunk as they come.

    Args:
        plan, jobs: what to do.
        executor: where; None makes a pool of processes for the time being.
        workers: how many there are, when the executor does not say.

    Raises:
        ConfigError: the executor that was given has broken, because a worker of it died; or no worker can begin at all.
    """
    with at_work(executor, workers) as chosen:
        count = workers or getattr(chosen, "_max_workers", None) or os.cpu_count() or 1
        yield from _Round(plan, jobs, chosen, count).results()


def _watched_chunk(work: Packed, jobs: Sequence[Job]) -> list[Result]:
    """A chunk in a process that ends with its parent."""
    end_with_parent()
    return run_chunk(work, jobs)


class _Round:
    """One pass over the jobs."""

    def __init__(self, plan: Plan, jobs: Sequence[Job], executor: Executor, workers: int) -> None:
        self._work = packed(plan, stays=isinstance(executor, ThreadPoolExecutor))
        self._executor = executor
        #: Processes of a pool that was given have their own start, and so begin their watch with their work.
        self._task = _watched_chunk if isinstance(executor, ProcessPoolExecutor) else run_chunk
        self._workers = workers
        self._waiting = deque(jobs)
        self._tries: dict[str, int] = {}
        self._under_way: dict[Future[list[Result]], list[Job]] = {}
        self._timed, self._time_s = 0, 0.0
        #: After a worker died, its jobs are given out one by one, so that the one that kills is known by its name.
        self._suspects: deque[Job] = deque()

    def results(self) -> Iterator[list[tuple[Job, Result]]]:
        """Until nothing is left."""
        try:
            yield from self._results()
        finally:
            forget(self._work)
            for future in self._under_way:
                future.cancel()

    def _results(self) -> Iterator[list[tuple[Job, Result]]]:
        while self._waiting or self._suspects or self._under_way:
            while (self._waiting or self._suspects) and len(self._under_way) < AHEAD * self._workers:
                if not self._give_out():
                    break
            done, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
            for future in done:
                jobs = self._under_way.pop(future)
                try:
                    results = future.result()
                except BrokenExecutor as error:
                    if isinstance(self._executor, OwnPool) and not self._executor.came_up:
                        raise ConfigError(
                            f"Worker processes end as they begin ({error}), so no run can be carried out. Look above "
                            "for what they said; or run in this process: executor=ThreadPoolExecutor(1)."
                        ) from None
                    yield from self._lost(jobs, error)
                    continue
                except PlanUnreadable as error:
                    raise ConfigError(
                        f"A worker process cannot read what it shall do ({error}), so no run can be carried out. "
                        "Metrics, setup and rules must come from modules that a new process can import, or stand in "
                        "the script or the notebook itself."
                    ) from None
                except Exception as error:
                    text = f"the executor gave up: {error!r}"
                    yield [(job, Result(job.key, {}, error=text)) for job in jobs]
                    continue
                self._timed += len(results)
                self._time_s += sum(result.cpu_s for result in results)
                yield list(zip(jobs, results, strict=True))

    def _give_out(self) -> bool:
        """Hand the next chunk over; False when a suspect must be alone and something is under way."""
        if self._suspects:
            if self._under_way:
                return False
            jobs = [self._suspects.popleft()]
        else:
            jobs = [self._waiting.popleft() for _ in range(min(self._size(), len(self._waiting)))]
        try:
            future = self._executor.submit(self._task, self._work, jobs)
        except BrokenExecutor as error:
            raise ConfigError(
                f"A worker of the executor that was given died, and it takes no more work ({error}). Give another "
                "one, or none: gamekit's own pool replaces workers. With a database, what is done is not done again."
            ) from error
        self._under_way[future] = jobs
        return True

    def _size(self) -> int:
        """Jobs in a chunk: half a second's worth, but not more than leaves every worker with some chunks to go."""
        if not self._timed:
            return 1
        enough = max(1, round(CHUNK_S * self._timed / max(self._time_s, 1e-6)))
        return min(enough, max(1, len(self._waiting) // (4 * self._workers)))

    def _lost(self, jobs: list[Job], error: BrokenExecutor) -> Iterator[list[tuple[Job, Result]]]:
        """A worker died: its jobs again, each alone; one that was lost too often has failed."""
        for job in jobs:
            self._tries[job.key] = self._tries.get(job.key, 0) + 1
            if self._tries[job.key] < TRIES:
                self._suspects.append(job)
            else:
                yield [(job, Result(job.key, {}, error=f"the worker died {TRIES} times in this run: {error}"))]
