"""The model against transformers' Llama, against itself under every kind of padding and cache, and against calculus."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from learn_llm.errors import UserError
from learn_llm.gpt import GPT, SIZES, GPTConfig, RopeScaling

ROPE3 = RopeScaling(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
CONFIGS = {
    "plain": GPTConfig(61, 32, 48, 2, 4, 4),
    "grouped": GPTConfig(61, 48, 64, 3, 6, 2, rope_theta=500.0),
    "one key head, untied": GPTConfig(61, 32, 48, 2, 4, 1, tie_word_embeddings=False, rms_norm_eps=1e-6),
    "own head size": GPTConfig(61, 48, 64, 2, 3, 3, head_dim=32, tie_word_embeddings=False),
    "one head": GPTConfig(61, 16, 24, 1, 1, 1),
    "llama 3 rope": GPTConfig(61, 64, 96, 2, 4, 2, rope_theta=10000.0, rope_scaling=ROPE3),
}
SPREAD = 0.15  # of the weights: the logits then have a standard deviation of about 1, as a trained model's do


@pytest.fixture(params=CONFIGS, ids=lambda name: name.replace(" ", "-"))
def model(request: pytest.FixtureRequest) -> GPT:
    return random_model(CONFIGS[request.param])


def random_model(config: GPTConfig) -> GPT:
    """A model with larger weights than at initialisation, norms included."""
    generator = torch.Generator().manual_seed(0)
    model = GPT(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(1.0 if parameter.dim() == 1 else 0.0, SPREAD, generator=generator)
    return model


def reference(model: GPT) -> LlamaForCausalLM:
    """The same weights in transformers' implementation."""
    settings: dict[str, Any] = dataclasses.asdict(model.config)
    theta, scaling = settings.pop("rope_theta"), settings.pop("rope_scaling")
    rope = (
        {"rope_theta": theta, "rope_type": "default"}
        if scaling is None
        else {"rope_theta": theta, "rope_type": "llama3", **scaling}
    )
    config = LlamaConfig(**{name: value for name, value in settings.items() if value is not None}, rope_parameters=rope)
    other: LlamaForCausalLM = LlamaForCausalLM(config)
    other.load_state_dict(model.state_dict())
    return other


def tokens(rows: int, length: int, seed: int = 1) -> Tensor:
    return torch.randint(0, 61, (rows, length), generator=torch.Generator().manual_seed(seed))


def padded(rows: list[Tensor], side: str) -> tuple[Tensor, Tensor]:
    """The rows as one batch with padding on that side; the padding is a token like any other, so that leaks show."""
    width = max(len(row) for row in rows)
    ids, mask = torch.full((len(rows), width), 7), torch.zeros(len(rows), width, dtype=torch.long)
    for index, row in enumerate(rows):
        place = slice(width - len(row), width) if side == "left" else slice(0, len(row))
        ids[index, place], mask[index, place] = row, 1
    return ids, mask


