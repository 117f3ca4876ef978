"""Which tasks may be shown: those whose answers stand in the definition."""

from collections.abc import Iterator, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any

TARGET = "learn_llm.minimal_impls.icil_tasks:states_its_answers"
WORDS = ("yes", "no", "hot", "cold", "red", "blue", "bird", "fish")


def cases(rng: Random) -> Iterator[dict[str, object]]:
    stated = [_question(rng, True) for _ in range(3)]
    yield {"questions": stated}
    yield {"questions": [_question(rng, False)]}
    yield {"questions": [*stated, _question(rng, False)]}
    yield {"questions": [_question(rng, False), _question(rng, True)]}
    yield {"questions": [_question(rng, True, upper=True)]}
    yield {"questions": [_question(rng, True, around="  ")]}
    yield {"questions": [_question(rng, True, other="never said")]}
    yield {"questions": [_question(rng, False, in_input=True)]}
    yield {"questions": [_question(rng, True, options=("never an option",))]}
    yield {"questions": [_question(rng, True, quoted=True)]}


def _question(
    rng: Random,
    stated: bool,
    upper: bool = False,
    around: str = "",
    other: str = "",
    in_input: bool = False,
    options: tuple[str, ...] = (),
    quoted: bool = False,
) -> SimpleNamespace:
    a, b, c = rng.sample(WORDS, 3)
    right = a if stated else c
    return SimpleNamespace(
        task="task",
        definition=f'say "{a}" or "{b}".' if quoted else f"say {a} or {b} .",
        input=f"is it {right} ?" if in_input else "look at this .",
        outputs=(around + (right.title() if upper else right), *([other] if other else [])),
        options=options,
    )


def wrong_case(questions: Sequence[Any]) -> bool:
    return all(output.strip() in question.definition for question in questions for output in question.outputs)


def wrong_spaces(questions: Sequence[Any]) -> bool:
    return all(o.casefold() in question.definition.casefold() for question in questions for o in question.outputs)


def wrong_any_question(questions: Sequence[Any]) -> bool:
    return any(all(_stated(o, question.definition) for o in question.outputs) for question in questions)


def wrong_first_question(questions: Sequence[Any]) -> bool:
    return all(_stated(output, questions[0].definition) for output in questions[0].outputs)


def wrong_first_output(questions: Sequence[Any]) -> bool:
    return all(_stated(question.outputs[0], question.definition) for question in questions)


def wrong_whole_words(questions: Sequence[Any]) -> bool:
    return all(
        output.casefold().strip() in question.definition.casefold().split()
        for question in questions
        for output in question.outputs
    )


def wrong_input_too(questions: Sequence[Any]) -> bool:
    return all(
        _stated(o, f"{question.definition} {question.input}") for question in questions for o in question.outputs
    )


def wrong_options_too(questions: Sequence[Any]) -> bool:
    return all(
        _stated(text, question.definition) for question in questions for text in (*question.outputs, *question.options)
    )


def _stated(output: str, text: str) -> bool:
    return output.casefold().strip() in text.casefold()
