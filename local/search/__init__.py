"""The local search engine: the subset of OpenSearch that our client speaks, exact and durable, in one process.

Distances are computed on one thread: on a shared laptop a second one waits for the first more than it helps. NumPy's
linear algebra reads its thread count when it is first imported, hence here.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
