"""What the cache costs."""

from collections.abc import Iterator
from random import Random

TARGET = "learn_llm.demos.kv_cache:cache_bytes"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    yield {"layers": 32, "kv_heads": 8, "head_size": 128, "tokens": 4096, "bytes_per_number": 2}
    for _ in range(5):
        yield {
            "layers": rng.randint(3, 40),
            "kv_heads": rng.randint(3, 16),
            "head_size": rng.choice([16, 64, 128]),
            "tokens": rng.randint(100, 5000),
            "bytes_per_number": rng.choice([1, 2]),
        }
    yield {"layers": 4, "kv_heads": 2, "head_size": 32, "tokens": rng.randint(3, 90)}


def wrong_one_of_two(layers: int, kv_heads: int, head_size: int, tokens: int, bytes_per_number: int = 4) -> int:
    return layers * kv_heads * head_size * tokens * bytes_per_number


def wrong_one_layer(layers: int, kv_heads: int, head_size: int, tokens: int, bytes_per_number: int = 4) -> int:
    return 2 * kv_heads * head_size * tokens * bytes_per_number


def wrong_bits(layers: int, kv_heads: int, head_size: int, tokens: int, bytes_per_number: int = 4) -> int:
    return 2 * layers * kv_heads * head_size * tokens * bytes_per_number * 8


def wrong_numbers(layers: int, kv_heads: int, head_size: int, tokens: int, bytes_per_number: int = 4) -> int:
    return 2 * layers * kv_heads * head_size * tokens


def wrong_weights(layers: int, kv_heads: int, head_size: int, tokens: int, bytes_per_number: int = 4) -> int:
    return layers * kv_heads * tokens * tokens * bytes_per_number


def wrong_squared(layers: int, kv_heads: int, head_size: int, tokens: int, bytes_per_number: int = 4) -> int:
    return 2 * layers * kv_heads * head_size * tokens * tokens * bytes_per_number


def wrong_always_four(layers: int, kv_heads: int, head_size: int, tokens: int, bytes_per_number: int = 4) -> int:
    return 2 * layers * kv_heads * head_size * tokens * 4


def wrong_one_head(layers: int, kv_heads: int, head_size: int, tokens: int, bytes_per_number: int = 4) -> int:
    return 2 * layers * head_size * tokens * bytes_per_number
