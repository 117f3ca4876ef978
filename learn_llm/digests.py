"""What a kept result depends on, as one digest: it counts as long as nothing of that has changed.

Of source files what counts is the code: comments, docstrings and line breaks do not.
"""

import ast
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

from learn_llm import __version__
from learn_llm.model_store import bundled_folder

DATA = {"checkpoints.py": "*/model.safetensors", "icil_tasks.py": "*.jsonl"}
"""What the files of this package open of what is bundled with it."""
SHOWING = ("learn_llm.running", "learn_llm.glossary", "learn_llm.charts")
"""What only shows a run changes no number."""


def digest(modules: Sequence[str], *parts: str) -> str:
    """Of these modules and all that they import of this package, its version, and `parts`.

    What is bundled counts where any of these files can open it (DATA).
    """
    files = sorted(frozenset[Path]().union(*(sources(module) for module in modules)))
    opened = [file for name in sorted(DATA.keys() & {file.name for file in files}) for file in bundled(DATA[name])]
    held = (hashlib.sha256(file.read_bytes()).hexdigest() for file in opened)
    return hashlib.sha256("\n".join((__version__, *map(code, files), *held, *parts)).encode()).hexdigest()


def bundled(pattern: str) -> list[Path]:
    """Files that come with the package, in one order on every machine.

    >>> [file.name for file in bundled("*.jsonl")]
    ['icil-tasks.jsonl']
    """
    return sorted(bundled_folder().glob(pattern))


@functools.cache
def sources(module: str) -> frozenset[Path]:
    """The files of a module and of all that it imports of this package, however far away.

    >>> sorted(file.name for file in sources("learn_llm.folders"))
    ['folders.py']
    """
    package, found, waiting = Path(__file__).parent, set[Path](), [module]
    while waiting:
        name = waiting.pop()
        file = package.parent / Path(*name.split(".")).with_suffix(".py")
        if name in SHOWING or file in found or not file.exists():
            continue
        found.add(file)
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("learn_llm"):
                waiting += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    return frozenset(found)


@functools.cache
def code(file: Path) -> str:
    """The digest of what a file does."""
    tree = ast.parse(file.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            node.body = [part for part in node.body if not _is_text(part)]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and isinstance(part.value.value, str)
