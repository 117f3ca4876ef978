"""What is trained on, as tokens: prompts, demonstrations and preference pairs, from the tiny world or from a file.

One shape for both, so that a method's file does not ask where its data come from.  A prompt is wrapped in the
checkpoint's own chat template where it has one.  A response is tokenised by itself and ends with EOS: those are the
tokens that the model will have to produce behind the tokenised prompt.

Held out: in the tiny world a prompt belongs to evaluation for ever if its digest says so (1 in 8), whatever the seed
and whatever the method; in a file every tenth row, at least one and at most 512.
"""

import functools
import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, overload

import torch
from torch import Tensor

from learn_llm.datasets import JsonLines, Kind, Message, Row
from learn_llm.errors import UserError
from learn_llm.gpt_config import GPTConfig
from learn_llm.tinyworld import annotators, rubric, tasks, tokens, writers
from learn_llm.tinyworld.tasks import Item
from learn_llm.tokenizer import Tokenizer

T = TypeVar("T")
S = TypeVar("S")
HELD_OUT = 512


@dataclass(frozen=True)
class Prompt:
    """What is asked."""

    ids: tuple[int, ...]
    """With the chat template, up to where the response begins."""
    text: str
    """Without the template, for people and reward functions."""
    row: Mapping[str, Any] = field(default_factory=dict)
    """All that the file says about it; in the tiny world task, definition, input, outputs, options."""
    item: Item | None = None
    """What the gold rubric judges by; None outside the tiny world."""


@dataclass(frozen=True)
class Demonstration:
    """A prompt with a response to imitate, its EOS included."""

    prompt: Prompt
    response: tuple[int, ...]


@dataclass(frozen=True)
class Pair:
    """A prompt with two responses, EOS included; the annotator preferred `chosen`."""

    prompt: Prompt
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    gold_difference: float | None = None
    """gold(chosen) - gold(rejected); None outside the tiny world."""
    grade: int | None = None
    """How much better the annotator found it, an index of `annotators.GRADES`; None where a file does not say."""


@dataclass(frozen=True)
class Split(Generic[T]):
    """What is trained on, what is held out, and how many rows were too long for either."""

    train: Sequence[T]
    held_out: Sequence[T]
    too_long: int = 0


class Encoder:
    """Turns texts into the tokens that one checkpoint was made for, and back.

    Raises UserError where the checkpoint names no end-of-sequence token.
    """

    def __init__(self, tokenizer: Tokenizer, config: GPTConfig) -> None:
        own = [] if tokenizer.eos_id is None else [tokenizer.eos_id]
        ends = [*tokenizer.chat_end_ids(), *own, *config.eos_ids]
        if not ends:
            raise UserError("this checkpoint names no end-of-sequence token: its responses could not end")
        self.tokenizer = tokenizer
        self.context = config.max_position_embeddings
        self.eos_id = ends[0]
        """What a response is taught to end with: the chat format's end of an answer, else EOS."""
        self.eos_ids = tuple(dict.fromkeys(ends))
        """Whatever ends a sampled response."""

    def prompt(self, text: str | Sequence[Message]) -> tuple[int, ...]:
        """A text or a conversation, up to where the assistant answers."""
        if isinstance(text, str) and self.tokenizer.chat_template is None:
            return tuple(self.tokenizer.encode(text))
        return tuple(self.tokenizer.apply_chat([{"role": "user", "content": text}] if isinstance(text, str) else text))

    def response(self, text: str) -> tuple[int, ...]:
        """A response and its end."""
        return (*self.tokenizer.encode(text, bos=False), self.eos_id)

    def text(self, ids: Sequence[int]) -> str:
        """A response as text, without its end."""
        return self.tokenizer.decode([i for i in ids if i not in self.eos_ids])


