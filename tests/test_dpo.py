"""DPO's losses against TRL 1.16, the formulas and the optimum they are made for; then the whole file in a few steps."""

import doctest
import json
import math
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from learn_llm import examples, glossary
from learn_llm.errors import UserError
from learn_llm.events import Event, Metrics, Note, Table, Verdict
from learn_llm.examples import Encoder, Pair, Prompt
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import dpo
from learn_llm.minimal_impls.dpo import dpo_loss, ipo_loss, robust_loss, sequence_logprobs
from learn_llm.training import Setup
from tests.small_models import WORDS, little_llama, llama_folder, word_tokenizer, world_tokenizer

TRL = json.loads((Path(__file__).parent / "oracles" / "trl_losses.json").read_text())["dpo"]
ROWS = [{"prompt": f"hi {word}", "chosen": "good yes", "rejected": f"bad {word} no"} for word in WORDS]
close = partial(pytest.approx, abs=1e-5)


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(dpo, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted >= 11
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted(TRL))
def test_losses_and_metrics_are_those_of_trl(name: str) -> None:
    """Golden tensors of TRL 1.16's DPOTrainer, made by tests/oracles/record_trl_losses.py, at 1e-5."""
    case = TRL[name]
    tokens, mask = torch.tensor(case["tokens"]), torch.tensor(case["mask"])
    config = dpo.Config(loss=name, beta=case["beta"], label_smoothing=case["label_smoothing"])  # type: ignore[arg-type]
    policy, reference = (
        dpo.response_logprobs(config, torch.tensor(case[model]), tokens, mask) for model in ("policy", "reference")
    )
    chosen, rejected = policy.chunk(2)
    found = dpo.losses(config, (chosen, rejected), torch.stack(reference.chunk(2), dim=1))
    assert float(found["loss"]) == close(case["loss"])
    if name != "ipo":  # there TRL goes on telling the summed rewards
        assert float(found["chosen_reward"]) == close(case["rewards/chosen"])
        assert float(found["rejected_reward"]) == close(case["rewards/rejected"])
        assert float(found["margin"]) == close(case["rewards/margins"])
        assert float(found["accuracy"]) == close(case["rewards/accuracies"])


