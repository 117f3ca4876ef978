"""The questions of icil.py: from the tiny world or a file of tasks, and demonstrations broken on purpose.

A task file is JSON lines, one question a line:

    {"task": "color", "definition": "Say red or blue.", "input": "the sky", "outputs": ["blue"],
     "options": ["red", "blue"], "held_out": true}

`options` is null where the answer is written freely.  `held_out` says whether the task is asked or may be shown.
Such a file for models of English is bundled: 30 tasks to show, 17 to ask with 12 questions each, 5 of them without
options; written for this package, and in the public domain (CC0).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from learn_llm.errors import UserError
from learn_llm.tinyworld import tasks, tokens
from learn_llm.tinyworld.lexicon import pick, shuffled
from learn_llm.tinyworld.tasks import Item
from learn_llm.tokenizer import Tokenizer


@dataclass(frozen=True)
class Question:
    """One instance of a task."""

    task: str
    definition: str
    input: str
    outputs: tuple[str, ...]
    """Right answers; the first one is shown."""
    options: tuple[str, ...]
    """The answers to choose from; empty where it is written freely."""


Tasks = Mapping[str, Sequence[Question]]
ENGLISH = Path(__file__).parent.parent / "bundled" / "icil-tasks.jsonl"


def of_item(item: Item) -> Question:
    """An item of the tiny world."""
    return Question(item.task, item.definition, item.input, (item.answer,), item.options)


def of_world(rng: Random, held_out: bool, count: int) -> Tasks:
    """`count` questions of each family, the training ones or the held-out ones."""
    families = tasks.held_out() if held_out else tasks.training()
    return {task.name: [of_item(task.make(rng)) for _ in range(count)] for task in families}


def of_file(path: str | Path) -> tuple[Tasks, Tasks]:
    """The tasks that may be shown and those that are asked.

    Raises UserError where the file cannot be read, a field is not what it should be, or one of the two is missing.
    """
    sides: tuple[dict[str, list[Question]], dict[str, list[Question]]] = ({}, {})
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--tasks {path} cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise UserError(f"{path}, line {number}: not a JSON object ({error})") from None
        question, held_out = _question(fields, f"{path}, line {number}")
        sides[held_out].setdefault(question.task, []).append(question)
    both = sides[0].keys() & sides[1].keys()
    if both or not sides[0] or not sides[1]:
        what = f"{min(both)} is on both sides" if both else "it has tasks of one side only"
        raise UserError(f'{path}: some tasks are shown ("held_out": false), others are asked (true), but {what}')
    if not any(question.options for questions in sides[0].values() for question in questions):
        raise UserError(f"{path}: no task that may be shown has options, and demonstrations are chosen by them")
    return sides


def _question(fields: Any, place: str) -> tuple[Question, bool]:
    if not isinstance(fields, dict):
        raise UserError(f"{place}: a JSON object is needed, this is a {type(fields).__name__}")
    for name in ("task", "definition", "input"):
        if not isinstance(fields.get(name), str):
            raise UserError(f'{place}: "{name}" must be a text')
    outputs, options = fields.get("outputs"), fields.get("options") or []
    for name, texts in (("outputs", outputs), ("options", options)):
        if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
            raise UserError(f'{place}: "{name}" must be a list of texts')
    if not outputs or (options and outputs[0] not in options):
        raise UserError(f'{place}: "outputs" needs an answer, one of the options where there are any')
    question = Question(fields["task"], fields["definition"], fields["input"], tuple(outputs), tuple(options))
    return question, bool(fields.get("held_out", False))


class Sheet:
    """Writes questions as tokens, the way that exercise sheets look in the model's language."""

    def __init__(self, tokenizer: Tokenizer, chat: bool = False) -> None:
        tiny = tokenizer.vocab_size == len(tokens.vocabulary())
        self.tokenizer, self.chat = tokenizer, chat
        self.begin = [tokenizer.bos_id] if tokenizer.bos_id is not None and (tiny or tokenizer.adds_bos) else []
        self.form = "definition: {d}\ninput: {i}\noutput:" if tiny else "Definition: {d}\n\nInput: {i}\nOutput:"
        breaks = (i for i in range(tokenizer.vocab_size) if "\n" in tokenizer.decode([i]))
        ends = (end for end in (tokenizer.eos_id, *tokenizer.chat_end_ids()) if end is not None)
        self.stops = tuple(dict.fromkeys((*breaks, *ends)))
        """What ends an answer: a line break, or EOS."""

    def question(self, question: Question) -> list[int]:
        """Up to where the answer begins; `chat` asks in the checkpoint's own chat format."""
        if self.chat:
            return self.tokenizer.apply_chat([{"role": "user", "content": f"{question.definition}\n{question.input}"}])
        return self._ids(self.form.format(d=question.definition, i=question.input))

    def answer(self, text: str) -> list[int]:
        """An answer and the end of its line."""
        return self._ids(f"{text}\n" if self.chat else f" {text}\n")

    def prefix(self, demonstrations: Sequence[Question]) -> list[int]:
        """All that stands before every question; nothing in a chat."""
        if self.chat:
            return []
        shown = (f"{self.form.format(d=q.definition, i=q.input)} {q.outputs[0]}" for q in demonstrations)
        return [*self.begin, *(index for text in shown for index in self._ids(f"{text.rstrip()}\n\n"))]

    def text(self, ids: Sequence[int]) -> str:
        """An answer as a text, without what ended it."""
        return self.tokenizer.decode([i for i in ids if i not in self.stops])

    def _ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, bos=False)


