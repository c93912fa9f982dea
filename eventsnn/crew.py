"""Who does the work of `tune`: this process, processes on all cores, or a Dask scheduler's; all as an `Executor`."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from .errors import Mistake


class Here(Executor):
    """An executor that works at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        future: Future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@contextmanager
def executor(workers: int | None, scheduler: str | None) -> Iterator[tuple[Executor, int]]:
    """An executor, and how many candidates to have on the way."""
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise Mistake(f"workers is {workers!r}: give a whole number of at least 1")
    if scheduler is not None:
        try:
            from dask.distributed import Client
        except ImportError:
            raise Mistake("a scheduler needs Dask: pip install 'eventsnn[dask]'") from None
        with Client(scheduler) as client:
            yield client.get_executor(pure=False), workers or max(len(client.scheduler_info()["workers"]), 1)
        return
    many = workers or os.cpu_count() or 1
    if many == 1:
        yield Here(), 1
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(many, multiprocessing.get_context("spawn"), deaf)
    try:
        yield pool, many
        pool.shutdown()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    finally:
        for process in (getattr(pool, "_processes", None) or {}).values():      # after Ctrl-C some still work
            process.terminate()


def deaf() -> None:
    """Ctrl-C is for the process that people talk to."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
