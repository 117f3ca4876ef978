"""The demos that train or measure the bundled models hold as they are and fail when broken, at reduced size."""

import importlib
import math
import random
from typing import Any

import pytest
import torch

from learn_llm.demos import sft
from learn_llm.demos.catalogue import DEMOS
from learn_llm.demos.entries_advanced import ADVANCED
from learn_llm.events import Chart, Event, Metrics, Verdict
from learn_llm.glossary import find
from learn_llm.training import TrainConfig, prepare

SMALLER: dict[str, dict[str, Any]] = {
    "sft": {"steps": 120},
    "reward-model": {"steps": 10, "pairs": 1024},
    "ppo": {"steps": 8},
}
"""What the tests leave out of a demo for speed."""


def events_of(slug: str, broken: bool) -> list[Event]:
    module = importlib.import_module(f"learn_llm.demos.{DEMOS[slug].module}")
    return list(module.run(module.Config(break_=broken, **SMALLER.get(slug, {}))))


@pytest.mark.parametrize("broken", [False, True], ids=["as it is", "broken"])
@pytest.mark.parametrize("slug", [demo.slug for demo in ADVANCED if demo.slug in SMALLER])
def test_holds_as_it_is_and_fails_when_broken(slug: str, broken: bool) -> None:
    events = events_of(slug, broken)
    verdicts = [event for event in events if isinstance(event, Verdict)]
    assert verdicts == events[-1:]
    assert verdicts[0].holds is not broken, verdicts[0].measured
    assert all(math.isfinite(value) for value in verdicts[0].measured.values())
    metrics = [event for event in events if isinstance(event, Metrics)]
    assert len(metrics) >= 5
    assert all(find(name) for event in metrics for name in event.values)
    assert any(isinstance(event, Chart) for event in events)


def test_the_gradient_at_the_prompt_is_zero_only_with_the_mask() -> None:
    setup = prepare(TrainConfig(model="tiny-base", device="cpu"))
    items = sft.questions(random.Random(0), 8, held_out=True)
    batch = sft.chat(setup.encoder, items)
    masked, response = sft.prompt_gradient(setup.model, batch, batch.mask)
    unmasked, _ = sft.prompt_gradient(setup.model, batch, batch.attention)
    assert masked == 0 < response
    assert unmasked > 0
    assert torch.equal(sft.chat(setup.encoder, items, masked=False).mask, batch.attention)