# The selection of demonstrations


def states_its_answers(questions: Sequence[Question]) -> bool:
    """Heuristic 1: every answer of the task stands in its definition.

    >>> states_its_answers([Question("t", "say yes or no .", "is ice cold ?", ("Yes",), ())])
    True
    """
    return all(
        output.casefold().strip() in question.definition.casefold()
        for question in questions
        for output in question.outputs
    )


def choose(pool: Tasks, count: int, rng: Random, longest: int, length: Callable[[Question], int]) -> list[Question]:
    """Demonstrations of `count` tasks by the paper's heuristics, in their order.

    1. Tasks whose answers are stated in the definition.  2. No answer that another demonstration has.
    3. At most `longest` tokens, as `length(question)` counts them.  4. Ascending number of options.
    """
    used: set[str] = set()
    chosen: list[Question] = []
    for name in shuffled(rng, [name for name, questions in pool.items() if states_its_answers(questions)]):
        fitting = [
            question
            for question in pool[name]
            if not used & answers(question) and length(question) <= longest and question.options
        ]
        if fitting and len(chosen) < count:
            chosen.append(pick(rng, fitting))
            used |= answers(chosen[-1])
    return sorted(chosen, key=lambda question: len(question.options))


def answers(question: Question) -> set[str]:
    """Its options and outputs, in lower case."""
    return {text.casefold() for text in (*question.options, *question.outputs)}


def sharing_options(pool: Tasks, count: int, rng: Random) -> list[Question]:
    """Against heuristic 2: demonstrations that all have the same options, those that most tasks have."""
    by_options: dict[frozenset[str], dict[str, list[Question]]] = {}
    for name, questions in pool.items():
        for question in questions:
            if question.options and states_its_answers([question]):
                by_options.setdefault(frozenset(question.options), {}).setdefault(name, []).append(question)
    some = max(by_options.values(), key=lambda tasks_of: (len(tasks_of), sum(map(len, tasks_of.values()))))
    names = shuffled(rng, sorted(some))
    return [pick(rng, some[names[i % len(names)]]) for i in range(count)]


def without_options(chosen: Sequence[Question], pool: Tasks, share: float, rng: Random) -> list[Question]:
    """Some of the demonstrations, a share of them, replaced by ones of tasks whose answers are written freely."""
    names = shuffled(rng, [name for name, questions in pool.items() if not questions[0].options])
    free = [pick(rng, list(pool[name])) for name in names[: round(share * len(chosen))]]
    return [*free, *chosen[len(free) :]]


def similar(pool: Tasks, question: Question, count: int) -> list[Question]:
    """Of each task of the pool the one that shares most words with the question; `count` of them, the nearest last."""
    nearest = [max(questions, key=lambda shown: likeness(shown, question)) for questions in pool.values()]
    return sorted(nearest, key=lambda shown: likeness(shown, question))[-count:]


def likeness(a: Question, b: Question) -> float:
    """Words that stand in both over words that stand in either (Jaccard), in definition and input.

    >>> likeness(Question("", "is it hot", "", (), ()), Question("", "is it", "cold", (), ()))
    0.5
    """
    one, other = ({*f"{q.definition} {q.input}".casefold().split()} for q in (a, b))
    return len(one & other) / len(one | other)


# The controls: demonstrations broken in one place


def words_of(pool: Tasks) -> tuple[str, ...]:
    """The words that stand in the definitions and inputs of the pool: what noise is made of."""
    texts = (
        text for questions in pool.values() for question in questions for text in (question.definition, question.input)
    )
    return tuple(sorted({word for text in texts for word in text.split() if word.isalpha()}))


def noise(text: str, words: tuple[str, ...] | list[str], rng: Random) -> str:
    """Random words in place of a text, as many as it has.

    >>> len(noise("is ice cold ?", ["a", "b"], Random(0)).split())
    3
    """
    return " ".join(pick(rng, words) for word in text.split() if word.strip(".,:?!"))


def with_random(demonstrations: Sequence[Question], what: str, words: tuple[str, ...], rng: Random) -> list[Question]:
    """Demonstrations with random words for their "inputs", "outputs", "definitions", or "all" three.

    With "answers" the outputs are left out: nobody has filled the sheet in.
    """
    broken = []
    for shown in demonstrations:
        if what in ("inputs", "all"):
            shown = replace(shown, input=noise(shown.input, words, rng))
        if what in ("outputs", "all"):
            others = [word for word in words if word not in answers(shown)]
            shown = replace(shown, outputs=(noise(shown.outputs[0], others, rng),))
        if what == "answers":
            shown = replace(shown, outputs=("",))
        if what in ("definitions", "all"):
            shown = replace(shown, definition=noise(shown.definition, words, rng))
        broken.append(shown)
    return broken
