"""ROUGE-L: how much of two texts agrees, in order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from learn_llm.minimal_impls.icil_scores import plain

TARGET = "learn_llm.minimal_impls.icil_scores:rouge_l"
WORDS = ("red", "blue", "hat", "the", "a", "big", "sun", "is")


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for longest in (3, 6, 9, 12):
        for _ in range(2):
            yield {"text": _text(rng, longest), "reference": _text(rng, longest)}
    yield {"text": "The red Hat .", "reference": "a red hat"}
    yield {"text": "big red sun hat", "reference": "hat the big blue sun"}
    yield {"text": "", "reference": "a hat"}
    yield {"text": "...", "reference": ""}


def _text(rng: Random, longest: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(2, longest)))


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    longest = [0] * (len(b) + 1)
    for word in a:
        before = 0
        for j, other in enumerate(b, 1):
            before, longest[j] = longest[j], before + 1 if word == other else max(longest[j], longest[j - 1])
    return longest[-1]


def _f1(common: float, a: Sequence[str], b: Sequence[str]) -> float:
    return 2 * common / (len(a) + len(b)) if a and b else 0.0


def wrong_recall(text: str, reference: str) -> float:
    a, b = plain(text).split(), plain(reference).split()
    return _common(a, b) / len(b) if a and b else 0.0


def wrong_precision(text: str, reference: str) -> float:
    a, b = plain(text).split(), plain(reference).split()
    return _common(a, b) / len(a) if a and b else 0.0


def wrong_in_one_piece(text: str, reference: str) -> float:
    a, b = plain(text).split(), plain(reference).split()
    pieces = (
        size for size in range(min(len(a), len(b)), 0, -1) for i in range(len(a)) if _holds(b, a[i : i + size], size)
    )
    return _f1(next(pieces, 0), a, b)


def _holds(words: Sequence[str], piece: Sequence[str], size: int) -> bool:
    return len(piece) == size and any(words[i : i + size] == piece for i in range(len(words)))


def wrong_any_order(text: str, reference: str) -> float:
    a, b = plain(text).split(), plain(reference).split()
    return _f1((Counter(a) & Counter(b)).total(), a, b)


def wrong_characters(text: str, reference: str) -> float:
    a, b = plain(text), plain(reference)
    return _f1(_common(a, b), a, b)


def wrong_not_plain(text: str, reference: str) -> float:
    a, b = text.split(), reference.split()
    return _f1(_common(a, b), a, b)


def wrong_over_longer(text: str, reference: str) -> float:
    a, b = plain(text).split(), plain(reference).split()
    return _common(a, b) / max(len(a), len(b)) if a and b else 0.0


def wrong_no_two(text: str, reference: str) -> float:
    a, b = plain(text).split(), plain(reference).split()
    return _f1(_common(a, b), a, b) / 2
