"""A method's run with the learner's function in place of ours: `python -m learn_llm.exercises.replaced`.

    python -m learn_llm.exercises.replaced learn_llm.minimal_impls.ppo learn_llm.minimal_impls.ppo:gae gae.py --json

An empty file name leaves ours in place.  The learner's code runs here as any program of theirs would; what it prints
goes to standard error, and the last line on standard output says how often it was called.
"""

import contextlib
import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from learn_llm.errors import UserError
from learn_llm.exercises.reading import read
from learn_llm.exercises.side_by_side import CALLS
from learn_llm.running import main as run_main


def put_in_place(target: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Make `function` what the package calls under the name `target`, wherever it was imported; what was there."""
    origin, _, name = target.partition(":")
    owner: Any = importlib.import_module(origin)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    ours: Callable[..., Any] = getattr(owner, last)
    setattr(owner, last, function)
    for module in [module for key, module in sys.modules.items() if key.startswith("learn_llm.")]:
        for key in [key for key, value in vars(module).items() if value is ours]:
            setattr(module, key, function)
    return ours


def function_in(source: str, file: str, name: str) -> Callable[..., Any]:
    """The function of this name in a learner's text.  Raises UserError where there is none."""
    module = ModuleType("exercise")
    module.__file__ = file
    exec(compile(source, file, "exec"), vars(module))
    if name not in vars(module):
        raise UserError(f"the file has no function {name}: was it renamed?")
    function: Callable[..., Any] = vars(module)[name]
    return function


class Counted:
    """Counts the calls of a function."""

    def __init__(self) -> None:
        self.calls = 0

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, counted; events and what it prints do not mix."""

        @functools.wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            with contextlib.redirect_stdout(sys.stderr):
                return function(*args, **kwargs)

        return counted


def main(arguments: Sequence[str]) -> NoReturn:
    """Run the method of the first argument with the function of the second taken from the file of the third."""
    method, target, file, *rest = arguments
    module = importlib.import_module(method)
    counted = Counted()
    if file:
        try:
            function = function_in(read(Path(file)), file, target.rpartition(":")[2].rpartition(".")[2])
        except UserError as error:
            sys.exit(str(error))
        put_in_place(target, counted.wrap(function))
    try:
        run_main(module.run, module.Config, rest, name=method.rpartition(".")[2])
    finally:
        print(f"{CALLS}{counted.calls}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
