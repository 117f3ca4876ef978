"""Does a right answer train the model to the same numbers as the package's function, and where does a wrong one part?

    python -m benchmarks.exercise_run [EXERCISE ...] [--full]

Solutions: for every exercise that has a run, the method with our function and with the learner's file of the solution
in its place, in one process, on few steps and prompts (`--full`: as `learn-llm exercise run` does it, for hours).  A
row says how often the learner's function was called and what differs first, bit for bit, of all that a run says.

Mistakes: the two processes of `learn-llm exercise run`, with known-wrong variants of PPO's functions and of one of
DPO's; a row ends in the step at which the two curves part.  The first row is a solution, which must not part.

Ends with 1 where a solution differs, or was not called, or a mistake does not part.
"""

import argparse
import dataclasses
import importlib
import itertools
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tyro

from learn_llm import examples
from learn_llm.errors import UserError
from learn_llm.events import Event, Metrics
from learn_llm.exercises.courses import Exercise, load_course
from learn_llm.exercises.replaced import Counted, function_in, put_in_place
from learn_llm.exercises.side_by_side import SideBySide
from learn_llm.exercises.skeleton import files, method_of, mistaken, run_options

QUICK: Mapping[str, object] = {
    "steps": 2, "batch_size": 8, "mini_batch_size": 4, "pairs": 64, "held_out_pairs": 32, "demonstrations": 96,
    "prompts": 8, "hard": 8, "rephrased": 4, "held_out_prompts": 16, "samples": 16, "max_new_tokens": 12,
    "probe_every": 2,
}  # fmt: skip
HELD_OUT = 64
"""Prompts of an evaluation, of the tiny world's 512."""
PPO = ("--steps", "4", "--batch-size", "24", "--mini-batch-size", "8", "--max-new-tokens", "12")
DPO = ("--steps", "4", "--batch-size", "8", "--pairs", "64", "--held-out-pairs", "32", "--max-new-tokens", "12")
MISTAKES = (
    ("gae", "", PPO),
    ("gae", "decay_gamma_only", PPO),
    ("gae", "no_bootstrap", PPO),
    ("clipped_policy_loss", "no_clip", PPO),
    ("clipped_policy_loss", "ratio_inverted", PPO),
    ("adaptive_kl", "reversed", PPO),
    ("dpo_loss", "reference_sign", DPO),
)
"""Exercise, known-wrong variant (none: the solution), options of its run."""


def config_of(exercise: Exercise, full: bool) -> Any:
    """The run's Config with the exercise's options; a method's made small unless `full`; a demo takes seconds."""
    config_type = importlib.import_module(method_of(exercise)[0]).Config
    config = tyro.cli(config_type, args=run_options(exercise))
    names = {field.name for field in dataclasses.fields(config)}
    small = {name: value for name, value in QUICK.items() if name in names}
    return config if full or ".demos." in config_type.__module__ else dataclasses.replace(config, **small)


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


def solutions(exercises: Sequence[Exercise], full: bool) -> Iterator[bool]:
    """Run them all and print a row each; whether it is as it should be."""
    ours: dict[tuple[str, ...], list[Event]] = {}
    print(f"{'solution of':<22}{'run':<28}{'steps':>6}{'results':>9}{'calls':>8}{'s':>7}")
    for exercise in exercises:
        method, target = method_of(exercise)
        begun = time.monotonic()
        key = (method, *run_options(exercise))
        if key not in ours:
            ours[key] = events_of(exercise, full)
        counted = Counted()
        text = files(exercise)
        before = put_in_place(target, counted.wrap(function_in(text.solution, f"{exercise.name}.py", text.function)))
        try:
            theirs = events_of(exercise, full)
        finally:
            put_in_place(target, before)
        difference = first_difference(ours[key], theirs)
        steps = sum(isinstance(event, Metrics) for event in theirs)
        counts = f"{steps:>6}{len(theirs) - steps:>9}{counted.calls:>8}{time.monotonic() - begun:>7.1f}"
        said = difference or ("the same" if counted.calls else "was never called")
        print(f"{exercise.name:<22}{method.rpartition('.')[2]:<28}{counts}  {said}", flush=True)
        yield not difference and counted.calls > 0


def mistakes(exercises: Sequence[Exercise]) -> Iterator[bool]:
    """Run each mistake beside our function, in two processes, and print a row; whether it is as it should be."""
    by_name = {exercise.name: exercise for exercise in exercises}
    rows = [row for row in MISTAKES if row[0] in by_name]
    if rows:
        print(f"\n{'with this mistake':<40}{'run':<10}{'s':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for name, variant, options in rows:
            begun = time.monotonic()
            exercise, path = by_name[name], Path(folder, f"{name}.py")
            path.write_text(mistaken(exercise, variant) if variant else files(exercise).solution, encoding="utf-8")
            pair = SideBySide(exercise, path, options)
            for step in pair.run():
                if variant and step.differing:
                    break  # and both processes are ended
            parting = pair.parting
            if parting is not None:
                metric = parting.differing[0]
                values = f"{metric} {parting.ours[metric]:.6g}, not {parting.theirs.get(metric, math.nan):.6g}"
                said = f"parts at step {parting.step} of {parting.steps}: {values}"
            elif pair.other_result:
                said = f"the same steps, another result: {pair.other_result}"
            else:
                said = f"the same in {len(pair.steps)} steps and every result, {pair.calls} calls"
            label = f"{name}: {variant or 'none, the solution'}"
            seconds = f"{time.monotonic() - begun:>7.1f}"
            print(f"{label:<40}{pair.method.rpartition('.')[2]:<10}{seconds}  {said}", flush=True)
            yield parting is not None if variant else parting is None and not pair.other_result and pair.calls > 0


def has_run(exercise: Exercise) -> bool:
    """Whether its function is part of a run."""
    try:
        method_of(exercise)
    except UserError:
        return False
    return True


def main() -> int:
    """Both tables, and how much of them is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="EXERCISE", help="only these")
    parser.add_argument("--full", action="store_true", help="the solutions' runs at their full length")
    arguments = parser.parse_args()
    course, begun = load_course(), time.monotonic()
    chosen = [course.get(name) for name in arguments.names] or course.exercises
    exercises = [exercise for exercise in chosen if has_run(exercise)]
    if not arguments.full:
        examples.HELD_OUT = HELD_OUT
    right, parted = list(solutions(exercises, arguments.full)), list(mistakes(exercises))
    print(f"\n{sum(right)} of {len(right)} solutions give the same numbers, bit for bit", end="; ")
    print(f"{sum(parted)} of {len(parted)} rows of mistakes are as they should be", end="; ")
    print(f"{len(chosen) - len(exercises)} exercises have no run; {time.monotonic() - begun:.0f} s")
    return int(not all(right + parted))


if __name__ == "__main__":
    sys.exit(main())
