"""Judging one exercise: it holds the real function, draws the inputs, compares, and names the mistake.

A pass is a right answer to every case.  Where all answers equal those of known-wrong variants of one mistake, and of no
other, the outcome carries that mistake's message.
"""

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from learn_llm.errors import UserError
from learn_llm.exercises.calling import call
from learn_llm.exercises.courses import Exercise, Language, mistake_of
from learn_llm.exercises.differences import TOLERANCE, Difference, difference, what
from learn_llm.exercises.reading import UnreadableError, read
from learn_llm.exercises.skeleton import files
from learn_llm.exercises.texts import say
from learn_llm.exercises.workers import MEMORY, SECONDS, Reply, Worker

SEED = 0
"""Of a learner's own checks: what failed fails again."""
Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What came of a check."""

    status: str
    """passed, wrong, todo, error, missing, unreadable, or the limit that was reached: a key of texts.py."""
    lines: tuple[str, ...]
    """For the learner: what is wrong, and what it looks like."""
    variant: str = ""
    """The known mistake that it is."""
    seconds: float = 0.0
    printed: str = ""

    @property
    def passed(self) -> bool:
        return self.status == "passed"


class Judge:
    """The cases of an exercise, drawn with a seed, and the right answers to them.  Raises UserError."""

    def __init__(self, exercise: Exercise, seed: int = SEED) -> None:
        self.exercise = exercise
        self.function = files(exercise).function
        module = _load(exercise.code)
        self.target = _target(exercise, module)
        self.gradient: tuple[str, ...] = tuple(getattr(module, "GRADIENT", ()))
        self.tolerance = float(getattr(module, "TOLERANCE", TOLERANCE))
        self.wrong: Mapping[str, Callable[..., Any]] = {
            name.removeprefix("wrong_"): value for name, value in vars(module).items() if name.startswith("wrong_")
        }
        self.cases: Sequence[Mapping[str, Any]] = list(module.cases(Random(seed)))
        self.right = [self._right(number) for number in range(len(self.cases))]

    def _right(self, number: int) -> Answer:
        try:
            return call(self.target, self.cases[number], self.gradient)
        except Exception as error:
            place = f"{self.exercise.code}: case {number + 1}"
            raise UserError(f"{place}: the real function raises {type(error).__name__}: {error}") from None

    @cached_property
    def answers_of_variants(self) -> Mapping[str, Sequence[Answer]]:
        """What each known-wrong variant answers to the cases."""
        return {name: self.answers(function) for name, function in self.wrong.items()}

    def answers(self, function: Callable[..., Any]) -> list[Answer]:
        """A function's answers to the cases; one that raises has answered with an error."""
        result: list[Answer] = []
        for case in self.cases:
            try:
                result.append(call(function, case, self.gradient))
            except Exception as error:
                told = {"type": type(error).__name__, "message": str(error), "line": 0, "text": ""}
                result.append({"error": told})
        return result

    def check(self, path: Path, worker: Worker, language: Language = "en", seconds: float = SECONDS) -> Outcome:
        """Judge a learner's file."""
        try:
            source = read(path)
        except UnreadableError as error:
            status = "missing" if error.key == "judge.missing" else "unreadable"
            return Outcome(status, (say(language, error.key, **error.values),))
        return self.check_source(source, path.name, worker, language, seconds)

    def check_source(
        self, source: str, file: str, worker: Worker, language: Language = "en", seconds: float = SECONDS
    ) -> Outcome:
        """Judge the text of a learner's file."""
        reply = worker.check(source, file, self.function, self.cases, self.gradient, seconds)
        status, lines, variant = self._judged(reply, language, seconds)
        return Outcome(status, tuple(lines), variant, reply.seconds, reply.printed)

    def _judged(self, reply: Reply, language: Language, seconds: float) -> tuple[str, list[str], str]:
        if reply.error is not None:
            return "error", self._told(reply.error, language), ""
        if reply.end == "cancelled":
            return "cancelled", [""], ""
        number, lines = self._first_wrong(reply.answers, language)
        if number is None and reply.end != "done":
            values = {"limit": f"{seconds:g}" if reply.end == "time" else MEMORY >> 30, "code": reply.code}
            return reply.end, [say(language, f"judge.{reply.end}", **values)], ""
        if number is None:
            time = f"{1000 * reply.seconds:.0f} ms"
            return "passed", [say(language, "judge.passed", cases=len(self.cases), seconds=time)], ""
        answer = reply.answers[number]
        if "error" in answer and answer["error"]["type"] == "NotImplementedError":
            return "todo", [say(language, "judge.todo", function=self.function)], ""
        variant = self.diagnose(reply.answers) if reply.end == "done" else ""
        if variant and variant in self.exercise.wrong:
            message = " ".join(self.exercise.wrong[variant][language].split())
            lines.append(say(language, "judge.looks", message=message))
        return "error" if "error" in answer else "wrong", lines, variant

    def _first_wrong(self, answers: Sequence[Answer], language: Language) -> tuple[int | None, list[str]]:
        for number, (answer, right) in enumerate(zip(answers, self.right, strict=False)):
            if "error" in answer:
                lines = self._told(answer["error"], language)
            elif found := self.compare(right, answer):
                lines = [_in_words(found, language)]
            else:
                continue
            arguments = ", ".join(f"{name} {what(value)}" for name, value in self.cases[number].items())
            place = say(language, "judge.input", number=number + 1, of=len(self.cases), arguments=arguments)
            return number, [place, *lines]
        return None, []

    def compare(self, right: Answer, answer: Answer) -> Difference | None:
        """The first difference between two answers that are no errors."""
        found = difference(right["result"], answer["result"], self.tolerance)
        if found:
            return found
        theirs = answer["gradients"]
        for index, (name, gradient) in enumerate(zip(self.gradient, right["gradients"], strict=True)):
            got = theirs[index] if index < len(theirs) else None
            if gradient is None and got is None:
                continue
            if got is None:
                return Difference("gradient", name, {"of": "gradient"})
            if gradient is not None and (found := difference(gradient, got, self.tolerance)):
                return Difference(found.kind, name, {**found.values, "of": "gradient", "count": found.values.get("of")})
        if answer["changed"] and not right["changed"]:
            return Difference("changed", ", ".join(map(str, answer["changed"])), {"of": "argument"})
        return None

    def right_about(self, answers: Sequence[Answer]) -> bool:
        """Whether these are right answers to all cases."""
        return self._first_wrong(answers, "en")[0] is None

    def alike(self, variant: str, other: str) -> bool:
        """Whether two variants answer the same to all cases."""
        return self._equal(self.answers_of_variants[variant], self.answers_of_variants[other])

    def diagnose(self, answers: Sequence[Answer]) -> str:
        """The one known mistake whose answers these are, or nothing."""
        if all("error" in answer for answer in answers):
            return ""
        variants = self.answers_of_variants.items()
        matching = {mistake_of(name) for name, theirs in variants if self._equal(theirs, answers)}
        return matching.pop() if len(matching) == 1 else ""

    def _equal(self, theirs: Iterable[Answer], answers: Iterable[Answer]) -> bool:
        for one, other in zip(theirs, answers, strict=True):
            if "error" in one or "error" in other:
                if "error" not in one or "error" not in other:
                    return False
            elif self.compare(one, other) or self.compare(other, one):
                return False
        return True

    def _told(self, error: Mapping[str, Any], language: Language) -> list[str]:
        kind, line = error["type"], error["line"]
        if kind == "LookupError" and not line:
            return [say(language, "judge.no_function", function=self.function)]
        if kind == "TabError":
            lines = [say(language, "judge.tabs")]
        elif kind in ("SystemExit", "KeyboardInterrupt"):
            lines = [say(language, "judge.exit", type=kind)]
        else:
            lines = [say(language, "judge.error", type=kind, message=error["message"])]
        return [*lines, say(language, "judge.line", line=line, text=error["text"])] if line else lines


def _in_words(found: Difference, language: Language) -> str:
    values = dict(found.values)
    of = values.pop("of", None)
    if of == "argument":
        where = found.place
    elif of == "gradient":
        where, values["of"] = say(language, "gradient", place=found.place), values.pop("count", 0)
    else:
        where, values["of"] = say(language, "result", place=found.place), of
    return say(language, f"differ.{found.kind}", where=where, **values)


def _load(path: Path) -> ModuleType:
    """NAME.py, run."""
    spec = importlib.util.spec_from_file_location(f"learn_llm_exercise_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"{path}: {type(error).__name__}: {error}") from None
    if not callable(getattr(module, "cases", None)):
        raise UserError(f"{path}: it needs a function cases(rng)")
    return module


def _target(exercise: Exercise, module: ModuleType) -> Callable[..., Any]:
    found: Any = module.TARGET
    if isinstance(found, str):
        origin, _, name = found.partition(":")
        found = importlib.import_module(origin)
        for part in name.split("."):
            found = getattr(found, part)
    found = found.fget if isinstance(found, property) else found
    if not callable(found):
        raise UserError(f"{exercise.code}: TARGET is no function")
    result: Callable[..., Any] = found
    return result
