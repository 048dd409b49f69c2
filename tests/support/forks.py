"""Where tests fork: from one process that has imported what commands and readers need, since that takes most of their
time.
"""

import multiprocessing
from multiprocessing.context import ForkServerContext

from service.work import reader_process

# A process has one server that forks, with one list of what it imports. What commands need beyond what the service's
# own list holds is little memory, of which uploads have a bounded amount.
FORKS: ForkServerContext = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        *(reader_process.__name__, "tests.support.fuzzing", "tests.support.cli", "folium"),
        *(f"service.cli.{name}" for name in ("main", "load", "assess", "suggest", "figures", "priorities", "stored")),
    ]
)
