"""The reward model: loss, last token, normalising, calibration, Hugging Face format, the whole file in two steps."""

import doctest
import json
import math
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from learn_llm import examples
from learn_llm.errors import UserError
from learn_llm.events import Chart, Event, Metrics, Verdict
from learn_llm.examples import Encoder, Pair, Prompt, collate
from learn_llm.minimal_impls import reward_model
from learn_llm.minimal_impls.reward_model import RewardModel, bradley_terry_loss, calibration, calibration_error
from learn_llm.training import Setup, TrainConfig
from tests.small_models import WORDS, little_llama, llama_folder, word_tokenizer, world_tokenizer

TRL = json.loads((Path(__file__).parent / "oracles" / "trl_losses.json").read_text())["reward"]
ROWS = [{"prompt": f"hi {word}", "chosen": "good yes", "rejected": f"bad {word}"} for word in WORDS]


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    data = tmp_path / "pairs.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return {"model": llama_folder(tmp_path / "llama"), "data": str(data), "steps": 2, "batch_size": 4, "device": "cpu"}


def run(**settings: Any) -> list[Event]:
    return list(reward_model.run(reward_model.Config(**settings)))


def metrics(events: list[Event]) -> list[dict[str, float]]:
    return [dict(event.values) for event in events if isinstance(event, Metrics)]


def a_setup(name: str = "") -> Setup:
    tokenizer = word_tokenizer()
    model = little_llama(tokenizer)
    return Setup(TrainConfig(model=name), model, Encoder(tokenizer, model.config), torch.device("cpu"))


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(reward_model, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.attempted >= 3
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted(TRL))
def test_scores_and_loss_are_those_of_trl(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Golden tensors of TRL 1.16's RewardTrainer, made by tests/oracles/record_trl_losses.py, at 1e-5."""
    case = {key: torch.tensor(value) for key, value in TRL[name].items()}
    tokens, mask, hidden = case["tokens"], case["mask"], case["hidden"]
    assert mask.sum(1).min() < tokens.shape[1]  # some rows are padded
    assert mask[:, 0].all()  # on the right
    reward = RewardModel(little_llama(word_tokenizer()))
    monkeypatch.setattr(reward.gpt, "hidden", lambda tokens: hidden)
    with torch.no_grad():
        reward.score.weight.copy_(case["head"])
        scores = reward(tokens, mask)
    torch.testing.assert_close(scores, case["scores"], atol=1e-5, rtol=0)
    chosen, rejected = scores.chunk(2)
    loss = bradley_terry_loss(chosen, rejected, case.get("margins", 0.0))
    assert float(loss) == pytest.approx(float(case["loss"]), abs=1e-5)
    assert float((chosen > rejected).float().mean()) == pytest.approx(float(case["accuracy"]))


class TestLoss:
    def test_against_the_formula_with_and_without_margin(self) -> None:
        chosen, rejected = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.0, 1.0, 0.5])
        for margin in (0.0, 0.7):
            expected = (
                sum(math.log1p(math.exp(-(c - r - margin))) for c, r in zip([1, -2, 0.5], [0, 1, 0.5], strict=True)) / 3
            )
            assert float(bradley_terry_loss(chosen, rejected, margin)) == pytest.approx(expected, abs=1e-6)

    def test_a_shift_of_all_scores_changes_nothing(self) -> None:
        chosen, rejected = torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
        shifted = bradley_terry_loss(chosen + 3, rejected + 3)
        torch.testing.assert_close(shifted, bradley_terry_loss(chosen, rejected))

    def test_hopeless_scores_give_no_infinity(self) -> None:
        assert float(bradley_terry_loss(torch.tensor([-1e4]), torch.tensor([1e4]))) == 2e4


