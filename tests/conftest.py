"""What holds for all tests."""

import os
import signal
from pathlib import Path

import pytest

# A test run in the background of a shell inherits SIGINT ignored, and so would the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

if "PYTEST_XDIST_WORKER" in os.environ:  # `pytest -n auto`: one process a core, so one thread a process
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the data of who runs it."""
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path / "learn-llm-data"))