class TestLosses:
    zero = torch.zeros(1)

    def test_sigmoid_against_the_formula(self) -> None:
        chosen, rejected, ref_chosen, ref_rejected = torch.randn(4, 6, generator=torch.Generator().manual_seed(0)) * 5
        for smoothing in (0.0, 0.2):
            expected = 0.0
            for row in range(6):
                h = 0.3 * float((chosen - ref_chosen - rejected + ref_rejected)[row])
                expected += (1 - smoothing) * math.log1p(math.exp(-h)) + smoothing * math.log1p(math.exp(h))
            loss = dpo_loss(chosen, rejected, ref_chosen, ref_rejected, 0.3, smoothing)
            assert float(loss) == pytest.approx(expected / 6, rel=1e-5)

    def test_hopeless_pairs_give_no_infinity(self) -> None:
        assert float(dpo_loss(torch.tensor([-1e5]), torch.tensor([1e5]), self.zero, self.zero, 0.1)) == 2e4

    @pytest.mark.parametrize("smoothing", [0.1, 0.3])
    def test_smoothing_has_its_optimum_at_the_logit_of_the_share(self, smoothing: float) -> None:
        best = torch.tensor([math.log((1 - smoothing) / smoothing)], requires_grad=True)
        dpo_loss(best, self.zero, self.zero, self.zero, 1.0, smoothing).backward()
        assert best.grad is not None
        assert float(best.grad) == pytest.approx(0, abs=1e-6)

    def test_ipo_has_its_optimum_at_the_margin_and_sigmoid_has_none(self) -> None:
        margin = torch.tensor([5.0], requires_grad=True)
        ipo_loss(margin, self.zero, self.zero, self.zero, 0.1).backward()
        assert margin.grad is not None
        assert float(margin.grad) == 0
        (gradient,) = torch.autograd.grad(dpo_loss(margin, self.zero, self.zero, self.zero, 0.1), [margin])
        assert float(gradient) < 0

    def test_robust_is_unbiased_under_wrong_labels(self) -> None:
        a, b, ref_a, ref_b = torch.randn(4, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        right = robust_loss(a, b, ref_a, ref_b, 0.5, 0.2)
        wrong = robust_loss(b, a, ref_b, ref_a, 0.5, 0.2)
        torch.testing.assert_close(0.8 * right + 0.2 * wrong, dpo_loss(a, b, ref_a, ref_b, 0.5))

    def test_the_policy_that_it_finds_is_the_best_one_for_the_reward(self) -> None:
        """Three responses, all pairs weighed as Bradley and Terry draw them: π becomes π_ref·exp(r/β) / Z (Eq. 4)."""
        rewards, reference = torch.tensor([1.0, 0.2, -0.5]).double(), torch.tensor([0.2, 0.5, 0.3]).double().log()
        logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")
        a, b = torch.triu_indices(3, 3, 1)

        def closure() -> float:
            optimiser.zero_grad()
            table = logits.log_softmax(-1)
            likely = torch.sigmoid(rewards[a] - rewards[b])

            def preferring(i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
                return dpo_loss(table[i][None], table[j][None], reference[i][None], reference[j][None], beta=0.5)

            losses = [p * preferring(i, j) + (1 - p) * preferring(j, i) for p, i, j in zip(likely, a, b, strict=True)]
            loss = torch.stack(losses).sum()
            loss.backward()
            return loss.item()

        optimiser.step(closure)
        best = (reference + rewards / 0.5).softmax(-1)
        torch.testing.assert_close(logits.detach().softmax(-1), best, atol=1e-5, rtol=0)


class TestPadding:
    """Neither side nor amount of padding changes a number."""

    def model(self) -> GPT:
        return little_llama(word_tokenizer())

    def test_on_the_right_and_on_the_left(self) -> None:
        model, prompt, response = self.model(), [9, 10, 11], [12, 13, 5]
        row, mask = torch.tensor([[*prompt, *response]]), torch.tensor([[0] * 3 + [1] * 3])
        alone = sequence_logprobs(model(row), row, mask)
        pad = torch.zeros(1, 4, dtype=torch.long)
        right = torch.cat((row, pad), 1)
        torch.testing.assert_close(sequence_logprobs(model(right), right, torch.cat((mask, pad), 1)), alone)
        left, seen = torch.cat((pad, row), 1), torch.cat((pad, torch.ones_like(row)), 1)
        ours = sequence_logprobs(model(left, seen), left, torch.cat((pad, mask), 1))
        torch.testing.assert_close(ours, alone, atol=1e-5, rtol=0)

    def test_a_pair_alone_and_among_longer_ones(self) -> None:
        tokenizer, model = word_tokenizer(), self.model()
        setup = Setup(dpo.Config(), model, Encoder(tokenizer, model.config), torch.device("cpu"))
        prompt = Prompt((9, 10), "")
        pairs = [Pair(prompt, (12, 5), (13, 14, 5)), Pair(Prompt((9,) * 9, ""), (12,) * 7, (13, 5))]
        together = dpo.pair_logprobs(setup, dpo.Config(), model, pairs)
        for i, pair in enumerate(pairs):
            for ours, alone in zip(together, dpo.pair_logprobs(setup, dpo.Config(), model, [pair]), strict=True):
                torch.testing.assert_close(ours[i], alone[0], atol=1e-5, rtol=0)
        found = dpo.reference_logprobs(setup, dpo.Config(batch_size=1), model, dict(enumerate(pairs)))
        torch.testing.assert_close(torch.stack([found[0], found[1]]), torch.stack(together, 1), atol=1e-5, rtol=0)
        averaged, _ = dpo.pair_logprobs(setup, dpo.Config(log_ratio="mean"), model, pairs)
        torch.testing.assert_close(averaged, together[0] / torch.tensor([2, 7]))


# The whole file


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    model, data = llama_folder(tmp_path / "llama"), str(tmp_path / "pairs.jsonl")
    return {"model": model, "data": data, "steps": 2, "batch_size": 6, "device": "cpu"}


def run(**settings: Any) -> list[Event]:
    return list(dpo.run(dpo.Config(**settings)))


def metrics(events: list[Event]) -> list[dict[str, float]]:
    return [dict(event.values) for event in events if isinstance(event, Metrics)]


def test_fewer_pairs_than_the_steps_take_are_read_again_and_it_is_said(settings: dict[str, Any]) -> None:
    def notes(size: int) -> str:
        return " ".join(event.text for event in run(**{**settings, "batch_size": size}) if isinstance(event, Note))

    assert "14 pairs" in notes(7)
    assert "fewer than" not in notes(7)
    assert "fewer than the 16 that the steps take: they are read again" in notes(8)


def test_two_steps_on_a_file(settings: dict[str, Any]) -> None:
    events = run(**settings)
    first, second = metrics(events)
    assert first["loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert first["margin"] == first["chosen_reward"] == 0
    assert first["accuracy"] == 0.5
    assert second["margin"] != 0
    assert [name for name in first if glossary.find(name) is None] == []
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert verdict.measured["pairs"] == 2
    assert [name for name in verdict.measured if glossary.find(name) is None] == []


def test_it_learns_the_pairs_and_a_coin_does_not(settings: dict[str, Any]) -> None:
    longer = {**settings, "steps": 40, "batch_size": 12, "learning_rate": 1e-3}
    learnt, broken = run(**longer), run(**longer, break_=True)
    assert metrics(learnt)[-1]["accuracy"] == 1
    assert isinstance(learnt[-1], Verdict)
    assert learnt[-1].measured["accuracy"] == 1
    assert sum(m["accuracy"] for m in metrics(broken)[:8]) / 8 < 0.8


@pytest.mark.parametrize(
    "switch",
    [
        {"loss": "ipo"},
        {"loss": "robust", "label_smoothing": 0.2},
        {"label_smoothing": 0.2},
        {"log_ratio": "mean"},
        {"beta": 0.5},
    ],
)
def test_every_switch_changes_the_numbers(settings: dict[str, Any], switch: dict[str, Any]) -> None:
    settings["steps"] = 3
    assert metrics(run(**settings, **switch))[-1] != metrics(run(**settings))[-1]


def test_micro_batches_change_no_number(settings: dict[str, Any]) -> None:
    whole, parts = metrics(run(**settings)), metrics(run(**settings, micro_batch_size=2))
    for a, b in zip(whole, parts, strict=True):
        assert b == pytest.approx(a, rel=1e-3, abs=1e-4)


def test_bf16_autocast_on_the_cpu(settings: dict[str, Any]) -> None:
    exact, rounded = metrics(run(**settings)), metrics(run(**settings, dtype="bf16"))
    assert [m["loss"] for m in rounded] == pytest.approx([m["loss"] for m in exact], rel=0.05)
    assert rounded != exact


def test_an_interrupted_run_goes_on_with_the_same_numbers(settings: dict[str, Any], tmp_path: Path) -> None:
    settings |= {"steps": 5, "save_every": 2}
    whole = run(**settings)
    stopped = dpo.run(dpo.Config(**settings, out=str(tmp_path / "out")))
    for event in stopped:
        if isinstance(event, Metrics) and event.step == 3:
            break
    assert isinstance(stopped, Generator)
    stopped.close()
    again = run(**settings, out=str(tmp_path / "out"), resume=True)
    assert metrics(again) == metrics(whole)[3:]
    assert again[-1] == whole[-1]


def test_in_the_tiny_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "HELD_OUT", 16)
    model = llama_folder(tmp_path / "llama", world_tokenizer(), context=128)
    events = run(
        model=model, steps=2, batch_size=4, pairs=20, held_out_pairs=12, max_new_tokens=5, device="cpu"
    )  # fmt: skip
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert not verdict.holds
    assert {"gold_difference", "ci_low", "win_rate", "kl", "correctness_difference"} <= verdict.measured.keys()
    table = next(event for event in events if isinstance(event, Table))
    assert [row[0] for row in table.rows] == ["accuracy", "ceiling of the annotators' noise", "margin"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"steps": 0}, "--steps must be at least 1"),
        ({"beta": 0.0}, "--beta must be above 0"),
        ({"label_smoothing": 0.5}, "--label-smoothing is a share below 0.5"),
        ({"label_smoothing": -0.1}, "--label-smoothing must not be negative"),
        ({"loss": "ipo", "label_smoothing": 0.1}, "--loss ipo takes no --label-smoothing"),
        ({"pairs": 0}, "--pairs must be at least 1"),
        ({"max_length": 3}, "every row of"),
    ],
)
def test_bad_input(settings: dict[str, Any], setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(**{**settings, **setting})
