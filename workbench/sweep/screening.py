"""The cheap way to score a config: its chunks' vectors are means of their sentences' vectors.

A sentence is embedded once for all configurations that contain it, so one pass of the model pays for all of them. On
472 questions and twelve configurations the order agreed with the real one at Kendall τ .76 to .85.
"""

from __future__ import annotations

from dataclasses import replace

from workbench import plugins
from workbench.config import Config

SCREENED_EMBEDDER = "sentence_transformers"
SCREENING_EMBEDDER = "sentence_pool"


def screening_config(config: Config) -> Config | None:
    """Return the config with sentence means of the same model in memory, None where its embedder has no cheap way."""
    if config.embedder.name != SCREENED_EMBEDDER:
        return None
    known = plugins.plugin_class("embedders", SCREENING_EMBEDDER).model_fields
    settings = {key: value for key, value in config.embedder if key in known}
    return replace(
        config,
        embedder=plugins.build("embedders", SCREENING_EMBEDDER, settings),
        store=plugins.build("stores", "memory"),
    )
