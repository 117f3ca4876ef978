"""A Llama decoder from scratch: the one model that every method of this package trains, samples from and takes apart.

A token goes in as a vector of D numbers, the residual stream.  Each of the L layers reads the stream, normalised, and
adds to it twice: once what attention fetched from earlier positions, once what the feed-forward network made of it.

    h = E[token]
    h = h + Attention(RMSNorm(h))        for each layer
    h = h + SwiGLU(RMSNorm(h))           for each layer
    logits = W · RMSNorm(h)              W is E itself where the embeddings are tied

Module and parameter names are those of a Hugging Face Llama checkpoint: weights go in and out without a table of names.

Implementation details
  1. RMSNorm has no mean and no bias, and is computed in fp32 whatever the model's dtype
     (Zhang and Sennrich 2019, arXiv 1910.07467).
  2. Rotary positions turn element i with element i + hd/2 (the Hugging Face layout).  Meta's own files turn neighbours
     2i and 2i + 1: the same model with the rows of q_proj and k_proj in another order (Su et al. 2021, arXiv 2104.09864).
  3. Positions count real tokens: with a mask the first real token has position 0 wherever the padding stands, so that
     left-padded, right-padded and unpadded batches agree.
  4. Grouped-query attention: several query heads share one key and value head (Ainslie et al. 2023, arXiv 2305.13245).
  5. SwiGLU: down(silu(gate(x)) * up(x)) (Shazeer 2020, arXiv 2002.05202).
  6. Weights start at N(0, 0.02), those that write into the residual stream at N(0, 0.02 / sqrt(2 L)), so that the
     stream does not grow with depth (Radford et al. 2019, GPT-2, section 2.3).
  7. The cache keeps keys after rotation and is written in place: a decoding step copies one position, not the past.
Left out: dropout and biases (Llama 1 to 3 have none), long-context rotary variants other than Llama 3's.

Shapes: B rows, T new positions, S positions past and new, D hidden size, H query heads, K key/value heads, hd head size,
V vocabulary.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learn_llm.errors import UserError


@dataclass(frozen=True)
class RopeScaling:
    """How Llama 3.1 and later stretch the rotary wavelengths to reach a longer context."""

    factor: float
    """How much slower the slow rotations turn."""
    low_freq_factor: float
    """Wavelengths longer than the original context divided by this are slowed by the whole factor."""
    high_freq_factor: float
    """Wavelengths shorter than the original context divided by this are left alone; between the two it blends."""
    original_max_position_embeddings: int
    """The context that the model was first trained with."""


@dataclass(frozen=True)
class GPTConfig:
    """The shape of a model; the field names are those of a Hugging Face Llama `config.json`."""

    vocab_size: int
    hidden_size: int = 128
    intermediate_size: int = 344
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    num_key_value_heads: int = 4
    head_dim: int | None = None
    """None: hidden_size / num_attention_heads."""
    max_position_embeddings: int = 512
    """The context: the longest sequence that the model takes."""
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0
    rope_scaling: RopeScaling | None = None
    tie_word_embeddings: bool = True
    bos_token_id: int | None = None
    eos_token_id: int | tuple[int, ...] | None = None
    pad_token_id: int | None = None

    def __post_init__(self) -> None:
        for name in ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.num_key_value_heads < 1 or self.num_attention_heads % self.num_key_value_heads:
            raise UserError(
                f"num_attention_heads ({self.num_attention_heads}) must be a multiple of "
                f"num_key_value_heads ({self.num_key_value_heads})"
            )
        if self.head_dim is None and self.hidden_size % self.num_attention_heads:
            raise UserError(
                f"hidden_size ({self.hidden_size}) must be a multiple of num_attention_heads ({self.num_attention_heads})"
            )
        if self.head_size % 2:
            raise UserError(f"the head size must be even for rotary positions, not {self.head_size}")

    @property
    def head_size(self) -> int:
        """hd: the size of one attention head."""
        return self.head_dim if self.head_dim is not None else self.hidden_size // self.num_attention_heads

    @property
    def eos_ids(self) -> tuple[int, ...]:
        """Every token that ends a response; Llama 3 has several."""
        if self.eos_token_id is None:
            return ()
        return (self.eos_token_id,) if isinstance(self.eos_token_id, int) else self.eos_token_id

    @classmethod
    def of_size(cls, name: str, vocab_size: int, **overrides: Any) -> "GPTConfig":
        """A configuration from `SIZES`; `overrides` replace single fields.

        >>> GPTConfig.of_size("tiny", vocab_size=1000).num_hidden_layers
        4
        """
        if name not in SIZES:
            raise UserError(f"no size is called {name!r}; there are {', '.join(SIZES)}")
        return replace(cls(vocab_size, **SIZES[name]), **overrides)


# Parameters with a tied vocabulary of 1,000: 0.2M, 0.4M, 0.9M, 14.6M, 85.7M.
SIZES: dict[str, dict[str, int]] = {
    name: {
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
    }
    for name, hidden, intermediate, layers, heads in [
        ("nano", 64, 176, 3, 2),
        ("micro", 96, 256, 3, 3),
        ("tiny", 128, 344, 4, 4),
        ("small", 384, 1024, 8, 6),
        ("base", 768, 2048, 12, 12),
    ]
}


class KVCache:
    """The keys and values of every position seen so far, with room for `capacity` positions; for sampling, not for training."""

    def __init__(
        self,
        config: GPTConfig,
        batch: int,
        capacity: int,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        shape = (batch, config.num_key_value_heads, capacity, config.head_size)
        self.keys = [
            torch.empty(shape, device=device, dtype=dtype) for _ in range(config.num_hidden_layers)
        ]  # (B, K, capacity, hd)
        self.values = [torch.empty(shape, device=device, dtype=dtype) for _ in range(config.num_hidden_layers)]
        self.real = torch.zeros(batch, capacity, dtype=torch.bool, device=device)  # (B, capacity): False on padding
        self.capacity = capacity
        self.length = 0
        self.padded = False

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write the new keys and values (B, K, T, hd) behind the past ones; returns all of them, (B, K, S, hd)."""
        end = self.length + k.shape[2]
        keys, values = self.keys[layer], self.values[layer]
        keys[:, :, self.length : end] = k
        values[:, :, self.length : end] = v
        return keys[:, :, :end], values[:, :, :end]