@torch.no_grad()
def test_logits_equal_transformers(model: GPT) -> None:
    ids = tokens(3, 60)
    torch.testing.assert_close(model(ids), reference(model)(ids).logits, rtol=0, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("side", ["left", "right"])
def test_padded_logits_equal_transformers(model: GPT, side: str) -> None:
    ids, mask = padded([tokens(1, n)[0] for n in (5, 23, 40)], side)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    theirs = reference(model)(ids, attention_mask=mask, position_ids=positions).logits
    torch.testing.assert_close(model(ids, mask)[mask.bool()], theirs[mask.bool()], rtol=0, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_nothing(model: GPT, side: str) -> None:
    rows = [tokens(1, n, seed=n)[0] for n in (1, 9, 30)]
    ids, mask = padded(rows, side)
    together = model(ids, mask)
    assert bool(together.isfinite().all())
    for index, row in enumerate(rows):
        torch.testing.assert_close(together[index][mask[index].bool()], model(row[None])[0], rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("pieces", [[30], [1] * 30, [7, 1, 1, 12, 9]], ids=["at-once", "one-by-one", "pieces"])
def test_cached_equals_uncached(model: GPT, pieces: list[int]) -> None:
    ids = tokens(2, 30)
    cache = model.new_cache(2, 30)
    parts = [model(part, cache=cache) for part in ids.split(pieces, dim=1)]
    torch.testing.assert_close(torch.cat(parts, 1), model(ids), rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("side", ["left", "right"])
def test_cached_padded_rows_equal_rows_alone(model: GPT, side: str) -> None:
    prompts, rest = [tokens(1, n, seed=n)[0] for n in (3, 12)], tokens(2, 6, seed=9)
    ids, mask = padded(prompts, side)
    cache = model.new_cache(2, ids.shape[1] + 6)
    model(ids, mask, cache)
    steps = torch.cat(
        [model(rest[:, :1], cache=cache), model(rest[:, 1:5], cache=cache), model(rest[:, 5:], cache=cache)], 1
    )
    for index, prompt in enumerate(prompts):
        alone = model(torch.cat([prompt, rest[index]])[None])[0, len(prompt) :]
        torch.testing.assert_close(steps[index], alone, rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_cache_keeps_the_rows_asked_for(model: GPT) -> None:
    ids = tokens(4, 12)
    cache = model.new_cache(4, 12)
    model(ids[:, :8], cache=cache)
    cache.keep(torch.tensor([3, 1]))
    torch.testing.assert_close(model(ids[[3, 1], 8:], cache=cache), model(ids)[[3, 1], 8:], rtol=0, atol=1e-5)


def test_a_full_cache_is_refused() -> None:
    model = random_model(CONFIGS["plain"])
    with pytest.raises(ValueError, match="room for 4 positions, 5 are needed"):
        model(tokens(1, 5), cache=model.new_cache(1, 4))


@torch.no_grad()
def test_only_the_distance_between_positions_counts(model: GPT) -> None:
    ids = tokens(2, 10)
    shifted = torch.arange(10)[None] + 5
    torch.testing.assert_close(model(ids, position_ids=shifted), model(ids), rtol=0, atol=1e-5)


@torch.no_grad()
def test_given_positions_are_used(model: GPT) -> None:
    ids = tokens(1, 10)
    backwards = torch.arange(10).flip(0)[None]
    assert (model(ids, position_ids=backwards) - model(ids)).abs().max() > 1e-2


@torch.no_grad()
def test_no_position_sees_a_later_one(model: GPT) -> None:
    ids = tokens(1, 20)
    other = ids.clone()
    other[0, 12] = (other[0, 12] + 1) % 61
    before, after = model(ids)[0], model(other)[0]
    assert torch.equal(before[:12], after[:12])
    assert not torch.equal(before[12:], after[12:])


@torch.no_grad()
def test_the_head_reads_the_hidden_states(model: GPT) -> None:
    ids = tokens(2, 9)
    assert torch.equal(model.lm_head(model.hidden(ids)), model(ids))


def test_gradient_equals_finite_differences() -> None:
    """Along a random direction of all weights, in float64: (L(w + h·d) - L(w - h·d)) / 2h = grad · d."""
    model = random_model(CONFIGS["grouped"]).double()
    ids, mask = padded([tokens(1, n, seed=n)[0] for n in (4, 11)], "left")
    weights = list(model.parameters())
    direction = [torch.randn(w.shape, generator=torch.Generator().manual_seed(5), dtype=w.dtype) for w in weights]

    def loss() -> Tensor:
        logprobs = model(ids, mask)[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None]).squeeze(-1)
        nll: Tensor = -(logprobs * mask[:, :-1]).mean()
        return nll

    def moved(by: float) -> float:
        with torch.no_grad():
            for weight, d in zip(weights, direction, strict=True):
                weight.add_(d, alpha=by)
            value = float(loss())
            for weight, d in zip(weights, direction, strict=True):
                weight.sub_(d, alpha=by)
        return value

    loss().backward()
    slope = sum(float((w.grad * d).sum()) for w, d in zip(weights, direction, strict=True) if w.grad is not None)
    assert all(w.grad is not None for w in weights)
    assert slope == pytest.approx((moved(1e-6) - moved(-1e-6)) / 2e-6, rel=1e-4)


def test_gradients_equal_transformers(model: GPT) -> None:
    other = reference(model)
    ids = tokens(2, 20)
    for one in (model, other):
        logits = one(ids) if isinstance(one, GPT) else one(ids).logits
        torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten()).backward()
    theirs = {name: p.grad for name, p in other.named_parameters()}
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, theirs[name], rtol=1e-3, atol=1e-4)


def test_padding_sends_no_gradient() -> None:
    model = random_model(CONFIGS["plain"])
    ids, mask = padded([tokens(1, 3)[0] % 7, tokens(1, 8)[0] % 7], "left")  # the padding token 7 is nowhere else
    model.model.embed_tokens.weight.requires_grad_(True)
    hidden = model.hidden(ids, mask)[mask.bool()]
    hidden.square().sum().backward()
    grad = model.model.embed_tokens.weight.grad
    assert grad is not None
    assert float(grad[7].abs().max()) == 0.0
    assert float(grad[:7].abs().max()) > 0.0


def test_bf16_autocast_trains_and_samples() -> None:
    model = random_model(CONFIGS["grouped"])
    ids = tokens(2, 16)
    with torch.autocast("cpu", torch.bfloat16):
        loss = torch.nn.functional.cross_entropy(model(ids)[:, :-1].float().flatten(0, 1), ids[:, 1:].flatten())
        sampled = model.generate(ids, max_new_tokens=4, seed=0)
        assert model.new_cache(1, 1).keys[0].dtype == torch.bfloat16
    loss.backward()
    assert sampled.shape == (2, 4)
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in model.parameters())


@torch.no_grad()
def test_bf16_weights_stay_near_fp32() -> None:
    model = GPT(GPTConfig.of_size("nano", 61)).requires_grad_(False)
    ids = tokens(2, 16)
    exact = model(ids)
    rounded = model.bfloat16()(ids)
    assert rounded.dtype == torch.bfloat16
    error = (rounded.float() - exact).norm() / exact.norm()
    assert 1e-4 < float(error) < 0.025, "bf16 keeps 8 bits: an error near 2^-8 a step, added up over the layers"


def test_initialisation_has_the_stated_spread() -> None:
    model = GPT(GPTConfig.of_size("tiny", 1000))
    model.init_weights(torch.Generator().manual_seed(0))
    weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
    assert float(weights["model.layers.0.mlp.up_proj.weight"].std()) == pytest.approx(128**-0.5, rel=0.03)
    assert float(weights["model.layers.3.mlp.down_proj.weight"].std()) == pytest.approx((128 * 8) ** -0.5, rel=0.03)
    assert torch.equal(weights["model.norm.weight"], torch.ones(128))
    again = GPT(model.config)
    again.init_weights(torch.Generator().manual_seed(0))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize(
    ("size", "millions"), [("nano", 0.279), ("micro", 0.524), ("tiny", 1.05), ("small", 14.9), ("base", 86.5)]
)
def test_sizes_are_what_they_are_called(size: str, millions: float) -> None:
    with torch.device("meta"):
        model = GPT(GPTConfig.of_size(size, 1000))
    assert model.num_parameters() / 1e6 == pytest.approx(millions, rel=0.02)
    assert model.num_parameters() == model.config.num_parameters
    assert len(SIZES) == 5


def test_the_configuration_knows_the_number_of_weights(model: GPT) -> None:
    assert model.config.num_parameters == model.num_parameters()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vocab_size": 0}, "vocab_size must be at least 1"),
        ({"num_attention_heads": 3}, "hidden_size .128. must be a multiple of num_attention_heads .3."),
        ({"num_key_value_heads": 3}, "must be a multiple of num_key_value_heads"),
        ({"head_dim": 5}, "the head size must be even"),
        ({"max_position_embeddings": 0}, "max_position_embeddings must be at least 1"),
    ],
)
def test_impossible_shapes_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        GPTConfig(**{"vocab_size": 61, "num_key_value_heads": 1, **settings})


def test_an_unknown_size_is_named() -> None:
    with pytest.raises(UserError, match="no size is called 'huge'; there are nano, micro, tiny, small, base"):
        GPTConfig.of_size("huge", 10)