class World:
    """Examples of the tiny world's training families."""

    def __init__(self, encoder: Encoder, seed: int) -> None:
        if encoder.tokenizer.vocab_size != len(tokens.vocabulary()):
            raise UserError("this checkpoint does not speak the tiny world's language: give it --data FILE.jsonl")
        self.encoder = encoder
        self.seed = seed

    def prompts(self, count: int, room: int) -> Split[Prompt]:
        """`count` prompts to sample responses to; any response fits."""
        train, held_out = self._items("prompts", count)
        return Split([self.prompt(item) for item in train], [self.prompt(item) for item in held_out])

    def demonstrations(self, count: int) -> Split[Demonstration]:
        """`count` responses as people write them, with their flaws (`tinyworld.writers`)."""
        rng = random.Random(f"{self.seed} demonstrations")
        train, held_out = (
            [Demonstration(self.prompt(i), self.encoder.response(writers.demonstration(i, rng))) for i in drawn]
            for drawn in self._items("demonstrations", count)
        )
        return Split(train, held_out)

    def pairs(
        self, count: int, held_out: int, noise: float, respond: Callable[[Sequence[Prompt]], list[str]]
    ) -> Split[Pair]:
        """Pairs labelled by the noisy annotators; `respond` answers prompts, and is asked twice for each pair."""
        train, evaluation = self._items("pairs", count, held_out)
        return Split(self._label(train, noise, respond), self._label(evaluation, noise, respond))

    def _label(self, drawn: list[Item], noise: float, respond: Callable[[Sequence[Prompt]], list[str]]) -> list[Pair]:
        rng = random.Random(f"{self.seed} labels {len(drawn)}")
        prompts = [self.prompt(item) for item in drawn]
        pairs = []
        for prompt, item, a, b in zip(prompts, drawn, respond(prompts), respond(prompts), strict=True):
            gold_a, gold_b = rubric.gold(item, a), rubric.gold(item, b)
            first, grade = annotators.compare(gold_a, gold_b, rng, noise)
            chosen, rejected = (a, b) if first else (b, a)
            gap = gold_a - gold_b if first else gold_b - gold_a
            pairs.append(Pair(prompt, self.encoder.response(chosen), self.encoder.response(rejected), gap, grade))
        return pairs

    def prompt(self, item: Item) -> Prompt:
        """The item as a user asks it."""
        row = {
            "task": item.task,
            "definition": item.definition,
            "input": item.input,
            "outputs": [item.answer],
            "options": list(item.options) or None,
        }
        return Prompt(self.encoder.prompt(item.prompt), item.prompt, row, item)

    def _items(self, purpose: str, count: int, held_out: int | None = None) -> tuple[list[Item], list[Item]]:
        rng = random.Random(f"{self.seed} {purpose}")
        evaluated = HELD_OUT if held_out is None else held_out
        return items(rng, count, held_out=False), items(rng, evaluated, held_out=True)


def items(rng: random.Random, count: int, held_out: bool) -> list[Item]:
    """Items of the training families, evenly over families, on one side of the line that `is_held_out` draws."""
    families = tasks.training()
    found: list[Item] = []
    while len(found) < count:
        item = families[int(rng.random() * len(families))].sample(rng)
        if is_held_out(item) == held_out:
            found.append(item)
    return found


def is_held_out(item: Item) -> bool:
    """Whether this prompt belongs to evaluation: one in eight does, by its digest, for every seed and every method."""
    return hashlib.sha256(item.prompt.encode()).digest()[0] < 32


class Lazy(Sequence[T]):
    """Rows of a file, made into examples when they are asked for."""

    def __init__(self, rows: JsonLines, chosen: Sequence[int], make: Callable[[Row], T]) -> None:
        self._rows, self._chosen, self._make = rows, chosen, make

    def __len__(self) -> int:
        return len(self._chosen)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self._make(self._rows[self._chosen[index]])


