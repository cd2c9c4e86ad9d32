"""Where this machine keeps documents, tables, caches and configs, and what can be done with them.

One folder holds everything; nothing in it is needed twice::

    workspace.db     which documents are here (SQLite)
    originals/       the files, by content hash
    names/           what the list says of each, so that a lost list is found again
    parsed/          their texts and layouts, by parse key
    images/          page images, by parse key, page and resolution
    memo/            tokens and sentences, by text hash
    vectors/         the vector cache, by embed key
    tables/          one LanceDB table per configuration
    maps/            projections, by table content
    models/          converted models
    configs/         saved configs, one YAML each
    questions/       question sets, one JSON each
    sweeps/          grids, one YAML each, and what was measured for their configurations
    evaluations/     what configs found for question sets, by everything that decides it
"""

from workbench.workspace.disk import DiskUse
from workbench.workspace.documents import DocumentRow
from workbench.workspace.intake import AddResult
from workbench.workspace.sweep_plans import SweepPlan
from workbench.workspace.table_builds import BuildResult
from workbench.workspace.table_estimates import Estimate
from workbench.workspace.table_rows import TableListing, TableRow
from workbench.workspace.tables import SearchResult
from workbench.workspace.workspace import Workspace

__all__ = [
    "AddResult",
    "BuildResult",
    "DiskUse",
    "DocumentRow",
    "Estimate",
    "SearchResult",
    "SweepPlan",
    "TableListing",
    "TableRow",
    "Workspace",
]
