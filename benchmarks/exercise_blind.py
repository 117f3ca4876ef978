"""Wrong answers written without sight of the known mistakes: what do the checks say of them?

    python -m benchmarks.exercise_blind [SET ...] [--show] [--json]

A set is a file of benchmarks/blind_answers: of each answer the exercise, the code, the mistake in words, and `named`,
the known mistakes (names of wrong_ functions) that say the same, as a reader judged.  The diagnosis is right where it
is one of those, wrong where it is another, generic where none is given (the place and both values are); an answer that
is accepted has passed.  Ends with 1 where a diagnosis is wrong or an answer passes.
"""

import argparse
import json
import sys
import tomllib
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from learn_llm.exercises.courses import load_course
from learn_llm.exercises.judge import Judge
from learn_llm.exercises.skeleton import files
from learn_llm.exercises.workers import Worker

SETS = Path(__file__).parent / "blind_answers"
KINDS = ("right", "generic", "wrong", "passed")


@dataclass(frozen=True)
class Judged:
    """What the check said of one answer."""

    exercise: str
    mistake: str
    kind: str
    variant: str
    message: str


def judged(answer: dict[str, object], worker: Worker) -> Judged:
    """Check one answer: the learner's file with this function in place of the one to be written."""
    exercise = load_course().get(str(answer["exercise"]))
    texts = files(exercise)
    given = texts.start[: texts.start.rindex(f"def {texts.function}(")]
    outcome = Judge(exercise).check_source(given + str(answer["code"]), exercise.file.name, worker)
    named = answer.get("named", [])
    assert isinstance(named, list)
    kind = "right" if outcome.variant in named else "wrong" if outcome.variant else "generic"
    kind = "passed" if outcome.passed else kind
    return Judged(exercise.name, str(answer["mistake"]), kind, outcome.variant, "\n    ".join(outcome.lines))


def main() -> int:
    """Check the sets and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=sorted(path.stem for path in SETS.glob("*.toml")))
    parser.add_argument("--show", action="store_true", help="print each answer's message")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    found: dict[str, list[Judged]] = {}
    with Worker([load_course().folder]) as worker:
        for name in arguments.sets:
            answers = tomllib.loads((SETS / f"{name}.toml").read_text(encoding="utf-8"))["answer"]
            found[name] = []
            for answer in answers:
                found[name].append(judged(answer, worker))
                if arguments.show:
                    one = found[name][-1]
                    print(f"{one.kind}  {one.exercise}: {one.mistake}\n    [{one.variant}] {one.message}", flush=True)
    counts = {name: Counter(item.kind for item in items) for name, items in found.items()}
    if arguments.json:
        print(json.dumps({name: [asdict(item) for item in items] for name, items in found.items()}, indent=1))
    else:
        print(f"{'set':<10}{'answers':>9}" + "".join(f"{kind:>9}" for kind in KINDS))
        for name, count in counts.items():
            print(f"{name:<10}{count.total():>9}" + "".join(f"{count[kind]:>9}" for kind in KINDS))
    return int(any(count["wrong"] + count["passed"] for count in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
