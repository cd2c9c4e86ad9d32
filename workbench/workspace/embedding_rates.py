"""How fast models embed on this machine, as measured."""

from __future__ import annotations

from workbench.contracts import EmbeddingModel
from workbench.workspace.documents import DocumentList


class EmbeddingRates:
    """The measured speeds, kept beside the list of documents."""

    def __init__(self, documents: DocumentList) -> None:
        self._documents = documents

    def tokens_per_second(self, model: EmbeddingModel) -> float | None:
        """Return the measured speed of a model, or None before its first use."""
        with self._documents.connection() as db:
            found = db.execute("SELECT tokens, seconds FROM rates WHERE model_id = ?", (model.id,)).fetchone()
        return None if found is None or found[1] <= 0 else float(found[0] / found[1])

    def note(self, model: EmbeddingModel, tokens: int, seconds: float) -> None:
        """Remember a measured speed; the newest measurement counts as much as all before it."""
        with self._documents.connection(write=True) as db:
            db.execute(
                "INSERT INTO rates VALUES (?, ?, ?) ON CONFLICT (model_id) DO UPDATE SET"
                " tokens = tokens / 2 + excluded.tokens, seconds = seconds / 2 + excluded.seconds",
                (model.id, tokens, seconds),
            )