@dataclass(frozen=True)
class _Context:
    """What all layers of one forward pass share."""

    cos: Tensor  # (B or 1, 1, T, hd/2)
    sin: Tensor
    mask: (
        Tensor | None
    )  # (B or 1, 1, T, S) True where a query may look at a key; None: everything, or the past if causal
    causal: bool
    cache: KVCache | None


def inverse_frequencies(config: GPTConfig, device: torch.device | str = "cpu") -> Tensor:
    """How far each pair of elements turns per position, (hd/2,) in radians: theta^(-2i/hd), stretched as Llama 3 does.

    >>> inverse_frequencies(GPTConfig(vocab_size=8, hidden_size=4, num_attention_heads=1, num_key_value_heads=1))
    tensor([1.0000, 0.0100])
    """
    size = config.head_size
    frequencies = 1.0 / config.rope_theta ** (torch.arange(0, size, 2, device=device, dtype=torch.float32) / size)
    scaling = config.rope_scaling
    if scaling is None:
        return frequencies
    turns = (
        scaling.original_max_position_embeddings * frequencies / (2 * math.pi)
    )  # whole turns within the original context
    keep = (turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor)
    keep = keep.clamp(0.0, 1.0)  # 1: many turns, left alone; 0: few turns, slowed by the whole factor
    return keep * frequencies + (1 - keep) * frequencies / scaling.factor


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (x[i], x[i + hd/2]) by the angle of their position.

    Args:
        x: (B, H, T, hd), queries or keys.
        cos, sin: (B or 1, 1, T, hd/2).

    A quarter turn takes (1, 0) to (0, 1):

    >>> rotate(torch.tensor([[[[1.0, 0.0]]]]), cos=torch.zeros(1, 1, 1, 1), sin=torch.ones(1, 1, 1, 1))
    tensor([[[[0., 1.]]]])
    """
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight, over the last axis (detail 1)."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        x32 = x.float()
        x32 = x32 * torch.rsqrt(x32.square().mean(-1, keepdim=True) + self.eps)
        return self.weight * x32.to(x.dtype)


class Attention(nn.Module):
    """Each position asks (q), every earlier one offers (k) what it has (v): softmax(q · kᵀ / sqrt(hd)) · v."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.head_size = config.head_size
        self.grouped = config.num_key_value_heads != config.num_attention_heads
        queries, keys = config.num_attention_heads * config.head_size, config.num_key_value_heads * config.head_size
        self.q_proj = nn.Linear(config.hidden_size, queries, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, keys, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, keys, bias=False)
        self.o_proj = nn.Linear(queries, config.hidden_size, bias=False)

    def forward(self, x: Tensor, context: _Context) -> Tensor:
        shape = (*x.shape[:2], -1, self.head_size)
        q = self.q_proj(x).view(shape).transpose(1, 2)  # (B, H, T, hd)
        k = self.k_proj(x).view(shape).transpose(1, 2)  # (B, K, T, hd)
        v = self.v_proj(x).view(shape).transpose(1, 2)
        q, k = rotate(q, context.cos, context.sin), rotate(k, context.cos, context.sin)
        if context.cache is not None:
            k, v = context.cache.extend(self.layer, k, v)  # (B, K, S, hd)
        mixed = F.scaled_dot_product_attention(
            q, k, v, attn_mask=context.mask, is_causal=context.causal, enable_gqa=self.grouped
        )  # (B, H, T, hd)
        out: Tensor = self.o_proj(mixed.transpose(1, 2).flatten(2))  # (B, T, D)
        return out


