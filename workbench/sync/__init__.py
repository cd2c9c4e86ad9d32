"""From YAML to a living index: keep a table true to its sources, publish it through a gate, go back in one step."""

from workbench.sync.pipelines import Pipeline

__all__ = ["Pipeline"]
