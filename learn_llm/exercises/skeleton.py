"""From the real function to the learner's file: its signature and docstring, and a TODO where the body was.

The source is read, never imported, so no torch is loaded.  A learner's file does not import learn_llm, where the
solution lies: what the function uses of it (helpers, aliases, constants) is copied above it, recursively.
"""

import ast
import copy
import importlib.util
import shlex
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from learn_llm.errors import UserError
from learn_llm.exercises.courses import Exercise, Language

TODO = "    # TODO\n    raise NotImplementedError\n"
Function = ast.FunctionDef
_CALLED_BY = {
    **dict.fromkeys(("gpt", "training", "examples"), "sft"),
    **dict.fromkeys(("rollouts", "sampling", "kv_cache"), "ppo"),
    "minimal_impls.coh_rows": "coh",
}
"""A method whose run calls the functions of a module that is none itself."""
_TIMED = ("learn_llm.demos.kv_cache",)
"""Runs that measure time, which is never the same twice."""


@dataclass(frozen=True, eq=False)
class Module:
    """A source file, and which statement at its top binds which name."""

    path: Path
    text: str
    bindings: dict[str, ast.stmt]

    def source(self, node: ast.stmt, first: int | None = None, last: int | None = None) -> str:
        """The lines of a statement, dedented; `first` and `last` are line numbers from 1."""
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        first = first or min([node.lineno, *(decorator.lineno for decorator in decorators)])
        lines = self.text.splitlines()[first - 1 : last or node.end_lineno]
        return textwrap.dedent("\n".join(lines)) + "\n"


@dataclass
class Given:
    """What a function needs around it: import lines, and source copied from learn_llm."""

    imports: set[str] = field(default_factory=set)
    sources: dict[str, str] = field(default_factory=dict)
    _seen: set[tuple[Path, str]] = field(default_factory=set)

    def add(self, module: Module, node: ast.stmt, leave: str = "") -> None:
        """All that `node` of a module uses; the name `leave` is the function itself."""
        for name in _free_names(node):
            if name != leave and name in module.bindings and (module.path, name) not in self._seen:
                self._seen.add((module.path, name))
                self._bind(module, name)

    def _bind(self, module: Module, name: str) -> None:
        node = module.bindings[name]
        if isinstance(node, ast.Import):
            alias = next(alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) == name)
            self.imports.add(f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else ""))
        elif isinstance(node, ast.ImportFrom):
            alias = next(alias for alias in node.names if (alias.asname or alias.name) == name)
            origin = node.module or ""
            if origin.split(".")[0] == "learn_llm":
                self._copy(read_module(origin), alias.name, name)
            else:
                self.imports.add(f"from {origin} import {alias.name}" + (f" as {name}" if alias.asname else ""))
        else:
            self._copy(module, name, name)

    def _copy(self, module: Module, name: str, as_name: str) -> None:
        node = module.bindings.get(name)
        if node is None:
            raise UserError(
                f"{module.path} has no {name} at its top; an exercise cannot use a whole module of learn_llm"
            )
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._bind(module, name)
        else:
            self.add(module, node, leave=name)
            source = module.source(node)
            if self.sources.get(name, source) != source:
                raise UserError(f"{module.path}: two different {name} are needed in one file")
            self.sources[name] = source
        if as_name != name:
            self.sources[as_name] = f"{as_name} = {name}\n"

    @property
    def lines(self) -> int:
        return sum(source.count("\n") for source in self.sources.values())


@dataclass(frozen=True, eq=False)
class Files:
    """An exercise as source texts."""

    function: str
    parameters: tuple[str, ...]
    start: str
    """What the learner begins with."""
    solution: str
    given_lines: int
    wrong: dict[str, tuple[str, ...]]
    """The parameters of each known-wrong variant."""
    start_variant: str
    """The variant that a bug exercise begins with, or nothing."""


def files(exercise: Exercise, language: Language = "en") -> Files:
    """The texts of an exercise.  Raises UserError where its target is not there."""
    code = _parse(exercise.code)
    module, target = _target(exercise, code)
    variant = _constant_name(code, "START")
    head, given = _head(module, target), Given()
    given.add(module, target, leave=target.name)
    start_given, body = _mistaken(exercise, code, given, variant) if variant else (given, TODO)
    wrongs = {
        name.removeprefix("wrong_"): _parameters(node)
        for name, node in code.bindings.items()
        if name.startswith("wrong_") and isinstance(node, Function)
    }
    header = _header(exercise, language)
    return Files(
        target.name,
        _parameters(target),
        start=_file(header, start_given, head + body),
        solution=_file(header, given, head + _body(module, target)),
        given_lines=start_given.lines,
        wrong=wrongs,
        start_variant=variant.removeprefix("wrong_"),
    )


def mistaken(exercise: Exercise, variant: str, language: Language = "en") -> str:
    """The learner's file with a known mistake as its answer.  Raises UserError."""
    code = _parse(exercise.code)
    module, target = _target(exercise, code)
    given = Given()
    given.add(module, target, leave=target.name)
    given, body = _mistaken(exercise, code, given, f"wrong_{variant}")
    return _file(_header(exercise, language), given, _head(module, target) + body)


def _mistaken(exercise: Exercise, code: Module, given: Given, name: str) -> tuple[Given, str]:
    """What is given, with what the function `name` of NAME.py needs besides; and its body."""
    wrong = code.bindings.get(name)
    if not isinstance(wrong, Function):
        raise UserError(f"{exercise.code}: there is no function {name}")
    more = copy.deepcopy(given)
    more.add(code, wrong, leave=name)
    return more, _body(code, wrong)


def _head(module: Module, target: Function) -> str:
    """Signature and docstring."""
    last = target.body[0].end_lineno if _has_docstring(target) else target.body[0].lineno - 1
    return module.source(target, target.lineno, last)


