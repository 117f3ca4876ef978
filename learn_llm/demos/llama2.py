"""Llama 2: what its configurations say about parameters and memory, and a block with the same parts that trains.

    h = x + Attention(RMSNorm(x))        queries and keys turned by RoPE; heads in groups share keys and values (GQA)
    y = h + W2·(silu(W1·n) * W3·n)       n = RMSNorm(h), SwiGLU: three matrices, no biases

The model code is `learn_llm.gpt`, the same that all methods of this package train.  On torch's meta device, where
tensors have shapes and no numbers, 70B is built in a second and weighs nothing: its parameters are counted, not
estimated.  A KV cache holds 2 (K and V) · layers · key-value heads · head size · tokens numbers.

Claim: the configurations of 7B, 13B and 70B give exactly 6,738,415,616, 13,015,864,320 and 68,976,648,192 parameters
(those of the released checkpoints; Touvron et al. 2023, arXiv 2307.09288); GQA cuts the cache of 70B by n_heads/n_kv =
8; and a single small block, trained on periodic lists of random words, learns to look back by one period: its loss on
what can be known falls below a tenth of that of guessing.

`--break` undoes Llama 2's choices: an MLP of 4 times the width, as in GPT-2, though it has a third matrix; a key-value
head for every query head; and no positions, so that the block cannot tell one earlier word from another.

    python -m learn_llm.demos.llama2 [--memory 24] [--break]
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Stage, Table, Verdict
from learn_llm.gpt import GPT, GPTConfig
from learn_llm.running import RunConfig, main

CONTEXT, VOCABULARY = 4096, 32_000
LENGTHS = (256, 512, 1024, 1536, 2048, 3072, CONTEXT)
PERIOD, WORDS, HEADS, BATCH = 8, 32, 4, 32
PARTS = {"embed_tokens": "embeddings", "lm_head": "head", "self_attn": "attention", "mlp": "MLP"}


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    memory: float = 80.0
    """Memory of the machine that serves, in GB."""
    steps: int = 200
    """Training steps of the small block."""
    kv_heads: int = 2
    """Key-value heads of the small block, shared by its 4 query heads."""

    def __post_init__(self) -> None:
        catalogue.check("llama2", self)


@dataclass(frozen=True)
class Size:
    """One of Llama 2's models, as its params.json says it."""

    dim: int
    layers: int
    heads: int
    kv_heads: int
    published: int
    """Parameters of the released checkpoint."""
    multiple_of: int = 256
    ffn_dim_multiplier: float = 1.0


MODELS = {
    "7B": Size(4096, 32, 32, 32, published=6_738_415_616),
    "13B": Size(5120, 40, 40, 40, published=13_015_864_320),
    "70B": Size(8192, 80, 64, 8, published=68_976_648_192, multiple_of=4096, ffn_dim_multiplier=1.3),
}


def mlp_width(dim: int, multiple_of: int, ffn_dim_multiplier: float = 1.0) -> int:
    """8/3 of the model's width, times the multiplier, rounded up: three matrices cost what GPT-2's two of 4·dim do.

    >>> mlp_width(4096, 256), mlp_width(5120, 256), mlp_width(8192, 4096, ffn_dim_multiplier=1.3)
    (11008, 13824, 28672)
    """
    width = int(ffn_dim_multiplier * int(2 * 4 * dim / 3))
    return multiple_of * math.ceil(width / multiple_of)


def configuration(size: Size, as_gpt2: bool = False) -> GPTConfig:
    """The model's shape; `as_gpt2`: with an MLP of 4 times the width and no shared heads."""
    return GPTConfig(
        vocab_size=VOCABULARY,
        hidden_size=size.dim,
        intermediate_size=4 * size.dim if as_gpt2 else mlp_width(size.dim, size.multiple_of, size.ffn_dim_multiplier),
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads if as_gpt2 else size.kv_heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=False,
    )


def count(config: GPTConfig) -> Counter[str]:
    """The parameters of each part of a model of this shape, counted on the model itself without allocating it.

    >>> sorted(count(GPTConfig(vocab_size=10, hidden_size=8, intermediate_size=16, num_hidden_layers=1,
    ...     num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=False)).items())
    [('MLP', 384), ('attention', 192), ('embeddings', 80), ('head', 80), ('norms', 24)]
    """
    with torch.device("meta"):
        model = GPT(config)
    counts = Counter[str]()
    for name, parameter in model.named_parameters():
        part = next((part for key, part in PARTS.items() if key in name), "norms")
        counts[part] += parameter.numel()
    return counts


def lists(rows: int, generator: torch.Generator) -> Tensor:
    """Lists of 8 random words, each said three times over: (rows, 24).  What comes first cannot be known."""
    return torch.randint(WORDS, (rows, PERIOD), generator=generator).repeat(1, 3)


def losses(model: GPT, tokens: Tensor, positions: Tensor | None) -> tuple[Tensor, Tensor]:
    """Cross-entropy in nats of the words that can be known (from the second reading on), and the share right."""
    logits = model(tokens, position_ids=positions)[:, PERIOD - 1 : -1]
    right = (logits.argmax(-1) == tokens[:, PERIOD:]).float().mean()
    return F.cross_entropy(logits.flatten(0, 1), tokens[:, PERIOD:].flatten()), right


