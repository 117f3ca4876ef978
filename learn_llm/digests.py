"""What a kept result depends on, as one digest: it counts as long as nothing of that has changed.

Of source files what counts is the code: comments, docstrings and line breaks do not.
"""

import ast
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

from learn_llm import __version__
from learn_llm.model_store import find

CHECKPOINTS = ("tiny-base", "tiny-sft", "tiny-reward")
SHOWING = ("learn_llm.running", "learn_llm.glossary", "learn_llm.charts")
"""What only shows a run changes no number."""


def digest(modules: Sequence[str], *parts: str) -> str:
    """Of these modules and all that they import of this package, its version, and `parts`.

    The bundled checkpoints count where any of these files can open one.
    """
    files = sorted(frozenset[Path]().union(*(sources(module) for module in modules)))
    opened = CHECKPOINTS if any(file.name == "checkpoints.py" for file in files) else ()
    weights = (hashlib.sha256((find(name) / "model.safetensors").read_bytes()).hexdigest() for name in opened)
    return hashlib.sha256("\n".join((__version__, *map(code, files), *weights, *parts)).encode()).hexdigest()


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
