"""Worker processes: limits are kept, one bad task harms no other, and nothing outlives its parent."""

import inspect
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.errors import (
    Cancelled,
    ConfigError,
    ContractError,
    InputError,
    MissingPackageError,
    ServiceError,
)
from workbench.workers import Workers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(size=2) as pool:
        yield pool


def one_core_for_ever() -> None:
    while True:
        pass


def failing(kind: str) -> None:
    raise {
        "input": InputError("this page is upside down", "no_text"),
        "package": MissingPackageError("abc", "this"),
        "config": ConfigError(["line 1: no", "line 2: no"], "x.yaml"),
        "bug": ZeroDivisionError("division of a bug"),
    }[kind]


def crashing_at(number: int) -> int:
    if number == 13:
        os.abort()
    return number


def printed(text: str) -> str:
    print(text)  # noqa: T201  (what a foreign library might do)
    os.write(1, b"straight to the descriptor")
    return text


def noted(path: str, text: str) -> None:
    with Path(path).open("a") as file:
        file.write(text)


def test_a_result_comes_back_and_the_worker_is_kept(workers: Workers) -> None:
    assert workers.result(pow, 2, 10) == 1024
    assert workers.result(os.getpid) == workers.result(os.getpid) != os.getpid()


def test_a_task_without_an_end_is_stopped_and_the_next_one_runs(workers: Workers) -> None:
    with pytest.raises(InputError, match=r"not done after 0.3 s") as found:
        workers.result(one_core_for_ever, timeout_s=0.3)
    assert found.value.status == "timed_out"
    assert workers.result(abs, -1) == 1


def test_a_task_that_swells_is_stopped_and_the_next_one_runs(workers: Workers) -> None:
    with pytest.raises(InputError, match="more than 200 MiB of memory") as found:
        workers.result(bytes, 2**30, memory_bytes=200 * 2**20)
    assert found.value.status == "too_large"
    assert workers.result(len, bytes(50 * 2**20), memory_bytes=200 * 2**20) == 50 * 2**20


def test_a_worker_that_crashes_is_replaced(workers: Workers) -> None:
    with pytest.raises(InputError, match="crash") as found:
        workers.result(os.abort)
    assert found.value.status == "damaged"
    assert workers.result(abs, -2) == 2


def test_foreseen_errors_travel_whole(workers: Workers) -> None:
    with pytest.raises(InputError, match=r"^this page is upside down$") as found:
        workers.result(failing, "input")
    assert found.value.status == "no_text"
    with pytest.raises(MissingPackageError, match="pip install abc") as package:
        workers.result(failing, "package")
    assert package.value.package == "abc"
    with pytest.raises(ConfigError, match=r"^x.yaml: line 1: no; line 2: no$") as config:
        workers.result(failing, "config")
    assert config.value.problems == ["line 1: no", "line 2: no"]


def test_a_bug_stays_a_bug_and_shows_where_it_is(workers: Workers) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)in failing.*division of a bug"):
        workers.result(failing, "bug")


def test_what_cannot_be_sent_is_refused_by_name(workers: Workers) -> None:
    with pytest.raises(ContractError, match="cannot be sent"):
        workers.result(lambda: 1)


def test_printing_does_not_disturb_the_answer(workers: Workers) -> None:
    assert workers.result(printed, "words on standard output") == "words on standard output"


def test_results_come_for_every_task_and_errors_take_their_place(workers: Workers) -> None:
    tasks = [("input",), ("package",)]
    found = dict(workers.results(failing, tasks))
    assert isinstance(found[0], InputError)
    assert isinstance(found[1], MissingPackageError)
    assert sorted(workers.results(pow, ((2, n) for n in range(7)))) == [(n, 2**n) for n in range(7)]


def test_small_tasks_travel_together_and_each_fails_alone(workers: Workers) -> None:
    found = workers.together(failing, [("input",), ("input",)])
    assert [type(one) for one in found] == [InputError, InputError]
    assert workers.together(int, [("1",), ("2",)]) == [1, 2]
    with pytest.raises(RuntimeError, match="invalid literal"):
        workers.together(int, [("1",), ("x",)])


def test_of_tasks_that_crash_a_worker_together_the_good_ones_are_done_alone(workers: Workers) -> None:
    found = workers.together(crashing_at, [(1,), (13,), (2,)])
    assert (found[0], found[2]) == (1, 2)
    assert isinstance(found[1], InputError)
    assert found[1].status == "damaged"


