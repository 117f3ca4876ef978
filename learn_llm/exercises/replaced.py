"""A method's run with the learner's function in place of ours: `python -m learn_llm.exercises.replaced`.

    python -m learn_llm.exercises.replaced learn_llm.minimal_impls.ppo learn_llm.minimal_impls.ppo:gae gae.py --json

An empty file name leaves ours in place.  The learner's code runs here as any program of theirs would.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from learn_llm.exercises.judge import read
from learn_llm.running import main as run_main


def put_in_place(target: str, function: Callable[..., Any]) -> None:
    """Make `function` what the package calls under the name `target`, wherever it was imported."""
    origin, _, name = target.partition(":")
    owner: Any = importlib.import_module(origin)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    ours = getattr(owner, last)
    setattr(owner, last, function)
    for module in [module for key, module in sys.modules.items() if key.startswith("learn_llm.")]:
        for key in [key for key, value in vars(module).items() if value is ours]:
            setattr(module, key, function)


def function_of(path: Path, name: str) -> Callable[..., Any]:
    """The learner's function."""
    module = ModuleType("exercise")
    module.__file__ = str(path)
    exec(compile(read(path), str(path), "exec"), vars(module))
    function: Callable[..., Any] = vars(module)[name]
    return function


def main(arguments: Sequence[str]) -> NoReturn:
    """Run the method of the first argument with the function of the second taken from the file of the third."""
    method, target, file, *rest = arguments
    module = importlib.import_module(method)
    if file:
        put_in_place(target, function_of(Path(file), target.rpartition(":")[2].rpartition(".")[2]))
    run_main(module.run, module.Config, rest, name=method.rpartition(".")[2])


if __name__ == "__main__":
    main(sys.argv[1:])
