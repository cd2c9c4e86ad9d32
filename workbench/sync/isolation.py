"""What no plug-in should raise: a bug met on one document must not keep the others out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.errors import ContractError, WorkbenchError
from workbench.redaction import failure_text

logger = logging.getLogger(__name__)


class UnforeseenError(WorkbenchError):
    """A plug-in failed in a way that nobody foresaw: a bug of it. The log has where."""


@contextmanager
def isolated(plugin: str, name: str) -> Iterator[None]:
    """Turn what nobody foresaw into an ``UnforeseenError``, and write its traceback to the log."""
    try:
        yield
    except (WorkbenchError, ContractError):
        raise
    except Exception as error:
        logger.error("%s failed on %s\n%s", plugin, name, failure_text())
        raise UnforeseenError(
            f"a bug in {plugin}, {type(error).__name__}: {error}; the log has more, and a newer version may help"
        ) from error
