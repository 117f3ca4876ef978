"""A Llama decoder from scratch: the one model that every method of this package trains, samples from and takes apart.

A token goes in as a vector of D numbers, the residual stream.  Each of the L layers reads the stream, normalised, and
adds to it twice: once what attention fetched from earlier positions, once what the feed-forward network made of it.

    h = E[token]
    h = h + Attention(RMSNorm(h))        for each layer
    h = h + SwiGLU(RMSNorm(h))           for each layer
    logits = W · RMSNorm(h)              W is E itself where the embeddings are tied

Module and parameter names are those of a Hugging Face Llama checkpoint: weights go in and out without a table of names.

Implementation details
  1. RMSNorm has no mean and no bias, and is computed in fp32 at least, whatever the model's dtype
     (Zhang and Sennrich 2019, arXiv 1910.07467).
  2. Rotary positions (Su et al. 2021, arXiv 2104.09864) turn element i with element i + hd/2, the Hugging Face layout.
     Meta's own files turn neighbours 2i and 2i + 1: the same model with the rows of q_proj and k_proj in another order.
  3. Positions count real tokens: with a mask the first real token has position 0 wherever the padding stands, so that
     left-padded, right-padded and unpadded batches agree.
  4. Grouped-query attention: several query heads share one key and value head (Ainslie et al. 2023, arXiv 2305.13245).
  5. SwiGLU: down(silu(gate(x)) * up(x)) (Shazeer 2020, arXiv 2002.05202).
  6. Weights start at N(0, 1/sqrt(D)), those that write into the residual stream divided by sqrt(2 L), so that the
     stream does not grow with depth (Radford et al. 2019, GPT-2, section 2.3).
  7. Embeddings start at N(0, 1) and the head is a matrix of its own.  The first layers write vectors of norm 4 to 8;
     an embedding of norm 1, as a tied head wants it, drowns in them, and later layers no longer see which token this
     is. Looking up a value by its key ("a b c d e f c": d) was then still at chance after 1M tokens; with embeddings
     of norm sqrt(D) it is learnt in 0.3M (one run each).  At D in the thousands the choice matters less.
Left out: dropout and biases (Llama 1 to 3 have none), long-context rotary variants other than Llama 3's.

Shapes: B rows, T new positions, S positions past and new, D hidden size, H query heads, K key/value heads, hd size of
a head, V vocabulary.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learn_llm.errors import UserError
from learn_llm.gpt_config import SIZES, GPTConfig, RopeScaling
from learn_llm.kv_cache import KVCache, attend_behind
from learn_llm.sampling import Sampling, left_pad

__all__ = ["GPT", "SIZES", "GPTConfig", "KVCache", "RopeScaling", "Sampling", "left_pad"]

_AS_IT_IS = Sampling()


@dataclass(frozen=True)
class _Context:
    """What all layers of one forward pass share."""

    cos: Tensor  # (B or 1, 1, T, hd/2)
    sin: Tensor
    mask: Tensor | None  # (T, S) or (B, 1, T, S), True where a query may look at a key; None: as `causal` says
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
    turns = scaling.original_max_position_embeddings * frequencies / (2 * math.pi)  # within the original context
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
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).to(x.dtype)


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight, over the last axis (detail 1)."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        x32 = x.to(torch.promote_types(x.dtype, torch.float32))
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
        prefix = context.cache.prefix if context.cache is not None else None
        if prefix is not None:
            mixed = attend_behind(prefix.keys[self.layer], prefix.values[self.layer], q, k, v, context.mask)
        else:
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
        empty = torch.empty(config.vocab_size, config.hidden_size)  # drawn in GPT.init_weights
        self.embed_tokens: nn.Embedding = nn.Embedding.from_pretrained(empty, freeze=False)
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
        """Draw all weights anew (details 6 and 7); on the meta device, where there are no numbers, nothing."""
        if self.device.type == "meta":
            return
        for name, parameter in self.named_parameters():
            if parameter.dim() == 1:
                parameter.fill_(1.0)  # a norm
            elif parameter is self.model.embed_tokens.weight and not self.config.tie_word_embeddings:
                parameter.normal_(0.0, 1.0, generator=generator)
            else:
                residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                depth = 2 * self.config.num_hidden_layers if residual else 1
                parameter.normal_(0.0, (self.config.hidden_size * depth) ** -0.5, generator=generator)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.model.embed_tokens.weight.device

    def num_parameters(self) -> int:
        """All weights, a tied embedding counted once."""
        return sum(parameter.numel() for parameter in self.parameters())

    def new_cache(self, batch: int, capacity: int, prefix: KVCache | None = None) -> KVCache:
        """An empty cache that fits this model, in the dtype that attention works in; all rows may share a prefix."""
        kind = self.device.type
        autocast = torch.is_autocast_enabled(kind)
        dtype = torch.get_autocast_dtype(kind) if autocast else self.model.embed_tokens.weight.dtype
        return KVCache(self.config, batch, capacity, self.device, dtype, prefix)

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
        """Positions, and who may look at whom, once for all layers."""
        device, new = input_ids.device, input_ids.shape[1]
        past = cache.length if cache is not None else 0
        total = past + new
        real = attention_mask.bool() if attention_mask is not None else None  # (B, T)
        if cache is not None:
            if total > cache.capacity:
                raise ValueError(f"the cache has room for {cache.capacity} positions, {total} are needed")
            if real is not None:
                cache.real[:, past:total] = real
                cache.padded = cache.padded or not bool(real.all())
            real = cache.real[:, :total] if cache.padded else None  # (B, S)

        if position_ids is not None:
            positions = position_ids
        elif real is not None:
            positions = (real.cumsum(1) - 1).clamp(min=0)[:, past:]  # (B, T), detail 3
        else:
            positions = torch.arange(past, total, device=device)[None]  # (1, T)
        angles = positions[:, None, :, None].float() * inverse_frequencies(self.config, device)  # (B or 1, 1, T, hd/2)

        mask = None
        if real is not None or (past > 0 and new > 1):
            keys = torch.arange(total, device=device)  # (S,)
            queries = keys[past:, None]  # (T, 1)
            mask = keys <= queries  # (T, S)
            if real is not None:  # padding looks at itself: a softmax over nothing would be NaN
                mask = (mask & real[:, None, None, :]) | (keys == queries)  # (B, 1, T, S)
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
        """Sample a response to each prompt: (B, T_new), padded after EOS, T_new at most `max_new_tokens`.

        Args:
            input_ids: (B, T) prompts; those of different lengths are padded on the left (`left_pad`).
            attention_mask: (B, T), 0 on the padding.
            temperature, top_k, top_p: see `Sampling`; temperature 0 is greedy.
            eos_token_id: what ends a response; None: what the configuration says; (): nothing.
            seed, generator: one of them makes the samples reproducible; without either torch's global state is used.
        Raises:
            UserError: a prompt leaves no room in the context.  Responses stop where the context ends.
        """
        sampling = Sampling(temperature, top_k, top_p)
        if seed is not None:
            generator = torch.Generator().manual_seed(seed)
        steps = self.decode(input_ids, attention_mask, sampling, max_new_tokens, eos_token_id, generator)
        return torch.stack(list(steps), dim=1)

    @torch.no_grad()
    def decode(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        sampling: Sampling = _AS_IT_IS,
        max_new_tokens: int = 256,
        eos_token_id: int | Sequence[int] | None = None,
        generator: torch.Generator | None = None,
    ) -> Iterator[Tensor]:
        """The tokens (B,) of `generate` one step at a time, as a chat shows them."""
        if max_new_tokens < 1:
            raise UserError(f"max_new_tokens must be at least 1, not {max_new_tokens}")
        ends = self.config.eos_ids if eos_token_id is None else eos_token_id
        ends = (ends,) if isinstance(ends, int) else tuple(ends)
        pad = self.config.pad_token_id if self.config.pad_token_id is not None else (*ends, 0)[0]
        longest = input_ids.shape[1] if attention_mask is None else int(attention_mask.sum(1).max())
        steps = min(max_new_tokens, self._room(longest))
        if attention_mask is not None:
            if not bool(attention_mask[:, -1].all()):
                raise ValueError("prompts to sample from are padded on the left: the last column must be real tokens")
            input_ids, attention_mask = input_ids[:, -longest:], attention_mask[:, -longest:]

        rows, device = len(input_ids), input_ids.device
        source = generator.device if generator is not None else "cpu"  # the same draws on every device
        stops = torch.tensor(ends, dtype=torch.long, device=device)
        done = torch.zeros(rows, dtype=torch.bool, device=device)
        active = torch.arange(rows, device=device)  # the rows still in the batch
        cache = self.new_cache(rows, longest + steps)
        hidden = self.hidden(input_ids, attention_mask, cache)
        for step in range(steps):
            uniform = torch.rand(rows, generator=generator, device=source).to(device)  # a row's own, whatever others do
            tokens = torch.full((rows,), pad, device=device)
            tokens[active] = sampling.pick(self.lm_head(hidden[:, -1]), uniform[active])
            tokens = tokens.masked_fill(done, pad)
            yield tokens
            done = done | torch.isin(tokens, stops)
            going = ~done[active]
            if step + 1 == steps or not bool(going.any()):
                return
            if int(going.sum()) <= 0.75 * len(active):  # drop finished rows, but not at every step: it copies the cache
                cache.keep(going.nonzero()[:, 0])
                active = active[going]
            hidden = self.hidden(tokens[active, None], None, cache)

    def _room(self, longest: int) -> int:
        """How many tokens may follow a prompt of `longest` tokens."""
        context = self.config.max_position_embeddings
        if longest >= context:
            raise UserError(f"the prompt has {longest} tokens and the model's context {context}: shorten the prompt")
        return context - longest
