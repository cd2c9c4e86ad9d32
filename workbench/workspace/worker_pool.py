"""The worker processes that all workspaces of this process share."""

from functools import cache

from workbench.workers import Workers


@cache
def workers() -> Workers:
    """Return this process's worker processes: one pool, whatever the number of sessions."""
    return Workers(preload=("workbench.pipeline", "workbench.parsers.pdf"))
