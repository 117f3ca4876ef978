"""What the learner reads, as lines: the list, a verdict, a hint, what isolation was in force."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from learn_llm.errors import UserError
from learn_llm.exercises.courses import Exercise, Language
from learn_llm.exercises.skeleton import method_of
from learn_llm.exercises.state import Desk
from learn_llm.exercises.texts import say
from learn_llm.quizzes.plain import wrap

if TYPE_CHECKING:
    from learn_llm.exercises.judge import Outcome
    from learn_llm.exercises.side_by_side import SideBySide
    from learn_llm.exercises.workers import Worker

WIDTH = 100
"""Columns of a text, at most."""
NAN = float("nan")
_STEPS = ("network", "processes", "read-only files", "solutions hidden", "temporary home in memory")


def listing(desk: Desk, language: Language) -> Iterator[str]:
    """The course with what was done of it; `>` marks the exercise in hand."""
    current, done = desk.current, 0
    for number, chapter in enumerate(desk.course.chapters, 1):
        if chapter.exercises:
            yield f"{number:>2}  {chapter.title[language]}"
        for exercise in chapter.exercises:
            record = desk.record(exercise)
            done += bool(record.passed)
            state = "done" if record.passed else "begun" if desk.begun(exercise) else "open"
            notes = [say(language, "list.hints", hints=record.hints)] if record.hints else []
            notes += [say(language, "list.gave_up")] if record.gave_up else []
            mark = ">" if exercise == current else " "
            label = say(language, f"list.{state}")
            yield f"{mark}     {label:<7}{exercise.name:<26}{exercise.title[language]}   {', '.join(notes)}".rstrip()
    yield say(language, "list.total", done=done, of=len(desk.course.exercises))


def task(desk: Desk, exercise: Exercise, language: Language) -> Iterator[str]:
    """What is to be done now."""
    yield from about(exercise, language)
    path = desk.path(exercise)
    yield say(
        language,
        "next.file" if path.exists() else "judge.missing",
        path=near(path),
        file=near(path),
        name=exercise.name,
    )
    if exercise.questions:
        yield say(language, "next.questions", questions=", ".join(exercise.questions))


def about(exercise: Exercise, language: Language) -> Iterator[str]:
    """What it is called, and what its docstring does not say."""
    yield f"{exercise.name}: {exercise.title[language]}"
    if exercise.task:
        yield from wrap(flat(exercise.task[language]), _width())


def verdict(exercise: Exercise, outcome: "Outcome", language: Language) -> Iterator[str]:
    """What came of a check: the status, what is wrong, what it looks like, what the code printed."""
    first, *rest = outcome.lines if outcome.passed or len(outcome.lines) == 1 else ("", *outcome.lines)
    yield f"{exercise.name}: {first or say(language, outcome.status)}"
    for line in rest:
        yield from (f"  {part}" for part in wrap(line, _width() - 2))
    printed = outcome.printed.strip()
    if printed and not outcome.passed:
        yield say(language, "judge.printed")
        yield from (f"  | {line}" for line in harmless(printed).splitlines()[-10:])


def after_passing(desk: Desk, exercise: Exercise, language: Language) -> Iterator[str]:
    """Why it is so, where the solution lies, what comes next."""
    yield ""
    yield from explanation(exercise, language)
    yield ""
    solution = desk.root / "solutions" / exercise.file
    if solution.exists():
        yield say(language, "check.solution", path=near(solution))
    with contextlib.suppress(UserError):
        method, _ = method_of(exercise)
        yield say(language, "run.try", name=exercise.name, method=method.rpartition(".")[2])
    following = desk.current
    if following is None:
        yield say(language, "next.all")
    else:
        yield say(language, "check.next", name=following.name, title=following.title[language])


def explanation(exercise: Exercise, language: Language) -> Iterator[str]:
    """Why the solution is as it is."""
    yield from wrap(flat(exercise.explanation[language]), _width())


def hints(exercise: Exercise, count: int, language: Language) -> Iterator[str]:
    """The first `count` hints."""
    texts = exercise.hints[language]
    for number, text in enumerate(texts[:count], 1):
        yield say(language, "hint.number", number=number, of=len(texts))
        yield from (f"  {line}" for line in wrap(flat(text), _width() - 2))


def isolation(worker: "Worker", language: Language) -> str:
    """Which steps were in force, on one line."""
    steps = [say(language, f"isolation.{step}") for step in _STEPS if step in worker.in_force]
    steps = steps or [say(language, "isolation.none")]
    steps.append(say(language, "isolation.unprivileged" if worker.unprivileged else "isolation.root"))
    return say(language, "isolation", steps=", ".join([*steps, say(language, "isolation.limits")]))


def compared(pair: "SideBySide", language: Language) -> Iterator[str]:
    """Two runs, step by step as they come; then both curves and where they part."""
    from learn_llm.charts import render

    ours, theirs = say(language, "run.ours"), say(language, "run.yours")
    method = " ".join([pair.method.rpartition(".")[2], *pair.arguments])
    yield say(language, "run.begin", method=method, target=pair.target.partition(":")[2])
    for step in pair.run():
        name = pair.shown
        mark = f"   < {', '.join(step.differing[:2])}" if step.differing else ""
        values = f"{ours} {step.ours.get(name, NAN):.6g}   {theirs} {step.theirs.get(name, NAN):.6g}{mark}"
        yield f"{step.step:>4}/{step.steps}   {name}: {values}"
    if len(pair.steps) > 1:
        yield ""
        yield render(pair.chart(ours, theirs), 72, 14)
    yield ""
    for text in _parting(pair, language):
        yield from wrap(text, _width())


def _parting(pair: "SideBySide", language: Language) -> Iterator[str]:
    """Where the two part, and what became of the claim in each."""
    parting, result = pair.parting, pair.other_result
    if not pair.calls:
        yield say(language, "run.unused", function=pair.target.partition(":")[2])
    elif parting is not None:
        first = ", ".join(
            f"{name} {parting.ours.get(name, NAN):.6g} / {parting.theirs.get(name, NAN):.6g}"
            for name in parting.differing[:4]
        )
        yield say(language, "run.part", step=parting.step, metrics=first)
    elif result:
        yield say(language, "run.part.result", result=result)
    else:
        yield say(language, "run.same", steps=len(pair.steps), calls=pair.calls)
    for who, verdict in zip((say(language, "run.ours"), say(language, "run.yours")), pair.verdicts, strict=True):
        if verdict is not None:
            yield say(language, "run.holds" if verdict.holds else "run.fails", who=who, claim=verdict.claim)


def near(path: Path) -> str:
    """A path as one would type it from here."""
    try:
        relative = os.path.relpath(path)
    except ValueError:
        return str(path)
    return str(path) if relative.startswith(os.path.join("..", "..")) else relative


def _width() -> int:
    return min(WIDTH, shutil.get_terminal_size().columns)


def flat(text: str) -> str:
    """A text of several lines as one; between Japanese characters no space is put."""
    lines = [line.strip() for line in text.splitlines()]
    joined = lines[0]
    for line in lines[1:]:
        both_wide = ord(joined[-1:] or " ") > 0x2E80 and ord(line[:1] or " ") > 0x2E80
        joined += line if both_wide else f" {line}"
    return joined


def harmless(text: str) -> str:
    """Without control characters, which could move the cursor or hide text."""
    return "".join(char for char in text if char.isprintable() or char == "\n")
