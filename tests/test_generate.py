"""Sampling: what can be drawn, how often, where it ends, and that a batch changes nothing for its rows."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from learn_llm.errors import UserError
from learn_llm.gpt import GPT, GPTConfig, left_pad
from learn_llm.sampling import Sampling

EOS, PAD = 2, 0
CONFIG = GPTConfig(23, 32, 48, 2, 4, 2, max_position_embeddings=40, eos_token_id=EOS, pad_token_id=PAD)


@pytest.fixture(scope="module")
def model() -> GPT:
    model = GPT(CONFIG)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(1.0 if parameter.dim() == 1 else 0.0, 0.3, generator=generator)
    return model


def prompts(*lengths: int) -> list[list[int]]:
    return [[3 + (5 * n + i * i) % 20 for i in range(n)] for n in lengths]


@torch.no_grad()
def greedy_by_hand(model: GPT, prompt: list[int], steps: int) -> list[int]:
    """One full forward a token, no cache, no batch."""
    tokens = list(prompt)
    while len(tokens) < len(prompt) + steps:
        tokens.append(int(model(torch.tensor([tokens]))[0, -1].argmax()))
        if tokens[-1] == EOS:
            break
    return tokens[len(prompt) :]


def responses(rows: Tensor) -> list[list[int]]:
    """Each row up to its EOS."""
    return [row[: row.index(EOS) + 1] if EOS in row else row for row in rows.tolist()]


def test_greedy_takes_the_likeliest_token_at_each_step(model: GPT) -> None:
    together = prompts(1, 7, 12, 3, 5, 9, 2, 14)
    ids, mask = left_pad(together, PAD)
    rows = model.generate(ids, mask, max_new_tokens=20, temperature=0)
    expected = [greedy_by_hand(model, prompt, 20) for prompt in together]
    assert responses(rows) == expected
    assert len({len(row) for row in expected}) > 1  # some ended early: rows were dropped from the batch on the way
    assert rows.shape == (8, max(len(row) for row in expected))


def test_padding_follows_eos(model: GPT) -> None:
    ids, mask = left_pad(prompts(*range(1, 17)), PAD)
    rows = model.generate(ids, mask, max_new_tokens=25, seed=0).tolist()
    ended = [row for row in rows if EOS in row]
    assert ended
    for row in ended:
        assert set(row[row.index(EOS) + 1 :]) <= {PAD}


def test_without_eos_every_row_runs_to_the_limit(model: GPT) -> None:
    ids, mask = left_pad(prompts(3, 6), PAD)
    assert model.generate(ids, mask, max_new_tokens=12, eos_token_id=(), seed=1).shape == (2, 12)


def test_several_tokens_may_end_a_response(model: GPT) -> None:
    ids = torch.tensor(prompts(6))
    first, second = model.generate(ids, max_new_tokens=2, temperature=0, eos_token_id=())[0].tolist()
    assert model.generate(ids, max_new_tokens=9, temperature=0, eos_token_id=[22, second])[0].tolist() == [
        first,
        second,
    ]


def test_the_same_seed_gives_the_same_responses(model: GPT) -> None:
    ids, mask = left_pad(prompts(4, 9, 2), PAD)
    one, again, other = (model.generate(ids, mask, max_new_tokens=15, seed=seed) for seed in (7, 7, 8))
    assert torch.equal(one, again)
    assert one.tolist() != other.tolist()
    passed = model.generate(ids, mask, max_new_tokens=15, generator=torch.Generator().manual_seed(7))
    assert torch.equal(one, passed)


def test_a_seed_leaves_the_global_state_alone(model: GPT) -> None:
    before = torch.get_rng_state()
    model.generate(torch.tensor(prompts(4)), max_new_tokens=5, seed=7)
    assert torch.equal(before, torch.get_rng_state())


def test_a_sampled_row_does_not_depend_on_the_other_rows(model: GPT) -> None:
    """Row i gets the i-th number of every step: changing the other prompts and their lengths changes nothing in it."""
    one = left_pad([*prompts(5), *prompts(2, 11, 3)], PAD)
    other = left_pad([*prompts(5), *prompts(14, 1, 8)], PAD)
    a, b = (responses(model.generate(*batch, max_new_tokens=20, seed=4)) for batch in (one, other))
    assert a[0] == b[0]
    assert a[1:] != b[1:]


def test_decode_gives_the_tokens_of_generate_one_by_one(model: GPT) -> None:
    ids, mask = left_pad(prompts(4, 9, 2), PAD)
    steps = list(model.decode(ids, mask, Sampling(), 15, generator=torch.Generator().manual_seed(7)))
    assert torch.equal(torch.stack(steps, 1), model.generate(ids, mask, max_new_tokens=15, seed=7))


def test_gradients_are_on_again_between_the_steps(model: GPT) -> None:
    for _ in model.decode(torch.tensor(prompts(4)), max_new_tokens=3, eos_token_id=()):
        assert torch.is_grad_enabled()


def test_responses_stop_where_the_context_ends(model: GPT) -> None:
    ids, mask = left_pad(prompts(37, 4), PAD)
    assert model.generate(ids, mask, max_new_tokens=100, eos_token_id=(), seed=0).shape == (2, 3)


@pytest.mark.parametrize("length", [40, 55])
def test_a_prompt_longer_than_the_context_is_refused(model: GPT, length: int) -> None:
    with pytest.raises(
        UserError, match=f"the prompt has {length} tokens and the model's context 40: shorten the prompt"
    ):
        model.generate(torch.tensor(prompts(length)), max_new_tokens=1)


def test_needless_padding_takes_no_room(model: GPT) -> None:
    ids, mask = left_pad(prompts(5), PAD)
    wide, wide_mask = (torch.nn.functional.pad(x, (60, 0), value=0) for x in (ids, mask))
    for_wide = model.generate(wide, wide_mask, max_new_tokens=10, temperature=0)
    assert torch.equal(for_wide, model.generate(ids, max_new_tokens=10, temperature=0))


def test_right_padded_prompts_are_refused(model: GPT) -> None:
    with pytest.raises(ValueError, match="padded on the left"):
        model.generate(torch.tensor([[3, 4, 0]]), torch.tensor([[1, 1, 0]]), max_new_tokens=1)


def test_nothing_to_generate_is_refused(model: GPT) -> None:
    with pytest.raises(UserError, match="max_new_tokens must be at least 1, not 0"):
        model.generate(torch.tensor([[3]]), max_new_tokens=0)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"temperature": -1.0}, "the temperature must be 0 or more, not -1.0"),
        ({"temperature": math.nan}, "the temperature must be 0 or more, not nan"),
        ({"top_k": -2}, "top-k must be 0 .off. or more, not -2"),
        ({"top_p": 0.0}, "top-p must be above 0 and at most 1, not 0.0"),
        ({"top_p": 1.5}, "top-p must be above 0 and at most 1, not 1.5"),
    ],
)
def test_settings_out_of_range_are_refused(model: GPT, bad: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        model.generate(torch.tensor([[3]]), max_new_tokens=1, **bad)


logits_rows = st.lists(st.integers(-16, 16).map(lambda n: n / 2), min_size=2, max_size=12)


@given(logits_rows, st.integers(1, 14), st.floats(0.2, 3))  # colder, and the unlikely ones underflow
@settings(deadline=None, max_examples=40)
def test_top_k_keeps_the_k_likeliest(row: list[float], k: int, temperature: float) -> None:
    logits = torch.tensor(row)
    probs = Sampling(temperature, top_k=k).probs(logits[None])[0]
    kept = probs > 0
    assert int(kept.sum()) == min(k, len(row))
    assert float(probs.sum()) == pytest.approx(1, abs=1e-5)
    assert kept.all() or float(logits[kept].min()) >= float(logits[~kept].max())


@given(logits_rows, st.floats(0.01, 0.999))
@settings(deadline=None, max_examples=40)
def test_top_p_keeps_the_smallest_set_that_holds_p(row: list[float], p: float) -> None:
    whole = torch.tensor([row]).softmax(-1)[0]
    kept = Sampling(top_p=p).probs(torch.tensor([row]))[0] > 0
    held = float(whole[kept].sum())
    assert held >= p - 1e-5  # enough
    assert held - float(whole[kept].min()) < p + 1e-5  # and not without its least likely member
    assert kept.all() or float(whole[kept].min()) >= float(whole[~kept].max())


@pytest.mark.parametrize(
    "sampling", [Sampling(top_k=3), Sampling(top_p=0.6), Sampling(1.7, top_k=5, top_p=0.9)], ids=str
)
def test_only_kept_tokens_are_ever_drawn(sampling: Sampling) -> None:
    logits = torch.randn(1, 30, generator=torch.Generator().manual_seed(0))
    allowed = set(sampling.probs(logits)[0].nonzero()[:, 0].tolist())
    assert 1 < len(allowed) < 30
    edges = torch.tensor([0.0, 2**-24, 0.5, 1 - 2**-24])  # the smallest and largest numbers that torch.rand gives
    uniform = torch.cat([edges, torch.rand(4000, generator=torch.Generator().manual_seed(1))])
    drawn = set(sampling.pick(logits.expand(len(uniform), -1), uniform).tolist())
    assert drawn == allowed


@pytest.mark.parametrize(
    "sampling", [Sampling(), Sampling(0.5), Sampling(2.0, top_k=8), Sampling(1.0, 0, 0.8)], ids=str
)
def test_frequencies_match_the_distribution(sampling: Sampling) -> None:
    """20,000 draws: each token's frequency within 4.5 standard errors sqrt(p (1 - p) / n) of its probability."""
    n = 20_000
    logits = torch.randn(1, 12, generator=torch.Generator().manual_seed(0))
    uniform = torch.rand(n, generator=torch.Generator().manual_seed(2))
    counts = sampling.pick(logits.expand(n, -1), uniform).bincount(minlength=12)
    probs = sampling.probs(logits)[0].double()
    errors = (probs * (1 - probs) / n).sqrt()
    assert bool(((counts / n - probs).abs() <= 4.5 * errors + 1e-12).all())


def test_generated_frequencies_match_the_model(model: GPT) -> None:
    """The first token of 5,000 rows against softmax(logits), within 4.5 standard errors."""
    n = 5_000
    prompt = torch.tensor(prompts(6))
    with torch.no_grad():
        probs = model(prompt)[0, -1].double().softmax(-1)
    drawn = model.generate(prompt.expand(n, -1), max_new_tokens=1, seed=0)[:, 0].bincount(minlength=23) / n
    assert bool(((drawn - probs).abs() <= 4.5 * (probs * (1 - probs) / n).sqrt()).all())


def test_temperature_sharpens_and_flattens() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0]])
    likeliest = [float(Sampling(t).probs(logits)[0, 0]) for t in (0, 0.3, 1.0, 3.0)]
    assert likeliest[0] == 1.0
    assert likeliest == sorted(likeliest, reverse=True)
    assert likeliest[2] == pytest.approx(float(logits.softmax(-1)[0, 0]))


def test_left_padding() -> None:
    ids, mask = left_pad([[4, 5, 6], [7], []], pad=9)
    assert ids.tolist() == [[4, 5, 6], [9, 9, 7], [9, 9, 9]]
    assert mask.tolist() == [[1, 1, 1], [0, 0, 1], [0, 0, 0]]
