"""The user's config.toml: the keys of the app.

    [keys]
    card.answer = "space,enter"

Whatever is wrong with the file is told in a line, and the rest of it holds.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from learn_llm.folders import config_folder
from learn_llm.quizzes.texts import Texts

SECTIONS = ("keys",)


@dataclass(frozen=True, init=False)
class Problem:
    """Something that is wrong with the file: what kind of thing, the facts, and what may have been meant."""

    kind: str
    near: Sequence[str]
    facts: Mapping[str, object]

    def __init__(self, kind: str, *, near: Sequence[str] = (), **facts: object) -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "near", near)
        object.__setattr__(self, "facts", facts)

    def text(self, texts: Texts) -> str:
        """In words, on one line."""
        hint = texts("config.near", names=texts("config.or").join(self.near)) if self.near else ""
        return " ".join(texts(f"config.{self.kind}", hint=hint, **self.facts).split())


@dataclass(frozen=True)
class Config:
    """What stands in the file: the keys by the names of their actions."""

    path: Path
    keys: Mapping[str, object] = field(default_factory=dict)
    problems: Sequence[Problem] = ()


def config_path() -> Path:
    """Where the file lies."""
    return config_folder() / "config.toml"


def load(path: Path | None = None) -> Config:
    """The file, empty where there is none."""
    path = path or config_path()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Config(path)
    except (OSError, UnicodeDecodeError) as error:
        return Config(path, problems=[Problem("unreadable", why=getattr(error, "strerror", None) or error)])
    import tomllib  # only where there is a file
    from difflib import get_close_matches

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).partition(" (at ")
        line = re.match(r"line (\d+)", place)
        number = line[1] if line else len(text.splitlines())
        return Config(path, problems=[Problem("broken", line=number, why=what)])
    keys = found.get("keys", {})
    wrong = [name for name in found if name not in SECTIONS or not isinstance(found[name], dict)]
    problems = [Problem("section", near=get_close_matches(name, SECTIONS), name=name) for name in wrong]
    return Config(path, dict(_flat(keys)) if isinstance(keys, dict) else {}, problems)


def _flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """`card.answer = "z"` is a table in a table to TOML: here it is a name with a dot."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value
