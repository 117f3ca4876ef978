"""The header of a question's file, read strictly: every field, with the line of whatever is wrong.

The header is YAML, but only its node tree is used: nothing is constructed, so `yes`, `1e-5` and `2023-01-01` stay the
texts that they are, and no tag can make an object.  All problems of a header are reported at once.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from learn_llm.quizzes.index import LEVELS, SLUG, TOPICS, Index, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from yaml import Event, Node

FIELDS = (
    "id",
    "number",
    "level",
    "topics",
    "question",
    "demo",
    "key_points",
    "follow_ups",
    "mistakes",
    "choices",
    "references",
)


@dataclass(frozen=True)
class KeyPoint:
    """What an answer must contain, and the groups of words of which any one, whole, shows that it does."""

    point: str
    words: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class FollowUp:
    """What an interviewer asks next, and one to three sentences of answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class Mistake:
    """What a candidate says wrongly, in the candidate's words, and why it is wrong."""

    mistake: str
    why: str


@dataclass(frozen=True)
class Option:
    """One option of the multiple-choice form; `why` explains it whether it is right or wrong."""

    text: str
    why: str
    correct: bool


@dataclass(frozen=True)
class Choices:
    """The multiple-choice form of the question: four options, exactly one of them correct."""

    question: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Header(Index):
    """All fields of a question's header."""

    key_points: tuple[KeyPoint, ...]
    follow_ups: tuple[FollowUp, ...]
    mistakes: tuple[Mistake, ...]
    choices: Choices
    references: tuple[str, ...]


