"""What holds for all tests."""

import os
import signal

# A test run in the background of a shell inherits SIGINT ignored, and so would the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

if "PYTEST_XDIST_WORKER" in os.environ:  # `pytest -n auto`: one process a core, so one thread a process
    os.environ.setdefault("OMP_NUM_THREADS", "1")
