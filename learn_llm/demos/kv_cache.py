"""The KV cache: keep what every position offers, and a new token costs one position instead of all of them.

A decoder's past never changes: position t looks only backwards, so its keys and values are the same whether the text
ends there or goes on.  Computing them again for every new token is work done twice:

    without a cache     token t runs t positions through the model         n tokens cost about n²/2 positions
    with a cache        token t runs 1 position and reads t keys           n tokens cost n positions
                        and values from memory

The price is memory, per token and sequence:  2 (K and V) · layers · key-value heads · head size · bytes per number.
Grouped-query attention lets several query heads share one key-value head, and shrinks exactly this (arXiv
2305.13245).

Claim: the logits are the same (fp32: no two differ by more than 1e-5 of the largest one, which is rounding), and the
time per token at length 512 is at most twice that at length 32 with the cache, at least four times without.  Not
exactly 1, since the keys and values read still grow with the length.  `--break` switches the cache off in the cached
arm.

How it is timed: on one thread, in CPU time where the clock is fine enough, so that a busy machine changes little;
lengths and arms take turns, and the fastest round counts, since other programs only ever add time.  The model is
`learn_llm.gpt` with random weights: speed does not depend on what it has learnt.  What it computes must not either.

    python -m learn_llm.demos.kv_cache [--kv-heads 1] [--break]
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.gpt import GPT, GPTConfig, KVCache
from learn_llm.running import RunConfig, main

LENGTHS = (32, 64, 128, 256, 512)
VOCABULARY, HEADS = 256, 8
TOLERANCE = 1e-5
FLAT, STEEP = 2.0, 4.0
"""Ratio of time per token, longest to shortest text: at most, with the cache; at least, without."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    width: int = 256
    """Hidden size of the model."""
    layers: int = 2
    """Layers of the model."""
    kv_heads: int = 8
    """Key-value heads, shared by the 8 query heads."""
    rounds: int = 9
    """Times that every measurement is taken; the fastest counts."""

    def __post_init__(self) -> None:
        catalogue.check("kv-cache", self)


def next_logits(model: GPT, text: Tensor) -> Tensor:
    """Logits (B, V) of the token after `text` (B, T), without a cache: all T positions run."""
    logits: Tensor = model(text)[:, -1]
    return logits


def next_logits_cached(model: GPT, token: Tensor, cache: KVCache) -> Tensor:
    """The same from the newest token (B, 1) alone; the cache offers the positions before it, and takes this one in."""
    logits: Tensor = model(token, cache=cache)[:, -1]
    return logits


def largest_difference(model: GPT, text: Tensor) -> tuple[float, float]:
    """Largest |cached - uncached| over the logits of `text` (B, T), fed in token by token; and the largest |logit|."""
    cache = model.new_cache(*text.shape)
    cached = [next_logits_cached(model, text[:, t : t + 1], cache) for t in range(text.shape[1])]
    logits = model(text)
    return (torch.stack(cached, dim=1) - logits).abs().max().item(), logits.abs().max().item()


def cache_bytes(layers: int, kv_heads: int, head_size: int, tokens: int, bytes_per_number: int = 4) -> int:
    """Memory of the keys and values of one sequence.

    Llama 2 7B (32 layers, 32 heads of 128) at 4,096 tokens in fp16 needs 2 GiB:

    >>> cache_bytes(32, 32, 128, 4096, bytes_per_number=2) / 2**30
    2.0
    """
    return 2 * layers * kv_heads * head_size * tokens * bytes_per_number


def clock() -> float:
    """Seconds of CPU time of this process, or of real time where the CPU clock ticks too coarsely (Windows)."""
    fine = time.get_clock_info("process_time").resolution < 1e-5
    return time.process_time() if fine else time.perf_counter()


@torch.inference_mode()
def run(config: Config) -> Iterator[Event]:
    """Compare the logits, then time one more token at each length, with the cache and without."""
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    model = GPT(
        GPTConfig(
            VOCABULARY,
            hidden_size=config.width,
            intermediate_size=4 * config.width,
            num_hidden_layers=config.layers,
            num_attention_heads=HEADS,
            num_key_value_heads=config.kv_heads,
            max_position_embeddings=LENGTHS[-1] + 1,
            tie_word_embeddings=False,
        )
    )
    text = torch.randint(VOCABULARY, (1, LENGTHS[-1] + 1))
    difference, largest = largest_difference(model, text)
    parameters = model.num_parameters() / 1e6
    yield Note(
        f"{parameters:.1f}M parameters; logits up to {largest:.1f}, cached and uncached differ by {difference:.1e}"
    )

    cache = model.new_cache(1, LENGTHS[-1] + 1)
    model(text, cache=cache)  # filled once; rewound before each measurement
    times: dict[str, dict[int, list[float]]] = {
        arm: {length: [] for length in LENGTHS} for arm in ("cache", "no cache")
    }
    for step in range(1, config.rounds + 1):
        for length in LENGTHS:
            started = clock()
            next_logits(model, text[:, : length + 1])
            times["no cache"][length].append(1000 * (clock() - started))
            started = clock()
            if config.break_:
                next_logits(model, text[:, : length + 1])
            else:
                cache.length = length
                next_logits_cached(model, text[:, length : length + 1], cache)
            times["cache"][length].append(1000 * (clock() - started))
        longest = {arm: min(by_length[LENGTHS[-1]]) for arm, by_length in times.items()}
        values = {"ms_per_token": longest["cache"], "ms_per_token_uncached": longest["no cache"]}
        yield Metrics(step, config.rounds, values)

    ms = {arm: {length: min(values) for length, values in by_length.items()} for arm, by_length in times.items()}
    yield Chart(
        "line",
        "Time for one more token",
        "length of the text",
        "ms",
        tuple(Series(arm, LENGTHS, tuple(by_length.values())) for arm, by_length in ms.items()),
    )
    head_size = config.width // HEADS
    yield Table(
        "One more token",
        ("length", "ms with cache", "ms without", "cache memory (KiB)"),
        tuple(
            (
                n,
                round(ms["cache"][n], 2),
                round(ms["no cache"][n], 2),
                cache_bytes(config.layers, config.kv_heads, head_size, n) // 1024,
            )
            for n in LENGTHS
        ),
    )
    if config.break_:
        yield Note("--break: the cached arm runs without its cache.")

    ratio = {arm: by_length[LENGTHS[-1]] / by_length[LENGTHS[0]] for arm, by_length in ms.items()}
    yield Verdict(
        "The logits are the same with the cache and without (differences below 1e-5 of the largest logit), "
        "and from length 32 to 512 the time per token grows at most 2 times with the cache, at least 4 times without",
        holds=difference < TOLERANCE * largest and ratio["cache"] <= FLAT and ratio["no cache"] >= STEEP,
        measured={
            "largest_difference": difference,
            "relative_difference": difference / largest,
            "ratio_cached": ratio["cache"],
            "ratio_uncached": ratio["no cache"],
            "ms_cached_512": ms["cache"][LENGTHS[-1]],
            "ms_uncached_512": ms["no cache"][LENGTHS[-1]],
        },
    )


if __name__ == "__main__":
    main(run, Config)
