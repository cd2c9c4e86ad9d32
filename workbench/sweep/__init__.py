"""A grid of configurations: written down, made into configs, screened cheaply, the best of them confirmed.

``grid`` says what is tried, ``grid_yaml`` reads and writes it, ``expansion`` makes configs of it, ``course`` runs it,
``standing`` says what came of it. Where results are kept is the workspace's business.
"""

from workbench.sweep.course import KINDS, Ending, Failure, LeftOut, Measured, Progress, course
from workbench.sweep.expansion import Dropped, Expansion, expansion
from workbench.sweep.grid import Budget, Factors, Sweep
from workbench.sweep.grid_yaml import parsed, written
from workbench.sweep.screening import screening_config
from workbench.sweep.standing import Agreement, Place, Standing, standing

__all__ = [
    "KINDS",
    "Agreement",
    "Budget",
    "Dropped",
    "Ending",
    "Expansion",
    "Factors",
    "Failure",
    "LeftOut",
    "Measured",
    "Place",
    "Progress",
    "Standing",
    "Sweep",
    "course",
    "expansion",
    "parsed",
    "screening_config",
    "standing",
    "written",
]