def test_results_that_nobody_wants_any_more_stop_the_rest(workers: Workers, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    tasks = ((str(path), "x") for _ in range(1000))
    for _ in workers.results(noted, tasks):
        break
    assert len(path.read_text()) < 1000
    assert workers.result(abs, -3) == 3


def test_many_threads_share_one_pool(workers: Workers) -> None:
    with ThreadPoolExecutor(12) as threads:
        found = list(threads.map(lambda n: workers.result(pow, n, 2), range(100)))
    assert found == [n * n for n in range(100)]


def test_a_task_can_be_cancelled_while_it_runs_and_while_it_waits() -> None:
    stop = threading.Event()
    with Workers(size=1) as pool, ThreadPoolExecutor(2) as threads:
        tasks = [
            threads.submit(pool.result, one_core_for_ever, timeout_s=60, cancelled=stop.is_set)
            for _ in range(2)
        ]
        stop.set()
        for task in tasks:
            with pytest.raises(Cancelled):
                task.result()
        assert pool.result(abs, -4) == 4


def test_closing_ends_running_tasks_and_refuses_new_ones() -> None:
    pool = Workers(size=1)
    pid = pool.result(os.getpid)
    with ThreadPoolExecutor(1) as threads:
        task = threads.submit(pool.result, one_core_for_ever, timeout_s=60)
        wait_until(lambda: processor_ticks(pid) > 5)
        pool.close()
        with pytest.raises(ServiceError):
            task.result()
    with pytest.raises(ServiceError):
        pool.result(abs, 1)
    assert not is_running(pid)


def test_a_worker_never_imports_the_program_that_started_it(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    notes = tmp_path / "notes"
    program.write_text(
        "import pathlib, os\n"
        f"pathlib.Path({str(notes)!r}).open('a').write('run\\n')\n"
        "from workbench.workers import Workers\n"
        "with Workers(size=2) as pool:\n"
        "    list(pool.results(pow, [(1, 1)] * 4))\n"
    )
    subprocess.run([sys.executable, str(program)], check=True, cwd=Path.cwd(), env=environment())
    assert notes.read_text() == "run\n"


def test_a_worker_deep_in_c_code_dies_with_its_parent(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os\n"
        "from workbench.workers import Workers\n"
        "pool = Workers(size=1)\n"
        "print(pool.result(os.getpid), flush=True)\n"
        "pool.result(pow, 7, 3_000_000_000, timeout_s=600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    wait_until(lambda: processor_ticks(pid) > 20)
    parent.kill()
    parent.communicate()
    wait_until(lambda: not is_running(pid))


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path.cwd())}


def stat_fields(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["X"] * 20


def is_running(pid: int) -> bool:
    return stat_fields(pid)[0] not in "XZ"


def processor_ticks(pid: int) -> int:
    fields = stat_fields(pid)
    return int(fields[11]) if fields[11].isdigit() else 0


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 30 s"
        time.sleep(0.01)


def test_there_is_a_worker_for_each_core_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(12)), raising=False)
    assert Workers().size == 12
    assert Workers(3).size == 3


def test_a_worker_reads_the_package_of_its_parent_wherever_that_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Workers(size=1) as pool:
        assert pool.result(inspect.getfile, Workers) == inspect.getfile(Workers)


ONLY_ON_THE_PATH = """
import inspect, sys
sys.path.insert(0, sys.argv[1])
from workbench.workers import Workers
if __name__ == "__main__":
    with Workers(size=1) as pool:
        print(pool.result(inspect.getfile, Workers))
"""


def test_workers_start_where_the_package_is_only_on_the_path_of_their_parent(tmp_path: Path) -> None:
    """As in a folder of DAGs, or in files that were sent along: nothing is installed, no variable is set."""
    package, elsewhere = tmp_path / "sent along" / "workbench", tmp_path / "elsewhere"
    shutil.copytree(
        Path(inspect.getfile(Workers)).parent.parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    elsewhere.mkdir()
    (elsewhere / "parent.py").write_text(ONLY_ON_THE_PATH)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    found = subprocess.run(
        [sys.executable, "parent.py", str(package.parent)],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert found.stdout.strip() == str(package / "workers" / "pool.py"), found.stderr
