"""`dev check`, for authors: every start fails, every solution passes, every known mistake is told as itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from learn_llm.errors import UserError
from learn_llm.exercises.courses import Course, Exercise, mistake_of
from learn_llm.exercises.judge import Judge
from learn_llm.exercises.skeleton import Files, files
from learn_llm.exercises.workers import Worker

SEEDS = (0, 1, 2)
MOST_GIVEN = 80
FEWEST_VARIANTS = 3


@dataclass(frozen=True)
class Checked:
    """What was found about one exercise."""

    exercise: Exercise
    variants: int
    problems: tuple[str, ...]


def check_course(
    course: Course, exercises: Sequence[Exercise], worker: Worker, questions: Mapping[str, object]
) -> Iterator[Checked]:
    """Check some exercises of a course; `questions` are the names and numbers that may be referred to."""
    for exercise in exercises:
        try:
            texts = files(exercise)
            problems = [*_of_texts(exercise, texts, questions)]
            problems += [*_of_variants(exercise), *_of_files(exercise, texts, worker)]
            yield Checked(exercise, len(set(map(mistake_of, texts.wrong))), tuple(problems))
        except UserError as error:
            yield Checked(exercise, 0, (str(error),))


def unlisted(course: Course) -> list[str]:
    """Exercises in the course's folder that info.toml does not name."""
    names = {path.stem for path in course.folder.glob("*.toml")} - {"info"}
    return sorted(names - course.by_name.keys())


def _of_texts(exercise: Exercise, texts: Files, questions: Mapping[str, object]) -> Iterator[str]:
    mistakes = set(map(mistake_of, texts.wrong))
    for variant in mistakes - exercise.wrong.keys():
        yield f"wrong_{variant} has no message: add [wrong.{variant}] to {exercise.name}.toml"
    for variant in exercise.wrong.keys() - mistakes:
        yield f"[wrong.{variant}] has no function: add wrong_{variant} to {exercise.name}.py"
    for variant, parameters in texts.wrong.items():
        if parameters != texts.parameters:
            yield f"wrong_{variant} takes {', '.join(parameters)}; the real function {', '.join(texts.parameters)}"
    if len(mistakes) < FEWEST_VARIANTS:
        yield f"{len(mistakes)} known mistakes; there should be {FEWEST_VARIANTS} or more"
    if texts.given_lines > MOST_GIVEN:
        yield f"{texts.given_lines} lines of given code; at most {MOST_GIVEN}"
    if texts.start_variant and not exercise.task:
        yield "an exercise with START needs a [task]: the symptom"
    if not exercise.task and '"""' not in texts.solution:
        yield "the function has no docstring: add a [task]"
    told = [exercise.title, exercise.task or {}, exercise.explanation, *exercise.wrong.values()]
    written = [text for texts_ in told for text in texts_.values()] + [t for ts in exercise.hints.values() for t in ts]
    if any("TODO" in text for text in written):
        yield f"{exercise.name}.toml still has a TODO"
    for question in exercise.questions:
        if question not in questions:
            yield f"there is no question {question!r}"


def _of_variants(exercise: Exercise) -> Iterator[str]:
    for seed in SEEDS:
        judge = Judge(exercise, seed)
        for variant, answers in judge.answers_of_variants.items():
            if judge.right_about(answers):
                yield f"seed {seed}: wrong_{variant} passes"
                continue
            told = judge.diagnose(answers)
            if told != mistake_of(variant):
                others = [other for other in judge.wrong if mistake_of(other) != mistake_of(variant)]
                same = [other for other in others if judge.alike(other, variant)]
                reason = f"its answers are those of {', '.join(same)}" if same else "it raises on every case"
                yield f"seed {seed}: wrong_{variant} cannot be told: {reason}"


def _of_files(exercise: Exercise, texts: Files, worker: Worker) -> Iterator[str]:
    judge = Judge(exercise)
    file = f"{exercise.name}.py"
    start = judge.check_source(texts.start, file, worker, seconds=60)
    if texts.start_variant:
        if start.variant != texts.start_variant:
            yield f"the start is not told as {texts.start_variant}: {start.status}: {' / '.join(start.lines)}"
    elif start.status != "todo":
        yield f"the start should be to do: {start.status}: {' / '.join(start.lines)}"
    solution = judge.check_source(texts.solution, file, worker, seconds=60)
    if not solution.passed:
        yield f"the solution does not pass: {solution.status}: {' / '.join(solution.lines)}"
