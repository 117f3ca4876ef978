"""Which examples make a batch: epoch after epoch."""

from collections.abc import Iterator
from random import Random

from learn_llm.examples import _epoch

TARGET = "learn_llm.examples:batch_indices"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, size, step in ((6, 2, 1), (10, 5, 2), (7, 3, 3), (8, 4, 3), (5, 5, 4), (9, 4, 12), (3, 7, 2)):
        yield {"seed": rng.randrange(1000), "rows": rows, "size": size, "step": step}


def wrong_from_zero(seed: int, rows: int, size: int, step: int) -> list[int]:
    first = step * size
    return [_epoch(seed, i // rows, rows)[i % rows] for i in range(first, first + size)]


def wrong_one_order(seed: int, rows: int, size: int, step: int) -> list[int]:
    first = (step - 1) * size
    return [_epoch(seed, 0, rows)[i % rows] for i in range(first, first + size)]


def wrong_epoch_of_first(seed: int, rows: int, size: int, step: int) -> list[int]:
    first = (step - 1) * size
    order = _epoch(seed, first // rows, rows)
    return [order[i % rows] for i in range(first, first + size)]


def wrong_not_shuffled(seed: int, rows: int, size: int, step: int) -> list[int]:
    first = (step - 1) * size
    return [i % rows for i in range(first, first + size)]


def wrong_shuffled_each_step(seed: int, rows: int, size: int, step: int) -> list[int]:
    return [_epoch(seed, step, rows)[i % rows] for i in range(size)]


def wrong_step_only(seed: int, rows: int, size: int, step: int) -> list[int]:
    first = step - 1
    return [_epoch(seed, i // rows, rows)[i % rows] for i in range(first, first + size)]


def wrong_rest_dropped(seed: int, rows: int, size: int, step: int) -> list[int]:
    whole = max(rows // size, 1)
    order = _epoch(seed, (step - 1) // whole, rows)
    first = (step - 1) % whole * size
    return list(order[first : first + size])
