"""Sampled responses as actions: masks, padding, one number a token, and rewards by one's own function."""

import dataclasses
import doctest
import sys
from pathlib import Path

import pytest
import torch

from learn_llm import rollouts
from learn_llm.errors import UserError
from learn_llm.examples import Encoder, Prompt, Split
from learn_llm.rollouts import (
    Response,
    about,
    action_logits,
    action_logprobs,
    as_actions,
    mean_kl,
    own_reward,
    respond,
    response_mask,
)
from learn_llm.training import Setup, TrainConfig
from tests.small_models import little_llama, word_tokenizer


def setup(seed: int = 0) -> Setup:
    tokenizer = word_tokenizer()
    model = little_llama(tokenizer, seed)
    return Setup(TrainConfig(), model, Encoder(tokenizer, model.config), torch.device("cpu"))


def prompts(made: Setup) -> list[Prompt]:
    texts = ("hi", "hi one two three", "one two", "good")
    return [Prompt(made.encoder.prompt(text), text, {"topic": i}) for i, text in enumerate(texts)]


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(rollouts, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted >= 4
    assert result.failed == 0


def test_padding_that_is_eos_does_not_move_the_end() -> None:
    sampled = torch.tensor([[7, 2, 2, 2], [2, 2, 2, 2], [7, 8, 9, 7], [7, 8, 9, 3]])
    assert response_mask(sampled, (2, 3)).tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]


def test_responses_come_in_the_order_of_their_prompts_and_end_where_they_end() -> None:
    made = setup()
    asked = prompts(made)
    answered = respond(made, made.model, asked, max_new_tokens=12)
    assert [r.prompt for r in answered] == asked
    assert answered == respond(made, made.model, asked, max_new_tokens=12)
    assert answered != respond(made, made.model, asked, max_new_tokens=12, step=1)
    for response in answered:
        assert response.ended == (response.ids[-1] == made.encoder.eos_id)
        assert made.encoder.eos_id not in response.ids[:-1]
        assert response.ended or len(response.ids) == 12


def test_logprobs_of_a_batch_are_those_of_each_response_alone() -> None:
    """Whatever the padding, the split into parts and their order."""
    made = setup()
    answered = respond(made, made.model, prompts(made), max_new_tokens=9)
    assert len({len(r.ids) for r in answered}) > 1
    together = as_actions(answered, "cpu")
    logits, hidden = action_logits(made.model, together)
    assert hidden.shape == (*together.mask.shape, 16)
    logprobs = action_logprobs(logits, together.chosen)
    for row, response in enumerate(answered):
        sequence = torch.tensor([[*response.prompt.ids, *response.ids]])
        table = made.model(sequence)[0].detach().log_softmax(-1)
        first = len(response.prompt.ids)
        alone = [float(table[first + t - 1, token]) for t, token in enumerate(response.ids)]
        assert logprobs[row, : len(alone)].tolist() == pytest.approx(alone, abs=1e-5)
        assert together.mask[row].tolist() == [1] * len(alone) + [0] * (together.mask.shape[1] - len(alone))
    some = torch.tensor([2, 0])
    part = together.rows(some)
    seen = action_logprobs(action_logits(made.model, part)[0], part.chosen) * part.mask
    torch.testing.assert_close(seen, (logprobs * together.mask)[some, : part.mask.shape[1]], atol=1e-5, rtol=0)


def test_mean_kl_is_0_to_itself_and_the_sum_over_tokens_to_another() -> None:
    made, other = setup(), setup(seed=1)
    answered = respond(made, made.model, prompts(made), max_new_tokens=6)
    assert mean_kl(made.model, made.model, answered) == pytest.approx(0, abs=1e-6)
    total = 0.0
    for response in answered:
        sequence = torch.tensor([[*response.prompt.ids, *response.ids]])
        ours, theirs = (model(sequence)[0].detach().double().log_softmax(-1) for model in (made.model, other.model))
        at = slice(len(response.prompt.ids) - 1, sequence.shape[1] - 1)
        total += float((ours[at].exp() * (ours[at] - theirs[at])).sum())
    assert mean_kl(made.model, other.model, answered) == pytest.approx(total / 4, rel=1e-4)


class TestOwnReward:
    code = """
def length(prompts, responses, rows):
    return [len(r.split()) + 100 * row["topic"] for p, r, row in zip(prompts, responses, rows)]
def short(prompts, responses, rows): return [1.0]
def number(prompts, responses, rows): return 3
def broken(prompts, responses, rows): return [float("nan")] * len(prompts)
def words(prompts, responses, rows): return ["good"] * len(prompts)
constant = 5

def lonely(responses):
    return [0.0 for _ in responses]

def faulty(prompts, responses, rows):
    return [1 / 0 for _ in responses]
"""

    @pytest.fixture
    def made(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
        (tmp_path / "my_rewards.py").write_text(self.code)
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "my_rewards", raising=False)
        return setup()

    def answered(self, made: Setup) -> list[Response]:
        ids = made.encoder.response("hello one")
        return [Response(prompt, ids, ended=True) for prompt in prompts(made)]

    def test_it_sees_prompts_responses_and_rows(self, made: Setup) -> None:
        reward = own_reward("my_rewards:length", made.encoder)
        assert reward(self.answered(made)) == [2.0, 102.0, 202.0, 302.0]

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("my_rewards:none", "my_rewards has no function none"),
            ("no_such_module:f", "there is no module no_such_module here"),
            ("my_rewards", "give module:function"),
            ("my_rewards:constant", "give module:function"),
        ],
    )
    def test_names_that_mean_no_function(self, made: Setup, name: str, said: str) -> None:
        with pytest.raises(UserError, match=said):
            own_reward(name, made.encoder)

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("short", "gave a list of 1, a list of 4 numbers is needed"),
            ("number", "gave int, a list of 4"),
            ("broken", "gave nan for the response 'hello one'"),
            ("words", "gave 'good' for the response"),
            ("lonely", r"f\(prompts, responses, rows\), failed: TypeError: .*takes 1 positional"),
            ("faulty", r"failed: ZeroDivisionError: division by zero \(.*my_rewards.py, line \d+\)"),
        ],
    )
    def test_what_it_gives_is_checked(self, made: Setup, name: str, said: str) -> None:
        reward = own_reward(f"my_rewards:{name}", made.encoder)
        with pytest.raises(UserError, match=said):
            reward(self.answered(made))


def test_a_warning_where_a_round_of_samples_takes_minutes() -> None:
    made = setup()
    data = Split(train=prompts(made), held_out=[], too_long=2)
    assert about(data, made) == "4 prompts, 0 held out, 2 too long"
    large = dataclasses.replace(made.config, batch_size=10**6)
    assert about(data, dataclasses.replace(made, config=large)).endswith("--batch-size 16 is quicker")
