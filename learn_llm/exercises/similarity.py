"""Which submissions are alike: the same text, or the same code but for names, comments, docstrings and layout."""

import ast
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Pair:
    """Two students and the exercises that they answered alike."""

    one: str
    other: str
    same_text: list[str] = field(default_factory=list)
    same_code: list[str] = field(default_factory=list)


def alike(
    sources: Mapping[tuple[str, str], str], starts: Mapping[str, str], functions: Mapping[str, str]
) -> list[Pair]:
    """The pairs of students with answers alike, most alike first.

    Args:
        sources: submitted texts by student and exercise.
        starts: what the exercises begin with: who changed nothing is like nobody.
        functions: the function that each exercise asks for; only its code is compared.
    """
    texts: dict[tuple[str, str], list[str]] = defaultdict(list)
    codes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (student, exercise), source in sources.items():
        code = fingerprint(source, functions[exercise])
        if code and code != fingerprint(starts[exercise], functions[exercise]):
            texts[exercise, " ".join(source.split())].append(student)
            codes[exercise, code].append(student)
    pairs: dict[tuple[str, str], Pair] = {}
    for (exercise, _), group in texts.items():
        for one, other in itertools.combinations(sorted(group), 2):
            pairs.setdefault((one, other), Pair(one, other)).same_text.append(exercise)
    for (exercise, _), group in codes.items():
        for one, other in itertools.combinations(sorted(group), 2):
            pair = pairs.setdefault((one, other), Pair(one, other))
            if exercise not in pair.same_text:
                pair.same_code.append(exercise)
    return sorted(pairs.values(), key=lambda pair: (-len(pair.same_text), -len(pair.same_code), pair.one, pair.other))


def fingerprint(source: str, function: str) -> str:
    """A digest of a function's code that names, comments and layout do not change; nothing where there is none.

    >>> fingerprint("def f(a):\\n  b = a  # hm\\n  return b", "f") == fingerprint("def f(x):\\n y=x\\n return y", "f")
    True
    """
    try:
        tree = ast.parse(source)
        found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
        return hashlib.sha256(ast.dump(_Plain().visit(found[-1])).encode()).hexdigest() if found else ""
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


class _Plain(ast.NodeTransformer):
    """Local names become numbers in the order of their first use; docstrings and annotations go."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        for statement in ast.walk(node):
            if isinstance(statement, ast.Name) and isinstance(statement.ctx, ast.Store):
                self._number(statement.id)
        body: Sequence[ast.stmt] = node.body
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            node.body = node.body[1:] or [ast.Pass()]
        node.returns, node.name, node.decorator_list = None, self._number(node.name), []
        self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self._number(node.arg), None)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.Pass()
        return ast.Assign([self.visit(node.target)], self.visit(node.value))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)

    def _number(self, name: str) -> str:
        return self.names.setdefault(name, f"_{len(self.names)}")