def method_of(exercise: Exercise) -> tuple[str, str]:
    """The run that an exercise's function is part of, and TARGET.  Raises UserError where there is none.

    It is the function's own module, where that is one with `run` and `Config`, else one that calls it.
    """
    target = _constant(_parse(exercise.code), "TARGET")
    module = target.partition(":")[0].removeprefix("learn_llm.")
    run = f"learn_llm.minimal_impls.{_CALLED_BY[module]}" if module in _CALLED_BY else target.partition(":")[0]
    if not target or run in _TIMED or not {"run", "Config"} <= read_module(run).bindings.keys():
        raise UserError(f"{exercise.name} is part of no run; try one of the chapters on training")
    return run, target


def run_options(exercise: Exercise) -> list[str]:
    """The options of that run, where by itself it does not call the function, or takes too long: RUN."""
    return shlex.split(_constant(_parse(exercise.code), "RUN"))


def read_module(name: str) -> Module:
    """The source of a module, without running it.  Raises UserError."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise UserError(f"there is no module {name}")
    return _parse(Path(spec.origin))


def _parse(path: Path) -> Module:
    try:
        return _parsed(path, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{path} is no Python: {error}") from None


@lru_cache(maxsize=128)
def _parsed(path: Path, text: str) -> Module:
    bindings: dict[str, ast.stmt] = {}
    for node in ast.parse(text).body:
        for name in _bound(node):
            bindings[name] = node
    return Module(path, text, bindings)


def _bound(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.Import():
            return [alias.asname or alias.name.split(".")[0] for alias in node.names]
        case ast.ImportFrom():
            return [alias.asname or alias.name for alias in node.names]
        case ast.Assign():
            return [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        case ast.AnnAssign():
            return [node.target.id] if isinstance(node.target, ast.Name) else []
        case _:
            return []


def function_at(target: str) -> tuple[str, ...]:
    """The parameters of the function "module:name".  Raises UserError where there is none."""
    origin, _, name = target.partition(":")
    found = _within(read_module(origin), name.split("."))
    if found is None:
        raise UserError(f"there is no function {name} in {origin}; say module:function")
    return _parameters(found)


def _target(exercise: Exercise, code: Module) -> tuple[Module, Function]:
    """The function that is to be written, and the module that it stands in."""
    node = code.bindings.get("TARGET")
    value = node.value if isinstance(node, ast.Assign) else None
    if isinstance(value, ast.Name):
        module, path = code, [value.id]
    elif isinstance(value, ast.Constant) and isinstance(value.value, str) and ":" in value.value:
        origin, _, name = value.value.partition(":")
        try:
            module, path = read_module(origin), name.split(".")
        except UserError as error:
            raise UserError(f"{exercise.code}: TARGET = {value.value!r}: {error}") from None
    else:
        raise UserError(f'{exercise.code}: it needs TARGET = "module:function"')
    found = _within(module, path)
    if found is None:
        raise UserError(f"{exercise.code}: TARGET: there is no function {'.'.join(path)} in {module.path.name}")
    return module, found


def _within(module: Module, path: Sequence[str]) -> Function | None:
    """The function of this name, or the method Class.name."""
    found: ast.stmt | None = module.bindings.get(path[0])
    for part in path[1:]:
        inner = found.body if isinstance(found, ast.ClassDef) else []
        found = next((item for item in inner if isinstance(item, Function) and item.name == part), None)
    return found if isinstance(found, Function) else None


def _constant(code: Module, name: str) -> str:
    """The text that a name at the top of NAME.py is set to, or nothing."""
    node = code.bindings.get(name)
    value = node.value.value if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) else ""
    return value if isinstance(value, str) else ""


def _constant_name(code: Module, name: str) -> str:
    node = code.bindings.get(name)
    return node.value.id if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) else ""


def _free_names(node: ast.stmt) -> list[str]:
    """The names that a statement uses and does not bind itself, in the order of their first use."""
    names = [item for item in ast.walk(node) if isinstance(item, ast.Name)]
    bound = {item.id for item in names if not isinstance(item.ctx, ast.Load)}
    bound |= {item.arg for item in ast.walk(node) if isinstance(item, ast.arg)}
    return list(dict.fromkeys(item.id for item in names if item.id not in bound))


def _has_docstring(node: Function) -> bool:
    first = node.body[0]
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


def _body(module: Module, node: Function) -> str:
    """The lines behind the docstring, as a body of a function at the top of a file."""
    before = node.body[0].end_lineno if _has_docstring(node) else None
    first = (before + 1) if before else node.body[0].lineno
    return textwrap.indent(module.source(node, first), "    ", lambda line: bool(line.strip()))


def _parameters(node: Function) -> tuple[str, ...]:
    arguments = node.args
    return tuple(item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))


def _header(exercise: Exercise, language: Language) -> str:
    lines = [exercise.title[language], f"learn-llm exercise check {exercise.name}"]
    if exercise.task:
        from learn_llm.quizzes.plain import wrap

        lines += ["", *wrap(" ".join(exercise.task[language].split()), 100)]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def _file(header: str, given: Given, function: str) -> str:
    tools = {"import torch"} if any("torch" in line for line in given.imports) else set()  # for the worked example
    imports = sorted(given.imports | tools, key=lambda line: (line.startswith("from"), line))
    parts = ["\n".join(imports) + "\n"] if imports else []
    blocks = [*given.sources.values(), function]
    previous = ""
    for block in blocks:
        tall = block.startswith(("def ", "class ", "@")) or previous.startswith(("def ", "class ", "@"))
        parts.append(("\n" if tall and (parts or previous) else "") + block)
        previous = block
    return header + "\n" + "\n".join(parts)
