"""Does a learner's right answer train the model to the same numbers as the package's own function, bit for bit?

    python -m benchmarks.exercise_run [EXERCISE ...] [--full]

For each exercise that has a run: the method with our function and with the learner's file of the solution in its place,
in one process, on few steps and prompts (`--full`: as `learn-llm exercise run` does it).  A row says how often the
learner's function was called and what differs first.  Ends with 1 where something differs, or nothing was called.
"""

import argparse
import dataclasses
import importlib
import itertools
import sys
import time
from collections.abc import Mapping
from typing import Any

import tyro

from learn_llm.errors import UserError
from learn_llm.events import Event, Metrics
from learn_llm.exercises.courses import Exercise, load_course
from learn_llm.exercises.replaced import Counted, function_in, put_in_place
from learn_llm.exercises.skeleton import files, method_of, run_options

QUICK: Mapping[str, object] = {
    "steps": 2, "batch_size": 8, "mini_batch_size": 4, "pairs": 64, "held_out_pairs": 32, "demonstrations": 96,
    "prompts": 8, "hard": 8, "rephrased": 4, "held_out_prompts": 16, "samples": 16, "max_new_tokens": 12,
    "probe_every": 2,
}  # fmt: skip


def config_of(exercise: Exercise, full: bool) -> Any:
    """The run's Config with the exercise's options, made small unless `full`."""
    config_type = importlib.import_module(method_of(exercise)[0]).Config
    config = tyro.cli(config_type, args=run_options(exercise))
    names = {field.name for field in dataclasses.fields(config)}
    quick = QUICK if ".minimal_impls." in config_type.__module__ else {"steps": 10}
    small = {name: value for name, value in quick.items() if name in names}
    return config if full else dataclasses.replace(config, **small)


def events_of(exercise: Exercise, full: bool) -> list[Event]:
    """All that the run says."""
    module = importlib.import_module(method_of(exercise)[0])
    return list(module.run(config_of(exercise, full)))


def first_difference(ours: list[Event], theirs: list[Event]) -> str:
    """The first of our events that theirs has not, or nothing."""
    for one, other in itertools.zip_longest(ours, theirs):
        if repr(one) != repr(other):
            return f"differs: {one}"[:300]
    return ""


def main() -> int:
    """Run them all and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--full", action="store_true")
    arguments = parser.parse_args()
    course = load_course()
    ours: dict[tuple[str, ...], list[Event]] = {}
    bad = 0
    print(f"{'exercise':<22}{'method':<44}{'steps':>6}{'results':>9}{'calls':>8}{'s':>6}  ")
    for exercise in [course.get(name) for name in arguments.names] or course.exercises:
        try:
            method, target = method_of(exercise)
        except UserError:
            continue
        options = run_options(exercise)
        begun = time.monotonic()
        key = (method, *options)
        if key not in ours:
            ours[key] = events_of(exercise, arguments.full)
        counted = Counted()
        text = files(exercise)
        before = put_in_place(target, counted.wrap(function_in(text.solution, f"{exercise.name}.py", text.function)))
        try:
            theirs = events_of(exercise, arguments.full)
        finally:
            put_in_place(target, before)
        said = first_difference(ours[key], theirs) or "the same"
        bad += said != "the same" or not counted.calls
        steps = sum(isinstance(event, Metrics) for event in theirs)
        name = " ".join([method.removeprefix("learn_llm."), *options])
        seconds = time.monotonic() - begun
        counts = f"{steps:>6}{len(theirs) - steps:>9}{counted.calls:>8}{seconds:>6.1f}"
        print(f"{exercise.name:<22}{name:<44}{counts}  {said}", flush=True)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
