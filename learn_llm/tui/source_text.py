"""What a demo runs, to be read: its file and those of the methods that it calls, each with its formula marked."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from textual.content import Content

import learn_llm
from learn_llm.demos.entry import Demo
from learn_llm.tui.prose import Block

PACKAGE = Path(learn_llm.__file__).parent
METHODS = "learn_llm.minimal_impls"
NUMBER = 6
"""Columns of a line's number and of the blanks behind it."""


@dataclass(frozen=True)
class Source:
    """A file: its name in the package, its lines, and of these those of its formula, counted from 0."""

    name: str
    lines: tuple[str, ...]
    formula: range


def sources(demo: Demo) -> list[Source]:
    """The demo's file, then those of the methods that it imports."""
    own = PACKAGE / "demos" / f"{demo.module}.py"
    methods = dict.fromkeys(_methods(ast.parse(own.read_text("utf-8"))))
    return [_source(own), *(_source(PACKAGE / "minimal_impls" / f"{name}.py") for name in methods)]


def _methods(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(METHODS):
            inside = str(node.module).removeprefix(METHODS).lstrip(".")
            yield from [inside] if inside else [alias.name for alias in node.names]


def _source(file: Path) -> Source:
    text = file.read_text("utf-8")
    lines = tuple(text.splitlines())
    return Source(str(file.relative_to(PACKAGE.parent)), lines, formula(text))


def formula(text: str) -> range:
    """The lines of the first formula of a file: what stands indented in its docstring, and is no command.

    >>> formula('\"\"\"Loss.' + chr(10) * 2 + '    L = -log p' + chr(10) * 2 + '    python -m x' + chr(10) + '\"\"\"')
    range(2, 3)
    """
    body = ast.parse(text).body
    end = body[0].end_lineno or 0 if body else 0  # of the docstring
    numbered = enumerate(text.splitlines()[:end])
    for indented, group in groupby(numbered, lambda line: line[1].startswith("    ")):
        found = list(group)
        if indented and not any("python -m" in line for _, line in found):
            return range(found[0][0], found[-1][0] + 1)
    return range(1)


def blocks(source: Source) -> list[Block]:
    """The file line by line, each with its number; the formula stands out."""
    return [
        Block(
            Content.styled(line, "bold $text-primary" if number in source.formula else ""),
            lead=f"{number + 1:>4}  ",
            indent=NUMBER,
            gap=False,
        )
        for number, line in enumerate(source.lines)
    ]


def height(shown: Sequence[Block], width: int) -> int:
    """How many lines these blocks take."""
    return sum(len(block.lines(width)) for block in shown)
