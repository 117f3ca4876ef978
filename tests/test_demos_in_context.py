"""The demos of In-Context Instruction Learning and Chain of Hindsight: their events, their breaks, what they add.

How able the bundled checkpoints are is not asserted here: `learn-llm demo --all --check` does that.
"""

import dataclasses
import importlib
import math
from collections.abc import Iterator

import pytest
import torch

from learn_llm import examples, glossary
from learn_llm.charts import render
from learn_llm.demos import chain_of_hindsight, icil
from learn_llm.demos.catalogue import DEMOS
from learn_llm.events import Chart, Event, Metrics, Note, Start, Tokens, Verdict, from_json, to_json
from learn_llm.minimal_impls import coh
from learn_llm.minimal_impls.coh_rows import ARMS, Row
from learn_llm.minimal_impls.icil_scores import Judged, Scores, arm_chart
from learn_llm.minimal_impls.icil_tasks import Question
from learn_llm.running import RunConfig
from learn_llm.training import prepare

SMALLER = {"icil": {"items": 2, "prefixes": 1}, "chain-of-hindsight": {"steps": 10}}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pairs to learn from and few prompts to answer."""
    monkeypatch.setattr(chain_of_hindsight, "PAIRS", 64)
    monkeypatch.setattr(chain_of_hindsight, "BATCH", 4)
    monkeypatch.setattr(examples, "HELD_OUT", 24)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("broken", [False, True], ids=["as it is", "broken"])
@pytest.mark.parametrize("slug", SMALLER)
def test_says_what_a_demo_says_and_fails_when_broken(slug: str, broken: bool) -> None:
    module = importlib.import_module(f"learn_llm.demos.{DEMOS[slug].module}")
    events: list[Event] = list(module.run(module.Config(break_=broken, **SMALLER[slug])))
    verdicts = [event for event in events if isinstance(event, Verdict)]
    assert verdicts == events[-1:]
    assert not (broken and verdicts[0].holds), verdicts[0].measured
    assert all(math.isfinite(value) for value in verdicts[0].measured.values())
    assert all(glossary.find(name) for name in verdicts[0].measured)
    assert not any(isinstance(event, Start) for event in events)
    metrics = [event for event in events if isinstance(event, Metrics)]
    assert [event.step for event in metrics] == list(range(1, metrics[0].steps + 1))
    assert all(glossary.find(name) for event in metrics for name in event.values)
    assert all(from_json(to_json(event)) == event for event in events if not isinstance(event, Chart))
    charts = [event for event in events if isinstance(event, Chart)]
    assert any(chart.kind == "bar" for chart in charts)
    for chart in charts:
        assert max(map(len, render(chart, 78, 16).split("\n"))) <= 78


# 38 In-Context Instruction Learning

MEASURED = {
    "zero_shot": 0.1, "exact_match": 0.5, "held_out_gain": 0.4, "ci_low": 0.2, "ci_high": 0.6, "valid_gain": 0.5,
    "valid_gain_low": 0.3, "valid_rate": 0.7, "by_likelihood": 0.6, "chance": 0.5, "tasks": 13.0,
    "over_chance": 0.1, "over_chance_low": -0.1, "over_chance_high": 0.3,
    "lost_by_random_inputs": 0.1, "lost_by_random_outputs": 0.35, "lost_by_no_answers": 0.4,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "holds"),
    [
        ("tasks", 13.0, True),
        ("lost_by_random_outputs", 0.0, True),  # shown beside the paper's, not claimed
        ("ci_low", -0.01, False),
        ("valid_gain_low", -0.01, False),
        ("lost_by_random_inputs", 0.13, False),
        ("lost_by_no_answers", 0.27, False),
    ],
)
def test_what_the_claim_of_icil_needs(name: str, value: float, holds: bool) -> None:
    *notes, verdict = icil.judged({**MEASURED, name: value})
    assert isinstance(verdict, Verdict)
    assert verdict.holds is holds
    assert verdict.measured == {**MEASURED, name: value}
    said = " ".join(note.text for note in notes if isinstance(note, Note))
    assert f"{verdict.measured['lost_by_random_outputs']:.2f} is lost with random outputs" in said


def test_the_bars_of_icil_are_the_means_over_tasks() -> None:
    a, b = Question("a", "", "", ("x",), ("x", "y")), Question("b", "", "", ("z",), ())
    right, wrong = Judged("x", True, 1.0, True, True), Judged("q", False, 0.0, False, True)
    free = Judged("z", True, 1.0)
    one, two = (Scores([a, a, b], [answers]) for answers in ([right, wrong, free], [wrong, wrong, free]))
    chart = arm_chart({"one": one, "two": two})
    assert [(bars.name, bars.x, bars.y) for bars in chart.series] == [
        ("exact match", ("one", "two"), (0.75, 0.5)),
        ("valid answer", ("one", "two"), (0.5, 0.0)),
    ]
    assert [bars.name for bars in arm_chart({"one": Scores([b], [[free]])}).series] == ["exact match"]


# 45 Chain of Hindsight


def test_only_the_tokens_of_answers_get_a_gradient() -> None:
    config = coh.Config(device="cpu", pairs_from="edits")
    setup = prepare(config)
    row = chain_of_hindsight.a_chain(setup, config)
    assert set(row.roles) == {0, 1, 2}
    words = [setup.encoder.tokenizer.backend.id_to_token(i) for i in row.ids]
    assert {"good", "bad"} <= {word for word, role in zip(words, row.roles, strict=True) if role == 0}
    nats, gradients = chain_of_hindsight.carried(setup, config, row)
    assert [size > 0 for size in gradients] == [role > 0 for role in row.roles]
    with torch.no_grad():
        logprobs = setup.model(torch.tensor([row.ids]))[0].log_softmax(-1)
    assert nats[0] == 0
    assert nats[1:] == pytest.approx([-float(logprobs[t, i]) for t, i in enumerate(row.ids[1:])], abs=1e-4)
    unmasked = Row(row.ids, (1,) * len(row.ids))
    assert all(size > 0 for size in chain_of_hindsight.carried(setup, config, unmasked)[1][1:])
    assert not any(p.grad is not None for p in setup.model.parameters()), "measuring leaves nothing to the training"


@pytest.mark.parametrize(("low", "masked", "holds"), [(0.03, True, True), (0.01, True, False), (0.03, False, False)])
def test_what_the_claim_of_coh_needs(monkeypatch: pytest.MonkeyPatch, low: float, masked: bool, holds: bool) -> None:
    found = {"gap": 0.1, "ci_low": low, "ci_high": 0.2, "gold": 0.5, "kl": 1.0, "gap_difference": -0.05,
             "gap_difference_low": -0.1, "gap_difference_high": 0.0, "gold_difference": 0.2}  # fmt: skip

    def fake(config: RunConfig) -> Iterator[Event]:
        assert isinstance(config, coh.Config)
        assert config.arms == ("conditional-sft",)
        yield Verdict("", True, found)

    if not masked:
        monkeypatch.setattr(coh, "loss_mask", lambda roles, scope: [1] * len(roles))
    monkeypatch.setattr(coh, "run", fake)
    events = list(chain_of_hindsight.run(chain_of_hindsight.Config()))
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert verdict.holds is holds
    assert (verdict.measured["gradient_at_prompt"] == 0) is masked
    assert verdict.measured["gap_without_chains"] == pytest.approx(0.15)
    [tokens] = [event for event in events if isinstance(event, Tokens)]
    assert {"<eos>", "<|assistant|>"} <= set(tokens.tokens)
    [chart] = [event for event in events if isinstance(event, Chart)]
    good, bad = chart.series
    assert good.y == pytest.approx((0.5, 0.3))
    assert bad.y == pytest.approx((0.4, 0.15))


def test_both_arms_read_the_same_pairs_and_only_one_reads_chains() -> None:
    ours, other = ARMS["coh"], ARMS["conditional-sft"]
    assert dataclasses.replace(ours, chained=False) == other