class MLP(nn.Module):
    """SwiGLU: one projection gates the other, then back to the residual stream."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    """One decoder layer: attention, then the feed-forward network, each adding to the residual stream."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.self_attn = Attention(config, layer)
        self.mlp = MLP(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, h: Tensor, context: _Context) -> Tensor:
        h = h + self.self_attn(self.input_layernorm(h), context)
        out: Tensor = h + self.mlp(self.post_attention_layernorm(h))
        return out


class Decoder(nn.Module):
    """Embeddings, layers and the final norm: everything but the head."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config, index) for index in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)


class GPT(nn.Module):
    """The language model.

    >>> model = GPT(GPTConfig(vocab_size=10, hidden_size=8, intermediate_size=16, num_hidden_layers=1,
    ...                       num_attention_heads=2, num_key_value_heads=1))
    >>> model(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 10])
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.model = Decoder(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.tie()
        self.init_weights()

    def tie(self) -> None:
        """Make the head the embedding matrix itself, where the configuration says so."""
        if self.config.tie_word_embeddings:
            self.lm_head.weight = self.model.embed_tokens.weight

    @torch.no_grad()
    def init_weights(self, generator: torch.Generator | None = None) -> None:
        """Draw all weights anew (detail 6)."""
        for name, parameter in self.named_parameters():
            if parameter.dim() == 1:
                parameter.fill_(1.0)  # a norm
            else:
                residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                std = 0.02 / math.sqrt(2 * self.config.num_hidden_layers) if residual else 0.02
                parameter.normal_(0.0, std, generator=generator)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.model.embed_tokens.weight.device

    def num_parameters(self) -> int:
        """All weights, a tied embedding counted once."""
        return sum(parameter.numel() for parameter in self.parameters())

    def new_cache(self, batch: int, capacity: int) -> KVCache:
        """An empty cache that fits this model."""
        return KVCache(self.config, batch, capacity, self.device, self.model.embed_tokens.weight.dtype)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        cache: KVCache | None = None,
        position_ids: Tensor | None = None,
    ) -> Tensor:
        """Logits (B, T, V): position t scores the token that comes after it.  Arguments as in `hidden`."""
        logits: Tensor = self.lm_head(self.hidden(input_ids, attention_mask, cache, position_ids))
        return logits

    def hidden(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        cache: KVCache | None = None,
        position_ids: Tensor | None = None,
    ) -> Tensor:
        """The residual stream after the final norm, (B, T, D): what a reward or value head reads.

        Args:
            input_ids: (B, T), the new tokens.
            attention_mask: (B, T), 1 on real tokens, 0 on padding, for the new tokens only (a cache remembers its own);
                None: all are real.  What stands at padding positions of the output means nothing.
            cache: filled with the new positions and read for the past ones.
            position_ids: (B, T), overrides the positions counted from the mask (detail 3).
        """
        context = self._context(input_ids, attention_mask, cache, position_ids)
        h = self.model.embed_tokens(input_ids)  # (B, T, D)
        for layer in self.model.layers:
            h = layer(h, context)
        if cache is not None:
            cache.length += input_ids.shape[1]
        out: Tensor = self.model.norm(h)
        return out

    def _context(
        self, input_ids: Tensor, attention_mask: Tensor | None, cache: KVCache | None, position_ids: Tensor | None
    ) -> _Context:
        """Positions and who may look at whom, once for all layers."""
        new = input_ids.shape[1]
        past = cache.length if cache is not None else 0
        total = past + new
        if cache is not None and total > cache.capacity:
            raise ValueError(f"the cache holds {cache.capacity} positions, {total} are needed")
        real = attention_mask.bool() if attention_mask is not None else None  # (B, T)
        if cache is not None:
            cache.padded = cache.padded or (real is not None and not bool(real.all()))
            cache.real[:, past:total] = real if real is not None else True
            real = cache.real[:, :total] if cache.padded else None  # (B, S)

        if position_ids is not None:
            positions = position_ids
        elif real is not None:
            positions = (real.cumsum(1) - 1).clamp(min=0)[:, past:]  # (B, T)
        else:
            positions = torch.arange(past, total, device=input_ids.device)[None]  # (1, T)
        angles = positions[:, None, :, None].float() * inverse_frequencies(self.config, input_ids.device)

        mask = None
        if real is not None or (past > 0 and new > 1):
            keys = torch.arange(total, device=input_ids.device)
            queries = keys[past:, None]
            mask = (keys <= queries)[None]  # (1, T, S)
            if real is not None:
                mask = (mask & real[:, None, :]) | (
                    keys == queries
                )  # padding looks at itself: a softmax over nothing is NaN
            mask = mask[:, None]
        return _Context(angles.cos(), angles.sin(), mask, causal=mask is None and new > 1, cache=cache)

    @torch.no_grad()
    def generate(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        *,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        eos_token_id: int | Sequence[int] | None = None,
        seed: int | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Sample a response to each prompt; returns (B, T_new), padded after EOS, T_new at most `max_new_tokens`.

        Args:
            input_ids: (B, T) prompts; those of different lengths are padded on the LEFT (`left_pad`).
            attention_mask: (B, T), 0 on the padding.
            temperature: 0 takes the likeliest token.
            top_k, top_p: see `sampling_probs`; 0 and 1 switch them off.
            eos_token_id: what ends a response; None: the configuration's, (): nothing.
            seed, generator: one of them makes the samples reproducible; without either torch's global state is used.
        Raises:
            UserError: a prompt leaves no room in the context.  Responses stop where the context ends.
        """
        steps = self.decode(
            input_ids,
            attention_mask,
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            eos_token_id=eos_token_id,
            seed=seed,
            generator=generator,
        )
        return torch.stack(list(steps), dim=1)

    @torch.no_grad()
    def decode(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        *,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        eos_token_id: int | Sequence[int] | None = None,
        seed: int | None = None,
        generator: torch.Generator | None = None,
    ) -> Iterator[Tensor]:
        """As `generate`, but gives the tokens (B,) one step at a time, as a chat shows them."""
        ends = self.config.eos_ids if eos_token_id is None else eos_token_id
        ends = (ends,) if isinstance(ends, int) else tuple(ends)
        pad = self.config.pad_token_id if self.config.pad_token_id is not None else (ends[0] if ends else 0)
        stops = torch.tensor(ends, dtype=torch.long, device=input_ids.device)
        if seed is not None:
            generator = torch.Generator(input_ids.device).manual_seed(seed)
        steps = min(max_new_tokens, self._room(input_ids, attention_mask))

        rows, width = input_ids.shape
        cache = self.new_cache(rows, width + steps)
        done = torch.zeros(rows, dtype=torch.bool, device=input_ids.device)
        hidden = self.hidden(input_ids, attention_mask, cache)
        for step in range(steps):
            tokens = sample(self.lm_head(hidden[:, -1]), temperature, top_k, top_p, generator)  # (B,)
            tokens = tokens.masked_fill(done, pad)
            yield tokens
            done = done | torch.isin(tokens, stops)
            if step + 1 == steps or bool(done.all()):
                return
            hidden = self.hidden(tokens[:, None], None, cache)

    def _room(self, input_ids: Tensor, attention_mask: Tensor | None) -> int:
        """How many tokens may follow the longest prompt."""
        if attention_mask is not None and not bool(attention_mask[:, -1].all()):
            raise ValueError("prompts to sample from are padded on the left: the last column must be real tokens")
        longest = input_ids.shape[1] if attention_mask is None else int(attention_mask.sum(1).max())
        room = self.config.max_position_embeddings - longest
        if room < 1:
            raise UserError(
                f"the prompt has {longest} tokens and leaves no room in the model's context of "
                f"{self.config.max_position_embeddings}: shorten it"
            )
        return room


def sampling_probs(logits: Tensor, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0) -> Tensor:
    """The distribution to sample from, (B, V), as logits (B, V) are sharpened and cut.

    Args:
        temperature: divides the logits; must be above 0.
        top_k: keep the k likeliest tokens; 0 keeps all.
        top_p: keep the smallest set of likeliest tokens whose probabilities sum to at least p
            (nucleus sampling, Holtzman et al. 2019, arXiv 1904.09751); 1 keeps all.

    >>> logits = torch.tensor([[0.5, 0.3, 0.2]]).log()
    >>> sampling_probs(logits, top_k=2)
    tensor([[0.6250, 0.3750, 0.0000]])
    >>> sampling_probs(logits, top_p=0.4)
    tensor([[1., 0., 0.]])
    """
    probs = (logits.float() / temperature).softmax(-1)
    if top_k <= 0 and top_p >= 1.0:
        return probs
    sorted_probs, order = probs.sort(dim=-1, descending=True, stable=True)
    drop = torch.zeros_like(sorted_probs, dtype=torch.bool)
    if top_k > 0:
        drop[:, top_k:] = True
        sorted_probs = sorted_probs.masked_fill(drop, 0.0)
        sorted_probs = sorted_probs / sorted_probs.sum(-1, keepdim=True)
    if top_p < 1.0:
        before = sorted_probs.cumsum(-1) - sorted_probs  # the probability of everything likelier
        drop |= before >= max(top_p, 1e-9)
    kept = sorted_probs.masked_fill(drop, 0.0)
    kept = kept / kept.sum(-1, keepdim=True)
    return torch.zeros_like(probs).scatter(-1, order, kept)


def sample(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """One token per row, (B,), from logits (B, V); temperature 0 takes the likeliest."""
    if temperature == 0:
        return logits.argmax(-1)
    probs = sampling_probs(logits, temperature, top_k, top_p)
    return torch.multinomial(probs, 1, generator=generator).squeeze(-1)


def left_pad(
    prompts: Sequence[Sequence[int]], pad: int = 0, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Prompts of different lengths as one batch, padded on the left: (input_ids (B, T), attention_mask (B, T)).

    >>> left_pad([[5, 6], [7]])
    (tensor([[5, 6], [0, 7]]), tensor([[1, 1], [0, 1]]))
    """
    width = max(len(prompt) for prompt in prompts)
    ids = torch.full((len(prompts), width), pad, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt, dtype=torch.long)
        mask[row, width - len(prompt) :] = 1
    return ids.to(device), mask.to(device)
