"""`dev new` and `dev update`: the files of an exercise of one's own, with everything that is still to be written."""

from pathlib import Path

from learn_llm.errors import UserError
from learn_llm.exercises.courses import FORMAT, Exercise, checked_name, mistake_of
from learn_llm.exercises.skeleton import files, function_at

INFO = """format = {format}

[title]
en = "TODO"
ja = "TODO"

[[chapters]]
name = "exercises"
title = {{ en = "TODO", ja = "TODO" }}
exercises = [
    "{name}",
]
"""
TEXTS = """questions = []

[title]
en = "TODO"
ja = "TODO"

[hints]
en = ["TODO: where to look", "TODO: the idea", "TODO: nearly the code"]
ja = ["TODO", "TODO", "TODO"]

[explanation]
en = "TODO: why it is so"
ja = "TODO"
"""
WRONG = """
[wrong.{variant}]
en = "TODO: what this mistake is"
ja = "TODO"
"""
CODE = '''"""TODO."""

from collections.abc import Iterator
from random import Random
from typing import Any

TARGET = "{target}"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    # TODO: fresh arguments, several shapes; learn_llm.exercises.inputs draws tensors and masks
    yield {{{arguments}}}


def wrong_todo({parameters}) -> Any:
    # TODO: a real mistake; better three of them
    return None
'''


def new(folder: Path, name: str, target: str) -> list[Path]:
    """Write the files of a new exercise, and info.toml where there is none.  Raises UserError; overwrites nothing."""
    parameters = function_at(target)
    code, texts, info = folder / f"{name}.py", folder / f"{name}.toml", folder / "info.toml"
    checked_name(name, info, "an exercise")
    contents = {
        code: CODE.format(
            target=target,
            arguments=", ".join(f'"{parameter}": None' for parameter in parameters),
            parameters=", ".join(f"{parameter}: Any" for parameter in parameters),
        ),
        texts: TEXTS + WRONG.format(variant="todo"),
    }
    if not info.exists():
        contents[info] = INFO.format(format=FORMAT, name=name)
    for path in contents:
        if path.exists():
            raise UserError(f"{path} is there already; it was not changed")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in contents.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}") from None
    return list(contents)


def update(exercise: Exercise) -> list[str]:
    """Add an empty message for each known-wrong variant without one; their names."""
    missing = sorted(set(map(mistake_of, files(exercise).wrong)) - exercise.wrong.keys())
    if missing:
        path = exercise.folder / f"{exercise.name}.toml"
        text = path.read_text(encoding="utf-8") + "".join(WRONG.format(variant=variant) for variant in missing)
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror}") from None
    return missing
