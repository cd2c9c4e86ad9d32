"""The frame of the workbench: page order and nothing else. Start it with ``make run``."""

from workbench.ui.frame import run

if __name__ == "__main__":
    # Worker processes import the main module again, under another name: they must not draw a page.
    run()
