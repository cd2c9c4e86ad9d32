"""Worker processes with limits of time and memory, for work that may crash, swell or never end.

PyMuPDF is not thread-safe and a file of a few kilobytes can keep it busy for ever, so nothing foreign is opened in
the process that serves people. A worker is ``python -m workbench.workers`` and speaks pickles over its pipes: unlike
multiprocessing it never imports the program that started it, which under Streamlit would run the app again.
"""

from workbench.workers.frames import TaskFault
from workbench.workers.pool import Workers

__all__ = ["TaskFault", "Workers"]