def small_block(config: Config) -> GPTConfig:
    """One layer with the parts of Llama 2."""
    return GPTConfig(
        vocab_size=WORDS,
        hidden_size=64,
        intermediate_size=256 if config.break_ else mlp_width(64, 16),
        num_hidden_layers=1,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS if config.break_ else config.kv_heads,
        max_position_embeddings=3 * PERIOD,
        tie_word_embeddings=False,
    )


def run(config: Config) -> Iterator[Event]:
    """Count the three models, say what serving takes, then train a block with the same parts."""
    yield Stage("parameters and memory", 1, 2)
    shapes = {name: configuration(size, as_gpt2=config.break_) for name, size in MODELS.items()}
    counts = {name: count(shape) for name, shape in shapes.items()}
    yield parameter_table(counts)
    yield from serving(config, shapes, counts)

    yield Stage("a block with the same parts", 2, 2)
    torch.manual_seed(config.seed)
    shape = small_block(config)
    model = GPT(shape)
    drawn = torch.Generator().manual_seed(config.seed)
    test = lists(128, drawn)
    positions = torch.zeros(1, test.shape[1], dtype=torch.long) if config.break_ else None  # zeros: all the same place
    yield Note(
        f"one layer, {model.num_parameters():,} parameters: width {shape.hidden_size}, {HEADS} query heads on "
        f"{shape.num_key_value_heads} key-value heads, MLP {shape.intermediate_size}"
    )
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=3e-3, betas=(0.9, 0.95), eps=1e-5, weight_decay=0.1, fused=True
    )
    for step in range(1, config.steps + 1):
        loss, _ = losses(model, lists(BATCH, drawn), positions)
        optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if step % 20 == 0 or step == config.steps:
            with torch.no_grad():
                held_out, right = losses(model, test, positions)
            values = {"loss": loss.item(), "validation_loss": held_out.item(), "token_accuracy": right.item()}
            yield Metrics(step, config.steps, {**values, "grad_norm": float(norm)})

    exact = all(counts[name].total() == size.published for name, size in MODELS.items())
    own_heads = replace(shapes["70B"], num_key_value_heads=MODELS["70B"].heads)
    cut = own_heads.kv_cache_bytes(CONTEXT) / shapes["70B"].kv_cache_bytes(CONTEXT)
    learnt = held_out.item() / math.log(WORDS)
    yield Verdict(
        "7B, 13B and 70B have exactly 6,738,415,616, 13,015,864,320 and 68,976,648,192 parameters; GQA cuts the KV "
        "cache of 70B to an eighth; and a block with the same parts learns: its loss falls below a tenth of guessing's",
        holds=exact and cut == MODELS["70B"].heads / MODELS["70B"].kv_heads and learnt < 0.1,
        measured={
            **{f"parameters_{name.lower()}": float(counts[name].total()) for name in MODELS},
            "cache_cut": cut,
            "cache_gib_70b": shapes["70B"].kv_cache_bytes(CONTEXT) / 2**30,
            "loss": held_out.item(),
            "loss_of_guessing": math.log(WORDS),
            "token_accuracy": right.item(),
        },
    )


def parameter_table(counts: dict[str, Counter[str]]) -> Table:
    """Where the parameters are, in numbers and in shares."""
    parts = ("embeddings", "attention", "MLP", "norms", "head")
    rows: list[tuple[str, ...]] = [(part, *(f"{count[part]:,}" for count in counts.values())) for part in parts]
    rows.append(("all", *(f"{count.total():,}" for count in counts.values())))
    rows.append(("published", *(f"{MODELS[name].published:,}" for name in counts)))
    rows.append(("MLP, share", *(f"{count['MLP'] / count.total():.1%}" for count in counts.values())))
    return Table("Parameters", ("part", *counts), tuple(rows))


def serving(config: Config, shapes: dict[str, GPTConfig], counts: dict[str, Counter[str]]) -> Iterator[Event]:
    """Bytes of weights and cache, and how many sequences fit beside the weights."""
    own_heads = replace(shapes["70B"], num_key_value_heads=MODELS["70B"].heads)
    arms = {**shapes, "70B, own heads": own_heads}
    totals = [*(count.total() for count in counts.values()), count(own_heads).total()]
    rows: list[tuple[str | float | int, ...]] = []
    for (name, shape), parameters in zip(arms.items(), totals, strict=True):
        cache = shape.kv_cache_bytes(CONTEXT)
        fits = [max(0, math.floor((config.memory * 1e9 - parameters * bits / 8) / cache)) for bits in (16, 4)]
        rows.append((name, round(parameters * 2 / 1e9, 1), cache // CONTEXT // 1024, round(cache / 2**30, 2), *fits))
    columns = ("model", "weights (GB)", "cache: KiB/token", "GiB, full", "fit", "fit, 4 bits")
    title = f"Serving in 16 bits: caches of {CONTEXT:,} tokens that fit in {config.memory:g} GB"
    yield Table(title, columns, tuple(rows))
    lines = (Series(n, LENGTHS, tuple(s.kv_cache_bytes(t) / 2**30 for t in LENGTHS)) for n, s in arms.items())
    yield Chart("line", "KV cache of one sequence, 16 bits", "tokens", "GiB", tuple(lines))
    yield Note(
        "own heads: as if each of the 64 query heads of 70B kept keys and values of its own.  4 bits: weights in 4 "
        "bits, the cache in 16 all the same.  Activations and the server itself come on top."
    )


if __name__ == "__main__":
    main(run, Config)
