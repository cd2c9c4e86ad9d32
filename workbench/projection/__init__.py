"""Vectors on a plane: PCA at once, UMAP when it is ready; seeded, kept in a folder, open to further vectors."""

from workbench.projection.alignment import turned_onto
from workbench.projection.correspondence import (
    Correspondence,
    correspondence,
    kept_neighbours,
    starting_points,
)
from workbench.projection.neighbours import nearest_others
from workbench.projection.plane import (
    Points,
    Projection,
    load_projection,
    pca_projection,
    sample_rows,
    save_projection,
)
from workbench.projection.topics import Topics, topics
from workbench.projection.trust import Trust, trust
from workbench.projection.umap_layout import FEWEST_FOR_UMAP, umap_projection, warm_up

__all__ = [
    "FEWEST_FOR_UMAP",
    "Correspondence",
    "Points",
    "Projection",
    "Topics",
    "Trust",
    "correspondence",
    "kept_neighbours",
    "load_projection",
    "nearest_others",
    "pca_projection",
    "sample_rows",
    "save_projection",
    "starting_points",
    "topics",
    "trust",
    "turned_onto",
    "umap_projection",
    "warm_up",
]
