"""Which demonstrations go into the prefix, and in which order."""

from collections.abc import Iterator, Sequence
from random import Random


def select(options: Sequence[Sequence[str]], lengths: Sequence[int], count: int, longest: int) -> list[int]:
    """Which candidates become demonstrations, as their numbers, in the order of the prefix (arXiv 2302.14691).

    Candidates are looked at in order.  One is taken where it has at most `longest` tokens and none of its options,
    whatever their case, is an option of one taken before; at most `count` are taken.  Those taken stand in ascending
    number of options, and in their old order where they have as many.

    Args:
        options: of each candidate, the answers to choose from.
        lengths: of each candidate, in tokens.

    Number 1 shares "no" with number 0, and number 2 has fewer options:

    >>> select([["yes", "no", "maybe"], ["No", "never"], ["hot", "cold"]], [9, 9, 9], count=2, longest=20)
    [2, 0]
    """
    used: set[str] = set()
    taken: list[int] = []
    for number, (some, length) in enumerate(zip(options, lengths, strict=True)):
        names = {option.casefold() for option in some}
        if length <= longest and not used & names and len(taken) < count:
            taken.append(number)
            used |= names
    return sorted(taken, key=lambda number: len(options[number]))


TARGET = select


def cases(rng: Random) -> Iterator[dict[str, object]]:
    yield _case(
        [("a", "b", "c"), ("B", "d"), ("e", "f"), ("d", "g"), ("h", "i", "j", "k"), ("l", "m")],
        [5, 5, 9, 7, 3, 4], 3, 9,
    )  # fmt: skip
    yield _case([("a", "b"), ("b", "c"), ("c", "d"), ("e", "f", "g"), ("h", "i")], [12, 5, 5, 5, 13], 4, 12)
    for count in (2, 3, 4, 5):
        words = [f"w{i}" for i in range(24)]
        options = [tuple(_spelt(rng, word) for word in rng.sample(words, rng.randint(2, 4))) for _ in range(9)]
        yield _case(options, [rng.randint(5, 12) for _ in options], count, 11)
    yield _case([("a", "b")], [30], 2, 20)


def _spelt(rng: Random, word: str) -> str:
    return word.upper() if rng.random() < 0.5 else word


def _case(options: Sequence[tuple[str, ...]], lengths: list[int], count: int, longest: int) -> dict[str, object]:
    return {"options": [list(some) for some in options], "lengths": lengths, "count": count, "longest": longest}


def _taken(
    options: Sequence[Sequence[str]],
    lengths: Sequence[int],
    count: int,
    longest: int,
    fold: bool = True,
    overlap: bool = False,
    remember_all: bool = False,
) -> list[int]:
    used: set[str] = set()
    taken: list[int] = []
    for number, (some, length) in enumerate(zip(options, lengths, strict=True)):
        names = {option.casefold() if fold else option for option in some}
        good = length <= longest and (overlap or not used & names) and len(taken) < count
        if good:
            taken.append(number)
        if good or remember_all:
            used |= names
    return taken


def wrong_shared_options(
    options: Sequence[Sequence[str]], lengths: Sequence[int], count: int, longest: int
) -> list[int]:
    return sorted(_taken(options, lengths, count, longest, overlap=True), key=lambda n: len(options[n]))


def wrong_case(options: Sequence[Sequence[str]], lengths: Sequence[int], count: int, longest: int) -> list[int]:
    return sorted(_taken(options, lengths, count, longest, fold=False), key=lambda n: len(options[n]))


def wrong_rejected_too(options: Sequence[Sequence[str]], lengths: Sequence[int], count: int, longest: int) -> list[int]:
    return sorted(_taken(options, lengths, count, longest, remember_all=True), key=lambda n: len(options[n]))


def wrong_not_sorted(options: Sequence[Sequence[str]], lengths: Sequence[int], count: int, longest: int) -> list[int]:
    return _taken(options, lengths, count, longest)


def wrong_descending(options: Sequence[Sequence[str]], lengths: Sequence[int], count: int, longest: int) -> list[int]:
    return sorted(_taken(options, lengths, count, longest), key=lambda n: -len(options[n]))


def wrong_cut_first(options: Sequence[Sequence[str]], lengths: Sequence[int], count: int, longest: int) -> list[int]:
    return sorted(_taken(options[:count], lengths[:count], count, longest), key=lambda n: len(options[n]))


def wrong_no_limit(options: Sequence[Sequence[str]], lengths: Sequence[int], count: int, longest: int) -> list[int]:
    return sorted(_taken(options, lengths, len(options), longest), key=lambda n: len(options[n]))


def wrong_shorter(options: Sequence[Sequence[str]], lengths: Sequence[int], count: int, longest: int) -> list[int]:
    return sorted(_taken(options, lengths, count, longest - 1), key=lambda n: len(options[n]))