class TestMargin:
    pairs = tuple(Pair(Prompt((9,), ""), (8,), (7,), grade=grade) for grade in (3, 0, 1))

    def test_it_grows_with_the_grade(self) -> None:
        cpu = torch.device("cpu")
        assert reward_model.margins(self.pairs, "none", cpu) == 0.0
        assert torch.equal(torch.as_tensor(reward_model.margins(self.pairs, "large", cpu)), torch.tensor([3.0, 0, 1]))
        small = torch.as_tensor(reward_model.margins(self.pairs, "small", cpu)).tolist()
        assert small == pytest.approx([1, 0, 1 / 3])

    def test_without_one_the_loss_is_that_of_scores_alone(
        self, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given = run(**settings)
        monkeypatch.setattr(
            reward_model, "bradley_terry_loss", lambda chosen, rejected, _: bradley_terry_loss(chosen, rejected)
        )
        assert run(**settings) == given

    def test_graded_rows_of_a_file_give_another_loss(self, settings: dict[str, Any], tmp_path: Path) -> None:
        graded = tmp_path / "graded.jsonl"
        graded.write_text("".join(json.dumps({**row, "grade": i % 4}) + "\n" for i, row in enumerate(ROWS)))
        settings |= {"data": str(graded)}
        losses = [metrics(run(**settings, margin=margin))[0]["loss"] for margin in ("none", "small", "large")]
        assert losses[0] < losses[1] < losses[2]

    def test_rows_without_a_grade_are_refused(self, settings: dict[str, Any]) -> None:
        with pytest.raises(UserError, match='needs a "grade" from 0 to 3 in every row, not None'):
            run(**settings, margin="large")


class TestScore:
    def test_it_is_read_at_the_last_token_whatever_the_padding(self) -> None:
        made = a_setup()
        reward = RewardModel(made.model)
        prompts, responses = [(9, 10), (11, 12, 13)], [(12, 5), (13, 14, 15, 5)]
        batch = collate(prompts, responses)
        scores = reward(batch.tokens, batch.attention)
        for row in range(2):
            alone = torch.tensor([[*prompts[row], *responses[row]]])
            hidden = made.model.hidden(alone)[0, -1]
            torch.testing.assert_close(scores[row], reward.score.weight[0] @ hidden, atol=1e-5, rtol=0)

    def test_the_head_starts_as_documented(self) -> None:
        made = a_setup()
        weights = torch.cat(
            [RewardModel(made.model, torch.Generator().manual_seed(s)).score.weight for s in range(200)]
        )
        assert float(weights.detach().std()) == pytest.approx(1 / math.sqrt(17), rel=0.05)
        first, second = (RewardModel(made.model, torch.Generator().manual_seed(0)).score.weight for _ in range(2))
        assert torch.equal(first, second)

    def test_normalising_gives_mean_0_and_deviation_1_and_keeps_the_order(self) -> None:
        reward = RewardModel(a_setup().model)
        batch = collate([(9, 10)] * 8, [(i, 5) for i in range(8, 16)])
        with torch.no_grad():
            before = reward(batch.tokens, batch.attention)
            reward.normalise(before)
            after = reward(batch.tokens, batch.attention)
            assert float(after.mean()) == pytest.approx(0, abs=1e-5)
            assert float(after.std()) == pytest.approx(1, abs=1e-5)
            assert torch.equal(after.argsort(), before.argsort())
            reward.normalise(after)
            torch.testing.assert_close(reward(batch.tokens, batch.attention), after, atol=1e-5, rtol=0)


def test_calibration_bins_by_confidence() -> None:
    def difference(sure: float) -> float:
        return math.log(sure / (1 - sure))

    given = [difference(0.62)] * 3 + [-difference(0.62)] + [difference(0.99)] * 2 + [0.0]
    bins = calibration(given, bins=5)
    assert [count for *_, count in bins] == [1, 4, 2]
    assert bins[1][0] == pytest.approx(0.62)
    assert bins[1][1:] == (0.75, 4)
    expected = (0.5 * 1 + 0.13 * 4 + 0.01 * 2) / 7
    assert calibration_error(bins) == pytest.approx(expected, abs=1e-9)


def test_a_saved_one_is_what_transformers_reads(tmp_path: Path) -> None:
    made = a_setup(str(tmp_path))
    reward = RewardModel(made.model)
    reward.shift.fill_(-0.37)
    reward_model.save_reward(reward, made, tmp_path)
    prompts, responses = [(9, 10), (11, 12, 13)], [(12, 5), (13, 14, 15, 5)]
    batch = collate(prompts, responses)
    scores = reward(batch.tokens, batch.attention).detach()

    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    tokens = torch.where(batch.attention.bool(), batch.tokens, theirs.config.pad_token_id)
    with torch.no_grad():
        logits = theirs(tokens, attention_mask=batch.attention).logits
    assert type(theirs).__name__ == "LlamaForSequenceClassification"
    assert theirs.config.reward_shift == pytest.approx(-0.37)
    torch.testing.assert_close(logits.squeeze(-1) - 0.37, scores, atol=1e-4, rtol=0)

    again = reward_model.load_reward(str(tmp_path), made)
    torch.testing.assert_close(again(batch.tokens, batch.attention), scores)


def test_pad_is_never_eos_in_what_is_saved(tmp_path: Path) -> None:
    made = a_setup()
    made.encoder.tokenizer.pad_id = made.encoder.eos_id
    reward_model.save_reward(RewardModel(made.model), made, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["pad_token_id"] not in made.encoder.eos_ids


def test_two_steps_on_a_file(settings: dict[str, Any], tmp_path: Path) -> None:
    events = run(**settings, out=str(tmp_path / "out"))
    assert [event.step for event in events if isinstance(event, Metrics)] == [1, 2]
    assert any(isinstance(event, Chart) and event.kind == "scatter" for event in events)
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    assert verdict.measured["pairs"] == 2
    scores = reward_model.reward_of(str(tmp_path / "out"), a_setup(settings["model"]))
    assert scores([]) == []


def test_it_learns_and_a_coin_does_not(settings: dict[str, Any]) -> None:
    longer = {**settings, "steps": 60, "batch_size": 12, "learning_rate": 5e-3}
    assert metrics(run(**longer))[-1]["accuracy"] == 1
    measured = metrics(run(**longer, break_=True))
    assert sum(m["accuracy"] for m in measured[:10]) / 10 < 0.8


def test_micro_batches_change_no_number(settings: dict[str, Any]) -> None:
    whole, parts = metrics(run(**settings)), metrics(run(**settings, micro_batch_size=3))
    for a, b in zip(whole, parts, strict=True):
        assert b == pytest.approx(a, abs=1e-4)


def test_bf16_autocast_on_the_cpu(settings: dict[str, Any]) -> None:
    exact, rounded = metrics(run(**settings)), metrics(run(**settings, dtype="bf16"))
    assert [m["loss"] for m in rounded] == pytest.approx([m["loss"] for m in exact], rel=0.05)
    assert rounded != exact


def test_an_interrupted_run_ends_with_the_same_verdict(settings: dict[str, Any], tmp_path: Path) -> None:
    settings |= {"steps": 6, "save_every": 2}
    whole = run(**settings)
    stopped = reward_model.run(reward_model.Config(**settings, out=str(tmp_path)))
    for event in stopped:
        if isinstance(event, Metrics) and event.step == 3:
            break
    assert isinstance(stopped, Generator)
    stopped.close()
    again = run(**settings, out=str(tmp_path), resume=True)
    assert metrics(again) == metrics(whole)[3:]
    assert again[-1] == whole[-1]


def test_in_the_tiny_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "HELD_OUT", 16)
    model = llama_folder(tmp_path / "llama", world_tokenizer(), context=128)
    small = {"steps": 2, "batch_size": 4, "pairs": 20, "held_out_pairs": 30, "max_new_tokens": 5, "device": "cpu"}
    for written_by, margin in (("mixed", "large"), ("edits", "none"), ("people", "none"), ("model", "small")):
        verdict = run(model=model, pairs_from=written_by, margin=margin, **small)[-1]
        assert isinstance(verdict, Verdict)
        assert verdict.measured["pairs"] == 30
        assert verdict.measured["ceiling"] - verdict.measured["accuracy"] == verdict.measured["accuracy_gap"]


def test_what_is_no_reward_model_is_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    made = a_setup(settings["model"])
    with pytest.raises(UserError, match="is no reward model: it has no score head"):
        reward_model.load_reward(settings["model"], made)
    other = world_tokenizer()
    model = little_llama(other)
    reward_model.save_reward(
        RewardModel(model), Setup(TrainConfig(), model, Encoder(other, model.config), made.device), tmp_path / "other"
    )
    with pytest.raises(UserError, match="was made for other tokens"):
        reward_model.load_reward(str(tmp_path / "other"), made)


def test_steps_0_is_refused() -> None:
    with pytest.raises(UserError, match="--steps must be at least 1"):
        reward_model.Config(steps=0)