def read_header(text: str, file: str) -> tuple[Header | None, list[Problem]]:
    """The header in `text` (what stands between the `---` lines, the first of which is line 1 of `file`).

    Returns None and at least one problem, or the header and no problem.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML was built with it: ten times faster
    try:
        if not _shallow(yaml.parse(text, Loader=loader)):
            return None, [Problem(file, 1, "broken YAML: its lists are nested too deeply")]
        root = yaml.compose(text, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        line = mark.line + 2 if mark else 1
        return None, [Problem(file, line, f"broken YAML: {what}; quote a text that has ': ' or ' #' in it")]
    reader = _Reader(file)
    header = reader.header(root)
    return (None, reader.problems) if reader.problems else (header, [])


def _shallow(events: "Iterable[Event]") -> bool:
    """Whether nothing is nested more deeply than the format needs: libyaml composes by recursion, without a limit."""
    from yaml import CollectionEndEvent, CollectionStartEvent

    depth = 0
    for event in events:
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > 10:
            return False
    return True


class _Reader:
    """Walks the nodes.  A method notes what is wrong and returns an empty value, so that all of it is seen."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def header(self, root: "Node | None") -> Header | None:
        if root is None:
            self.problems.append(Problem(self.file, 1, f"the header is empty; write its fields: {', '.join(FIELDS)}"))
            return None
        fields = self.mapping(root, "the header", FIELDS)
        number = self.text(fields.get("number"), "number")
        if number and not re.fullmatch(r"[1-9][0-9]{0,3}", number):
            self.wrong(fields["number"], f"number is {number!r}; write a whole number from 1 to 9999")
            number = ""
        return Header(
            id=self.slug(fields.get("id"), "id"),
            number=int(number or 0),
            level=self.one_of(fields.get("level"), "level", LEVELS),
            topics=tuple(
                self.one_of(node, "a topic", TOPICS) for node in self.items(fields.get("topics"), "topics", 1, 3)
            ),
            question=self.text(fields.get("question"), "question"),
            demo=self.slug(fields.get("demo"), "demo"),
            key_points=tuple(self.key_point(node) for node in self.items(fields.get("key_points"), "key_points", 4, 7)),
            follow_ups=tuple(
                FollowUp(*self.texts(node, "a follow-up", ("question", "answer")))
                for node in self.items(fields.get("follow_ups"), "follow_ups", 3, 5)
            ),
            mistakes=tuple(
                Mistake(*self.texts(node, "a mistake", ("mistake", "why")))
                for node in self.items(fields.get("mistakes"), "mistakes", 2, 4)
            ),
            choices=self.choices(fields.get("choices")),
            references=tuple(
                self.text(node, "a reference") for node in self.items(fields.get("references"), "references", 0, 20)
            ),
        )

    def key_point(self, node: "Node") -> KeyPoint:
        fields = self.mapping(node, "a key point", ("point", "words"))
        groups = self.items(fields.get("words"), "words", 1, 20)
        return KeyPoint(
            point=self.text(fields.get("point"), "point"),
            words=tuple(
                tuple(self.text(word, "a word") for word in self.items(group, "a group of words", 1, 8))
                for group in groups
            ),
        )

    def choices(self, node: "Node | None") -> Choices:
        if node is None:
            return Choices("", ())
        fields = self.mapping(node, "choices", ("question", "options"))
        options = tuple(self.option(item) for item in self.items(fields.get("options"), "options", 4, 4))
        correct = sum(option.correct for option in options)
        if options and correct != 1:
            self.wrong(node, f"{correct} options are correct; give exactly one `correct: true`")
        return Choices(self.text(fields.get("question"), "question"), options)

    def option(self, node: "Node") -> Option:
        fields = self.mapping(node, "an option", ("text", "why"), optional=("correct",))
        correct = "false"
        if "correct" in fields:
            correct = self.one_of(fields["correct"], "correct", ("true", "false"))
        return Option(self.text(fields.get("text"), "text"), self.text(fields.get("why"), "why"), correct == "true")

    def texts(self, node: "Node", what: str, names: tuple[str, ...]) -> list[str]:
        fields = self.mapping(node, what, names)
        return [self.text(fields.get(name), name) for name in names]

    def mapping(
        self, node: "Node", what: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> "dict[str, Node]":
        from yaml import MappingNode

        if not isinstance(node, MappingNode):
            self.wrong(node, f"{what} must have the fields {', '.join(required)}, each as `name: value`")
            return {}
        fields: dict[str, Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in required + optional:
                self.wrong(key, f"{what} has no field {name!r}; it has {', '.join(required + optional)}")
            elif name in fields:
                self.wrong(key, f"{what} has the field {name} twice; keep one")
            else:
                fields[name] = value
        for name in required:
            if name not in fields:
                self.wrong(node, f"{what} lacks the field {name}; add it")
        return fields

    def items(self, node: "Node | None", what: str, least: int, most: int) -> "list[Node]":
        from yaml import SequenceNode

        if node is None:  # said by mapping
            return []
        if not isinstance(node, SequenceNode):
            self.wrong(node, f"{what} must be a list")
            return []
        nodes: list[Node] = node.value
        if not least <= len(nodes) <= most:
            limits = str(least) if least == most else f"{least} to {most}"
            self.wrong(node, f"{what} has {len(nodes)} entries; give {limits}")
            return []
        return nodes

    def text(self, node: "Node | None", what: str) -> str:
        from yaml import ScalarNode

        if node is None:
            return ""
        if not isinstance(node, ScalarNode):
            self.wrong(node, f"{what} must be a text; quote it if it begins with a bracket or brace")
            return ""
        value = str(node.value).strip()
        if not value or (value in ("~", "null") and node.style is None):
            self.wrong(node, f"{what} is empty; fill it in")
            return ""
        return value

    def one_of(self, node: "Node | None", what: str, values: tuple[str, ...]) -> str:
        value = self.text(node, what)
        if node is not None and value and value not in values:
            self.wrong(node, f"{what} is {value!r}; there are {', '.join(values)}")
        return value

    def slug(self, node: "Node | None", what: str) -> str:
        value = self.text(node, what)
        if node is not None and value and not SLUG.fullmatch(value):
            self.wrong(node, f"{what} is {value!r}; use lower-case letters, digits and single hyphens only")
        return value

    def wrong(self, node: "Node", message: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 2, message))
