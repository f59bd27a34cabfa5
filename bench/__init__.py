"""What Plinth costs: one module per benchmark, each figure a ratio to a reference measured beside it."""

import os

# A product on several threads waits for whatever else runs: it took 2 to 22 ms on two busy cores, one thread 3 ms.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
