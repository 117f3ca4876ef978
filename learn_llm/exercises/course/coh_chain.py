"""A chain of hindsight: the prompt, then each answer behind what is said of it."""

from collections.abc import Iterator, Sequence
from random import Random

from learn_llm.minimal_impls.coh_rows import Row

TARGET = "learn_llm.minimal_impls.coh_rows:write"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for count, longest in ((1, 2), (2, 1), (2, 4), (2, 6), (1, 5), (2, 3)):
        yield {
            "prompt": _ids(rng, rng.randint(1, longest + 2)),
            "said": [_ids(rng, rng.randint(1, longest)) for _ in range(count)],
            "answers": [[*_ids(rng, rng.randint(1, longest)), 1] for _ in range(count)],
        }
    yield {"prompt": _ids(rng, 3), "said": [[]], "answers": [[7, 8, 1]]}


def _ids(rng: Random, count: int) -> list[int]:
    return [rng.randint(2, 99) for _ in range(count)]


def _row(pieces: Sequence[tuple[Sequence[int], int]]) -> Row:
    ids = tuple(index for some, _ in pieces for index in some)
    return Row(ids, tuple(role for some, role in pieces for _ in some))


def wrong_feedback_behind(
    prompt: Sequence[int], said: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]
) -> Row:
    pieces: list[tuple[Sequence[int], int]] = [(prompt, 0)]
    for number, (words, answer) in enumerate(zip(said, answers, strict=True), 1):
        pieces += [(answer, number), (words, 0)]
    return _row(pieces)


def wrong_words_learnt(prompt: Sequence[int], said: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Row:
    pieces: list[tuple[Sequence[int], int]] = [(prompt, 0)]
    for number, (words, answer) in enumerate(zip(said, answers, strict=True), 1):
        pieces += [(words, number), (answer, number)]
    return _row(pieces)


def wrong_prompt_learnt(prompt: Sequence[int], said: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Row:
    pieces: list[tuple[Sequence[int], int]] = [(prompt, 1)]
    for number, (words, answer) in enumerate(zip(said, answers, strict=True), 1):
        pieces += [(words, 0), (answer, number)]
    return _row(pieces)


def wrong_one_role(prompt: Sequence[int], said: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Row:
    pieces: list[tuple[Sequence[int], int]] = [(prompt, 0)]
    for words, answer in zip(said, answers, strict=True):
        pieces += [(words, 0), (answer, 1)]
    return _row(pieces)


def wrong_from_zero(prompt: Sequence[int], said: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Row:
    pieces: list[tuple[Sequence[int], int]] = [(prompt, 0)]
    for number, (words, answer) in enumerate(zip(said, answers, strict=True)):
        pieces += [(words, 0), (answer, number)]
    return _row(pieces)


def wrong_prompt_again(prompt: Sequence[int], said: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Row:
    pieces: list[tuple[Sequence[int], int]] = []
    for number, (words, answer) in enumerate(zip(said, answers, strict=True), 1):
        pieces += [(prompt, 0), (words, 0), (answer, number)]
    return _row(pieces)


def wrong_no_eos(prompt: Sequence[int], said: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Row:
    pieces: list[tuple[Sequence[int], int]] = [(prompt, 0)]
    for number, (words, answer) in enumerate(zip(said, answers, strict=True), 1):
        pieces += [(words, 0), (answer[:-1], number), (answer[-1:], 0)]
    return _row(pieces)


def wrong_all_said_first(prompt: Sequence[int], said: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Row:
    pieces: list[tuple[Sequence[int], int]] = [(prompt, 0), *((words, 0) for words in said)]
    pieces += [(answer, number) for number, answer in enumerate(answers, 1)]
    return _row(pieces)
