"""The exception tree: what was given, what would work, who can fix it.

Four families, by who can fix it: the writer of a config (settings), the owner of a document (input), whoever
installs the program (missing package), and whoever runs a service or this machine (service).
"""

from __future__ import annotations

from workbench.redaction import redact


class WorkbenchError(Exception):
    """Anything foreseeable. Its text is a whole sentence that may be shown to a user as it is: no secret stays in it."""

    def __init__(self, *parts: object) -> None:
        super().__init__(*(redact(part) if isinstance(part, str) else part for part in parts))


class SettingsError(WorkbenchError):
    """A config or a form holds a value that cannot work."""


class ConfigError(SettingsError):
    """A YAML config is wrong; ``problems`` lists every finding as ``line 3, chunker.size_tokens: …``."""

    def __init__(self, problems: list[str], origin: str = "config") -> None:
        self.problems = problems
        self.origin = origin
        super().__init__(f"{origin}: " + "; ".join(problems))


class InputError(WorkbenchError):
    """A document, a question or a file cannot be used as it was given.

    ``status`` is the word the command line and the Documents page report: ``needs_password``, ``no_text``,
    ``damaged``, ``unsupported``, ``too_large``, ``timed_out``; a source adds ``gone`` (nothing is there under this id
    any more), ``forbidden`` (its owner does not let us) and ``refused`` (we do not go there).
    """

    def __init__(self, message: str, status: str = "damaged") -> None:
        self.status = status
        super().__init__(message)


class ElsewhereError(InputError):
    """An item of a source is another one under a second address; ``item_id`` is the one to read instead."""

    def __init__(self, message: str, item_id: str) -> None:
        self.item_id = item_id
        super().__init__(message, "gone")


class MissingPackageError(WorkbenchError):
    """A plug-in needs a package that is not installed."""

    def __init__(self, package: str, needed_for: str, install: str | None = None) -> None:
        self.package = package
        super().__init__(f"{needed_for} needs the package {package}: pip install {install or package}")


class ServiceError(WorkbenchError):
    """A service, a disk or a worker process did not do what it was asked to."""


class QuotaError(ServiceError):
    """What was paid for at a hosted service is used up, and no waiting heals that: it ends a run."""


class DamagedTableError(ServiceError):
    """Files of a table are missing or hold something else: it has to be written anew, which embeds nothing twice."""

    def __init__(self, table: str, what: str) -> None:
        super().__init__(
            f"the table {table} is damaged: {what}. Build it again (a pipeline's table: verify --repair): it is written"
            " anew, and nothing is embedded twice"
        )


class BusyError(ServiceError):
    """Somebody else is writing the same thing right now."""


class Cancelled(WorkbenchError):
    """The user asked to stop; everything finished so far is kept."""


class ContractError(Exception):
    """A plug-in broke its contract. A bug of the plug-in, never of the user: it is not a WorkbenchError."""
