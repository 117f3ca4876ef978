"""One step of byte-pair encoding: a pair of neighbours becomes one token."""

from collections.abc import Iterator, Sequence
from random import Random

TARGET = "learn_llm.demos.tokenisation:merge"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    yield {"tokens": [1, 2, 1, 2, 2, 1, 2, 1], "pair": (1, 2), "new": 256}
    yield {"tokens": [7, 7, 7, 7, 7, 3], "pair": (7, 7), "new": 300}
    yield {"tokens": [], "pair": (1, 2), "new": 256}
    yield {"tokens": [1], "pair": (1, 1), "new": 256}
    for length, kinds in ((2, 1), (7, 2), (12, 2), (12, 3), (30, 3)):
        tokens = [rng.randrange(kinds) for _ in range(length)]
        pair = (rng.randrange(kinds), rng.randrange(kinds))
        yield {"tokens": tokens, "pair": pair, "new": rng.randint(256, 999)}


def wrong_second_read_again(tokens: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    merged = []
    for i, token in enumerate(tokens):
        found = i + 1 < len(tokens) and (token, tokens[i + 1]) == pair
        merged.append(new if found else token)
    return merged


def wrong_last_lost(tokens: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    merged, i = [], 0
    while i < len(tokens) - 1:
        found = (tokens[i], tokens[i + 1]) == pair
        merged.append(new if found else tokens[i])
        i += 2 if found else 1
    return merged


def wrong_first_only(tokens: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    for i in range(len(tokens) - 1):
        if (tokens[i], tokens[i + 1]) == pair:
            return [*tokens[:i], new, *tokens[i + 2 :]]
    return list(tokens)


def wrong_from_the_right(tokens: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    merged, i = [], len(tokens) - 1
    while i >= 0:
        found = i > 0 and (tokens[i - 1], tokens[i]) == pair
        merged.append(new if found else tokens[i])
        i -= 2 if found else 1
    return merged[::-1]


def wrong_either_order(tokens: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    merged, i = [], 0
    while i < len(tokens):
        found = i + 1 < len(tokens) and (tokens[i], tokens[i + 1]) in (pair, pair[::-1])
        merged.append(new if found else tokens[i])
        i += 2 if found else 1
    return merged


def wrong_steps_of_two(tokens: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    merged: list[int] = []
    for i in range(0, len(tokens), 2):
        two = tokens[i : i + 2]
        merged += [new] if tuple(two) == pair else two
    return merged
