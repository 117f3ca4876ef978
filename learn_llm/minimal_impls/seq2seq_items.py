"""What `seq2seq.py` translates: things with their color behind them, or the rows of a file, as token numbers."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from learn_llm.datasets import JsonLines
from learn_llm.errors import UserError
from learn_llm.examples import HELD_OUT
from learn_llm.tinyworld import lexicon as lx

PAD, BOS, EOS = range(3)
SPECIAL = ("<pad>", "<bos>", "<eos>")
CONTEXT = 512


@dataclass(frozen=True)
class Item:
    """One source and its target, as token numbers without BOS and EOS."""

    source: tuple[int, ...]
    target: tuple[int, ...]


def translation(rng: Random) -> tuple[str, str]:
    """Up to three groups of up to three things with one color: behind them in the source, before each in the target.

    >>> translation(Random(9))
    ('bowl saw gray flute red', 'gray bowl gray saw red flute')
    """
    sizes = [1 + int(rng.random() * 3) for _ in range(1 + int(rng.random() * 3))]
    things, colors = lx.some(rng, lx.THINGS, sum(sizes)), [lx.pick(rng, lx.COLORS) for _ in sizes]
    groups = [([things.pop() for _ in range(size)], color) for size, color in zip(sizes, colors, strict=True)]
    source = [word for some, color in groups for word in (*some, color)]
    return " ".join(source), " ".join(f"{color} {thing}" for some, color in groups for thing in some)


def is_held_out(source: str) -> bool:
    """Whether this source is evaluated on, and never trained on (detail 7)."""
    return hashlib.sha256(source.encode()).digest()[0] < 32


@dataclass(frozen=True)
class Corpus:
    """Items to train on, items held out, and what their numbers mean."""

    train: Sequence[Item]
    held_out: Sequence[Item]
    words: tuple[str, ...]

    def text(self, ids: Sequence[int]) -> str:
        """The words of token numbers, without the special ones."""
        return " ".join(self.words[i] for i in ids if i >= len(SPECIAL))


def corpus(seed: int, count: int, path: str, longest: int) -> Corpus:
    """`count` items of the small translation, or the rows of the file `path`, every tenth of them held out.

    Raises UserError where source and target together have more words than `longest`, 0: than the context.
    """
    train, held_out = list[tuple[str, str]](), list[tuple[str, str]]()
    if path:
        rows = JsonLines(path, "demonstrations")
        every = max(10, len(rows) // HELD_OUT)
        for i, row in enumerate(rows):
            prompt = row.prompt if isinstance(row.prompt, str) else row.prompt[-1]["content"]
            (train if i % every else held_out).append((prompt, row.responses[0]))
        train = train or held_out
    rng = Random(f"{seed} translations")
    while not path and (len(train) < count or len(held_out) < HELD_OUT):
        pair = translation(rng)
        side, room = (held_out, HELD_OUT) if is_held_out(pair[0]) else (train, count)
        if len(side) < room:
            side.append(pair)
    words = (*SPECIAL, *sorted({word for pair in train + held_out for text in pair for word in text.split()}))
    number = {word: i for i, word in enumerate(words)}

    def read(pairs: Sequence[tuple[str, str]]) -> list[Item]:
        return [Item(*(tuple(number[word] for word in text.split()) for text in pair)) for pair in pairs]

    made = Corpus(read(train), read(held_out), words)
    most = max(len(item.source) + len(item.target) + 2 for item in (*made.train, *made.held_out))
    if most > (limit := longest or CONTEXT):
        raise UserError(f"a row of {path or 'the task'} has {most} words with BOS and EOS: at most {limit} fit")
    return made
