"""The events of a sync as lines: JSON for programs, sentences for people."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping

from workbench.commands.terminal import DONE, INTERRUPTED, SOME_FAILED, Output
from workbench.counts import counted
from workbench.errors import ContractError
from workbench.ingest import entries
from workbench.ingest.entries import Figures
from workbench.sync import events

STATUS = {
    entries.DONE: DONE,
    entries.SOME_FAILED: SOME_FAILED,
    entries.STOPPED: SOME_FAILED,
    entries.CANCELLED: INTERRUPTED,
}


def report(course: Iterable[events.Event], out: Output) -> events.Finished:
    """Print the events as they come, and return the last one."""
    last: events.Event | None = None
    try:
        for event in course:
            last = event
            if out.as_json:
                out.row(event.as_dict(), "")
            _shown(event, out)
    finally:
        # An interrupt that comes between two events must close the run, too.
        if isinstance(course, Generator):
            course.close()
    if not isinstance(last, events.Finished):
        raise ContractError("a sync ended without saying how")
    return last


def _shown(event: events.Event, out: Output) -> None:
    match event:
        case events.SourceListed(
            source=source, items=items, complete=complete, message=message, changes=changes, unlisted=unlisted
        ):
            part = " changed" if changes else " (not complete: nothing of it is deleted)"
            if event.complete_but_for_faults:
                part = " (deletions wait for --confirm-deletes)"
            whole = (f", {unlisted:,} could not be listed" if unlisted else "") + ("" if complete else part)
            out.message(f"{source}: {counted(items, 'item')}{whole}" + (f": {message}" if message else ""))
        case events.Planned(counts=counts, refused=refused):
            out.message(f"plan: {_work(counts)}")
            for sentence in refused:
                out.message(sentence)
        case events.ReleasePlanned(counts=counts):
            out.message(f"plan for the published release, which has another table: {_work(counts)}")
        case events.Progress(done=done, total=total, figures=figures):
            out.progress(
                f"{done:,} of {counted(total, 'document')}, {counted(figures.chunks_written, 'chunk')} written"
            )
        case events.ItemFailed(name=name, stage=stage, message=message, in_release=in_release):
            where = "published release: " if in_release else ""
            out.message(f"{where}{name}: {stage}: {message}")
        case events.ItemPartlyRead(name=name, message=message, in_release=in_release):
            where = "published release: " if in_release else ""
            out.message(f"{where}{name}: partly read: {message}")
        case events.Stopped(message=message):
            out.message(f"stopped: {message}")
        case events.Finished(run_id=run_id, status=status, figures=f, seconds=seconds):
            cost = f", {f.money:.4f} spent" if f.money else ""
            out.conclusion(
                f"run {run_id} {status.replace('_', ' ')} in {seconds:.1f} s: {f.added:,} added, {f.changed:,}"
                f" changed, {f.rebuilt:,} rebuilt, {f.kept + f.unchanged:,} unchanged, {f.removed:,} removed,"
                f" {f.failed:,} failed, {f.waiting:,} waiting{_beside(f)}; {counted(f.embedded, 'chunk')} embedded, {f.reused:,} from the"
                f" cache{cost}{_of_release(f)}"
            )


def _work(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} to {name}" for name, count in counts.items() if count) or "nothing to do"


def _beside(f: Figures) -> str:
    return "".join(
        f", {count:,} {word}" for count, word in ((f.gone, "gone"), (f.unlisted, "not listed")) if count
    )


def _of_release(f: Figures) -> str:
    if not (
        f.release_written or f.release_removed or f.release_failed or f.release_gone or f.release_waiting
    ):
        return ""
    gone = f", {f.release_gone:,} gone" if f.release_gone else ""
    return (
        f"; published release: {f.release_written:,} written, {f.release_removed:,} removed, {f.release_failed:,}"
        f" failed, {f.release_waiting:,} waiting{gone}"
    )
