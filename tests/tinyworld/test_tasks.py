"""The tasks: the same on every machine, held-out ones apart, every word known."""

import dataclasses
import hashlib
import itertools
from random import Random

import pytest

from learn_llm.tinyworld import documents, lexicon, rubric, tasks, tokens
from learn_llm.tinyworld.tasks import Task, held_out, training


def _texts(task: Task, count: int = 60) -> list[str]:
    rng = Random(f"texts {task.name}")
    items = [task.sample(rng) for _ in range(count)]
    return [f"{item.prompt} {item.sheet()} {item.reference}" for item in items]


def test_there_are_enough_families() -> None:
    assert len(training()) >= 60
    assert len(held_out()) >= 12
    assert sum(task.generative for task in held_out()) >= 3
    assert len({task.name for task in tasks.families()}) == len(tasks.families())


def test_the_same_seed_gives_the_same_text_everywhere() -> None:
    """The digests were recorded once; they change only with the world itself."""
    text = "\n".join(itertools.chain.from_iterable(_texts(task) for task in tasks.families()))
    again = "\n".join(itertools.chain.from_iterable(_texts(task) for task in tasks.families()))
    assert text == again
    stream = documents.stream(Random("digest"), documents.EVERYTHING)
    written = "\n".join(itertools.islice(stream, 200))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == TASKS_DIGEST
    assert hashlib.sha256(written.encode()).hexdigest()[:16] == DOCUMENTS_DIGEST


TASKS_DIGEST = "57b7be15f851f10d"
DOCUMENTS_DIGEST = "ae7294dddad10cfa"


def test_held_out_tasks_share_no_definition_and_no_set_of_options() -> None:
    seen_definitions, seen_options = set(), set()
    rng = Random(1)
    for task in training():
        for _ in range(400):
            item = task.make(rng)
            seen_definitions.add(item.definition)
            seen_options.add(frozenset(item.options))
    seen_options.discard(frozenset())
    for task in held_out():
        for _ in range(400):
            item = task.make(rng)
            assert item.definition not in seen_definitions, task.name
            assert frozenset(item.options) not in seen_options, task.name


def test_no_document_holds_a_definition_of_a_held_out_task() -> None:
    text = "\n".join(itertools.islice(documents.stream(Random(2), documents.EVERYTHING), 4000))
    rng = Random(3)
    for task in held_out():
        for definition in {task.make(rng).definition for _ in range(50)}:
            assert definition not in text, task.name


def test_every_word_of_a_held_out_task_occurs_in_documents() -> None:
    stream = documents.stream(Random(4), documents.EVERYTHING)
    seen = {word for text in itertools.islice(stream, 6000) for word in text.split(" ")}
    needed = {word for task in held_out() for text in _texts(task) for word in text.split(" ")}
    assert needed <= seen


def test_every_text_is_in_the_vocabulary_and_survives_the_tokenizer() -> None:
    tokenizer = tokens.build()
    assert len(tokens.vocabulary()) < 1024
    stream = itertools.islice(documents.stream(Random(5), documents.EVERYTHING), 300)
    for text in itertools.chain(stream, *(_texts(task, 5) for task in tasks.families())):
        ids = tokens.encode(text)
        assert tokenizer.encode(text).ids == ids
        assert tokenizer.encode(tokenizer.decode(ids, skip_special_tokens=False)).ids == ids
        assert tokens.spell(ids) == text.replace(f"{tokens.EOS} ", "")


def test_the_chat_markers_are_absent_from_pretraining() -> None:
    stream = itertools.islice(documents.stream(Random(6), documents.EVERYTHING), 500)
    assert not any(
        token in text for text in stream for token in (tokens.USER, tokens.ASSISTANT, tokens.BOS, tokens.PAD)
    )


def test_a_mark_is_right_exactly_where_the_text_is() -> None:
    rng = Random(9)
    marks = []
    for _ in range(400):
        text, again = documents.told(rng)
        for said, holds, told in again:
            assert (f"{said} ." in text) == holds == (said.split()[-1] == told)
        labelled, holds = documents.label(rng)
        said, answer = labelled.split(" ? ")
        true = any(lexicon.statement(a, w, v) == said for a, t in lexicon.PROPERTIES.items() for w, v in t.items())
        assert ((answer in ("yes", "true")) == true) == holds
        marks += [holds, *(holds for _, holds, _ in again)]
    assert abs(sum(marks) / len(marks) - 0.5) < 4 * (0.25 / len(marks)) ** 0.5


def test_a_correction_says_what_was_told() -> None:
    rng = Random(12)
    notes = []
    for _ in range(200):
        sentences = documents.corrections(rng).replace(f" . {tokens.EOS} ", " : ").removesuffix(" .").split(" . ")
        told, noted = sentences[:2], [line.split(" : ") for line in sentences[2:]]
        assert len(noted) == 4
        for said, note in noted:
            if note in ("right", "wrong"):
                assert (said in told) == (note == "right")
            else:
                assert said.rsplit(" ", 1)[0] + f" {note}" in told
            notes.append(note)
    marks = sum(note in ("right", "wrong") for note in notes) / len(notes)
    assert abs(marks - 2 / 3) < 4 * (2 / 9 / len(notes)) ** 0.5


def test_an_answer_is_called_right_exactly_where_the_rubric_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """The item is caught on its way from the task."""
    caught: list[tasks.Item] = []

    def catching(task: Task) -> Task:
        def make(rng: Random) -> tasks.Item:
            caught.append(task.make(rng))
            return caught[-1]

        return dataclasses.replace(task, make=make)

    monkeypatch.setattr(documents, "TRAINING", tuple(catching(task) for task in training()))
    rng = Random(10)
    for _ in range(1000):
        text, holds = documents.answer(rng)
        response = text.removeprefix(caught[-1].definition).partition(" \n ")[2].partition(" \n ")[2]
        answered = response.split(" , ", 1)[1] if response.split()[0] in tasks.OPENERS else response
        assert (rubric.logical_correctness(caught[-1], answered) == 5) == holds, text


@pytest.mark.parametrize("task", tasks.families(), ids=lambda task: task.name)
def test_an_item_is_whole(task: Task) -> None:
    rng = Random(7)
    for _ in range(100):
        item = task.sample(rng)
        assert 1 <= len(item.skills) <= 3
        assert 1 <= item.difficulty <= 5
        assert item.task == task.name
        assert item.answer
        assert bool(item.options) != task.generative
        if item.options:
            assert item.answer in item.options
            assert all(option in item.definition.split() for option in item.options)
        if item.start_with:
            assert item.reference.startswith(f"{item.start_with} , ")


@pytest.mark.parametrize("words", [("a", "b", "c", "d")])
def test_drawing_is_uniform(words: tuple[str, ...]) -> None:
    rng = Random(8)
    draws = [lexicon.some(rng, words, 2) for _ in range(12_000)]
    for pair in itertools.permutations(words, 2):
        share = sum(draw == list(pair) for draw in draws) / len(draws)
        assert abs(share - 1 / 12) < 4 * (1 / 12 * 11 / 12 / len(draws)) ** 0.5