class File:
    """Examples of a JSON-lines file; `limit` is the most tokens that a row may have, responses included."""

    def __init__(self, encoder: Encoder, path: str, limit: int) -> None:
        self.encoder, self.path = encoder, path
        self.limit = min(limit or encoder.context, encoder.context)

    def prompts(self, count: int, room: int) -> Split[Prompt]:
        """All prompts that leave room for a response of `room` tokens."""
        return self._split("prompts", self.prompt, lambda p: len(p.ids) + room)

    def demonstrations(self, count: int) -> Split[Demonstration]:
        """All completions, or the last assistant message of conversations."""

        def make(row: Row) -> Demonstration:
            return Demonstration(self.prompt(row), self.encoder.response(row.responses[0]))

        return self._split("demonstrations", make, lambda d: len(d.prompt.ids) + len(d.response))

    def pairs(self) -> Split[Pair]:
        """All preference pairs."""

        def make(row: Row) -> Pair:
            chosen, rejected = (self.encoder.response(text) for text in row.responses)
            return Pair(self.prompt(row), chosen, rejected, grade=row.fields.get("grade"))

        return self._split("pairs", make, lambda p: len(p.prompt.ids) + max(len(p.chosen), len(p.rejected)))

    def prompt(self, row: Row) -> Prompt:
        """The row's prompt as the model is asked it."""
        text = row.prompt if isinstance(row.prompt, str) else "\n".join(m["content"] for m in row.prompt)
        return Prompt(self.encoder.prompt(row.prompt), text, row.fields)

    def _split(self, kind: Kind, make: Callable[[Row], S], length: Callable[[S], int]) -> Split[S]:
        rows = JsonLines(self.path, kind)
        fitting = []
        for i, row in enumerate(rows):
            try:
                tokens = length(make(row))
            except UserError as error:
                raise UserError(f"{self.path}, line {rows.line(i)}: {error}") from None
            if tokens <= self.limit:
                fitting.append(i)
        if not fitting:
            raise UserError(f"every row of {self.path} is longer than {self.limit} tokens, the most that fit")
        every = max(10, len(fitting) // HELD_OUT)
        held_out = fitting[::every][:HELD_OUT]
        train = sorted(set(fitting).difference(held_out)) or fitting
        return Split(Lazy(rows, train, make), Lazy(rows, held_out, make), len(rows) - len(fitting))


class Source(Protocol):
    """What says where examples come from: a training run's configuration."""

    @property
    def data(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def max_length(self) -> int: ...


def source(encoder: Encoder, config: Source) -> World | File:
    """The tiny world, or the file that --data names.  Both give prompts and demonstrations alike."""
    return File(encoder, config.data, config.max_length) if config.data else World(encoder, config.seed)


@dataclass(frozen=True)
class Batch:
    """Prompts with their responses, padded on the right."""

    tokens: Tensor
    """(B, T)"""
    attention: Tensor
    """(B, T), 1 on real tokens, 0 on padding."""
    mask: Tensor
    """(B, T), 1 on response tokens and their EOS, 0 on prompt and padding."""


def collate(
    prompts: Sequence[Sequence[int]], responses: Sequence[Sequence[int]], device: torch.device | str = "cpu"
) -> Batch:
    """Put each response behind its prompt and pad on the right, with token 0, which nothing looks at.

    >>> batch = collate([[5, 6], [7]], [[8, 1], [1]])
    >>> batch.tokens.tolist(), batch.mask.tolist()
    ([[5, 6, 8, 1], [7, 1, 0, 0]], [[0, 0, 1, 1], [0, 1, 0, 0]])
    """
    width = max(len(p) + len(r) for p, r in zip(prompts, responses, strict=True))
    tokens, attention, mask = torch.zeros(3, len(prompts), width, dtype=torch.long)
    for row, (prompt, response) in enumerate(zip(prompts, responses, strict=True)):
        end = len(prompt) + len(response)
        tokens[row, :end] = torch.tensor([*prompt, *response])
        attention[row, :end] = 1
        mask[row, len(prompt) : end] = 1
    return Batch(tokens.to(device), attention.to(device), mask.to(device))


@functools.lru_cache(maxsize=2)
def _epoch(seed: int, epoch: int, rows: int) -> Sequence[int]:
    order = list(range(rows))
    random.Random(f"{seed} epoch {epoch}").shuffle(order)
    return order


def batch_indices(seed: int, rows: int, size: int, step: int) -> list[int]:
    """Which of the `rows` examples make the batch of `step` (from 1): epoch after epoch, each in an order of its own.

    >>> sorted(batch_indices(0, rows=4, size=2, step=1) + batch_indices(0, rows=4, size=2, step=2))
    [0, 1, 2, 3]
    """
    first = (step - 1) * size
    return [_epoch(seed, i // rows, rows)[i % rows] for i in range(first, first + size)]


@overload
def parts(rows: Tensor, size: int) -> Iterator[Tensor]: ...
@overload
def parts(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]: ...
def parts(rows: Any, size: int) -> Iterator[Any]:
    """The rows in runs of at most `size`; 0: all at once.

    >>> list(parts([1, 2, 3], 2))
    [[1, 2], [3]]
    """
    for start in range(0, len(rows), size or len(rows) or 1):
        yield rows[start : start + (size or len(rows))]
