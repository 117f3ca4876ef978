"""What the tests of the methods that learn from rewards share: a little model, prompts in a file, an own reward."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from learn_llm.events import Event, Metrics
from tests.small_models import WORDS, llama_folder


def settings_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A little Llama, prompts in a file, and a reward that counts one word; two rounds on the CPU."""
    rows = [{"prompt": f"hi {word}", "word": "good", "outputs": ["good"]} for word in WORDS]
    (folder / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    body = "return [float(r.split().count(w['word'])) for r, w in zip(responses, rows)]"
    (folder / "my_reward.py").write_text(f"def count(prompts, responses, rows):\n    {body}\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "my_reward", raising=False)
    return {
        "model": llama_folder(folder / "llama"),
        "data": str(folder / "prompts.jsonl"),
        "reward": "my_reward:count",
        "steps": 2,
        "max_new_tokens": 8,
        "device": "cpu",
    }


SIZES: dict[str, dict[str, int]] = {
    "best_of_n": {"n": 4, "samples": 8, "batch_size": 6, "best_of": 4, "mini_batch_size": 3},
    "grpo": {"batch_size": 24, "group_size": 12, "mini_batch_size": 12},
    "ppo": {"batch_size": 12, "mini_batch_size": 6},
    "reinforce": {"batch_size": 12, "mini_batch_size": 6},
}
"""How much each method samples in these tests."""


def metrics(events: Sequence[Event]) -> list[dict[str, float]]:
    """The values of each round."""
    return [dict(event.values) for event in events if isinstance(event, Metrics)]
