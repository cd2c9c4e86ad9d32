"""The documents of a plan in its order, while every core reads ahead a little."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from workbench.sync.place import Place
from workbench.sync.preparing import NotPrepared, Prepared, Task, batches, prepared
from workbench.workspace.worker_pool import workers


def read_ahead(
    place: Place, tasks: Iterable[Task], is_over: Callable[[], bool], cancelled: Callable[[], bool]
) -> Iterator[Sequence[tuple[Task, Prepared | NotPrepared]]]:
    """Yield what becomes of the tasks, in order and in batches; no more than a few of these are held.

    Nothing more is read once the run ``is_over``; what was read by then is parsed unless it was ``cancelled``.
    """
    given_up = False

    def stop() -> bool:
        return given_up or is_over()

    def cut_off() -> bool:
        return given_up or cancelled()

    with ThreadPoolExecutor(workers().size, thread_name_prefix="sync") as pool:
        under_way: deque[tuple[list[Task], Future[list[Prepared | NotPrepared]]]] = deque()
        todo = batches(tasks)
        try:
            while True:
                while len(under_way) < 2 * workers().size and (batch := next(todo, None)) is not None:
                    under_way.append((batch, pool.submit(prepared, place, batch, stop, cut_off)))
                if not under_way:
                    return
                batch, answer = under_way.popleft()
                yield list(zip(batch, answer.result(), strict=True))
        finally:
            given_up = True
            for _, answer in under_way:
                answer.cancel()
