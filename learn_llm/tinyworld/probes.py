"""Probes of a base model: can it do what every later method builds on?

A probe is a set of prompts with the words that must follow.  Greedy decoding gives exactly those words when, with the
right words read in, the most likely token is right at every place: one forward pass measures it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from learn_llm.tinyworld import documents
from learn_llm.tinyworld import lexicon as lx
from learn_llm.tinyworld.lexicon import pick, some
from learn_llm.tinyworld.relations import RELATIONS
from learn_llm.tinyworld.tasks import Item, Task, held_out, training
from learn_llm.tinyworld.tokens import EOS

DEMONSTRATIONS = 8
ITEMS_PER_TASK = 50


@dataclass(frozen=True)
class Question:
    """A prompt and the words that must follow it; a sheet's answer must also end there.

    With `options`, words of one token, the answer need only be the most likely of them, not of all words.
    """

    prompt: str
    answer: str
    ends: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Probe:
    """Questions of one sort; `bar` is what a base must reach to be good enough, None where the figure is only shown."""

    name: str
    chance: float
    bar: float | None
    questions: tuple[Question, ...]


def copying(rng: Random, count: int) -> Probe:
    """A random list, said again up to some place: what comes next?"""
    questions = []
    for _ in range(count):
        words = some(rng, lx.vocabulary(), 6 + int(rng.random() * 18))
        at = 2 + int(rng.random() * (len(words) - 2))
        questions.append(Question(f"{' '.join(words)} \n {' '.join(words[:at])}", words[at]))
    return Probe("copying", 1 / len(lx.vocabulary()), 0.95, tuple(questions))


def pairing(rng: Random, count: int) -> Probe:
    """Two pairs of random words, and the first word of one of them: what follows it?"""
    questions = []
    for _ in range(count):
        a, b, c, d = some(rng, lx.vocabulary(), 4)
        key, value = pick(rng, [(a, b), (c, d)])
        questions.append(Question(f"{a} {b} , {c} {d} , {key}", value))
    return Probe("pairing", 0.5, None, tuple(questions))


def looking_up(rng: Random, count: int, among: int, backwards: bool = False) -> Probe:
    """Facts said with their key first; asked by key (easy) or by value (hard)."""
    questions = []
    for _ in range(count):
        relation = pick(rng, RELATIONS[:7])
        known = relation.draw(rng, among)
        key, value = pick(rng, known)
        told = " ".join(f"{relation.said(k, v)} ." for k, v in known)
        asked = relation.back.format(v=value) if backwards else relation.question.format(k=key)
        questions.append(Question(f"{told} \n {asked}", key if backwards else value))
    name = f"look_{'back' if backwards else 'up'}_{among}"
    return Probe(name, 1 / among, None if backwards else {2: 0.9, 4: 0.75}[among], tuple(questions))


def general_knowledge(rng: Random, count: int) -> Probe:
    """Statements that can end in one way only: what group a hen belongs to, where a cod lives, what a dog says."""
    open_ended = {  # "lemon is" may go on in many ways
        *("size", "speed", "surface", "weight", "temperature", "shape", "risk", "age", "feeling", "parity", "season"),
    }
    sure = [a for a in lx.PROPERTIES if a not in open_ended]
    questions, chance = [], 0.0
    for _ in range(count):
        attribute = pick(rng, sure)
        word = pick(rng, tuple(lx.PROPERTIES[attribute]))
        value = lx.PROPERTIES[attribute][word]
        start = lx.statement(attribute, word, "#").split(" #")[0]
        if attribute == "week":
            start = lx.statement(attribute, word, value).rsplit(" ", 1)[0]
        options = lx.values(attribute) if attribute == "kind" else ()  # "cod is a fish", and "a kind of animal"
        questions.append(Question(start, value, options=options))
        chance += 1 / len(lx.values(attribute)) / count
    return Probe("knowledge", chance, 0.95, tuple(questions))


def _judging(name: str, cases: Sequence[tuple[str, bool]], mark: str = ":") -> Probe:
    """Texts that a reader marks: which of the two marks is more likely?"""
    marks = ("right", "wrong")
    questions = tuple(Question(f"{text} {mark}", marks[0 if holds else 1], options=marks) for text, holds in cases)
    return Probe(name, 0.5, None, questions)


def checking(rng: Random, count: int) -> Probe:
    """A statement about the world, true or false."""
    return _judging("checking", [documents.claim(rng) for _ in range(count)])


def checking_facts(rng: Random, count: int) -> Probe:
    """Two facts, and one of them said again, rightly or wrongly."""
    drawn = (documents.told(rng) for _ in range(count))
    return _judging("checking_facts", [(f"{text} {again[0][0]}", again[0][1]) for text, again in drawn])


def checking_labels(rng: Random, count: int) -> Probe:
    """A statement, and an answer to the question whether it is true."""
    return _judging("checking_labels", [documents.label(rng) for _ in range(count)])


def reviewing(rng: Random, count: int) -> Probe:
    """A question of a training task with an answer, judged behind its end."""
    return _judging("reviewing", [documents.answer(rng) for _ in range(count)], EOS)


def demonstrations(rng: Random, tasks: Sequence[Task], count: int) -> str:
    """Answered items of `count` different tasks, as they stand on a sheet."""
    return "".join(f"{task.make(rng).sheet()} \n \n " for task in some(rng, list(tasks), count))


def sheet_question(prefix: str, item: Item) -> Question:
    """The item at the end of a sheet."""
    return Question(prefix + item.sheet(answered=False), item.answer, ends=True)


def classifying(rng: Random, count: int) -> Probe:
    """Training tasks that name their options, after a few answered ones of other tasks."""
    tasks = [task for task in training() if task.name.startswith("classify_")]
    questions, chance = [], 0.0
    for _ in range(count):
        task = pick(rng, tasks)
        others = [other for other in training() if other.name != task.name]
        item = task.make(rng)
        chance += 1 / len(item.options) / count
        questions.append(sheet_question(demonstrations(rng, others, 3), item))
    return Probe("classifying", chance, 0.95, tuple(questions))


def held_out_tasks(rng: Random, prefix: str, per_task: int = ITEMS_PER_TASK) -> tuple[Probe, ...]:
    """One probe a held-out task, each question behind the same prefix ("": zero-shot)."""
    probes = []
    for task in held_out():
        items = [task.make(rng) for _ in range(per_task)]
        chance = sum(1 / len(i.options or i.candidates) for i in items) / per_task
        probes.append(Probe(task.name, chance, None, tuple(sheet_question(prefix, item) for item in items)))
    return tuple(probes)


def all_probes(seed: int, count: int = 400) -> tuple[Probe, ...]:
    """The probes with a bar and those that are only shown, on fresh text drawn from `seed`."""
    rng = Random(f"probes {seed}")
    return (
        copying(rng, count),
        pairing(rng, count),
        looking_up(rng, count, 2),
        looking_up(rng, count, 4),
        looking_up(rng, count, 2, backwards=True),
        looking_up(rng, count, 4, backwards=True),
        general_knowledge(rng, count),
        classifying(rng, count),
        checking(rng, count),
        checking_facts(rng, count),
        checking_labels(rng, count),
        reviewing(rng, count),
    )
