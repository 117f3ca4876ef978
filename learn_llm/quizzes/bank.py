"""The bank: one Markdown file per question and language, opened fast.

The app must show its first question at once, so a bundled file is opened by its index (six one-line fields found by a
scan) and its answers; the rest of the header is parsed when a question's key points, follow-ups, mistakes, choices or
references are first asked for.  The bundled files are checked whole by the tests.  A folder of one's own is checked
whole when it is opened.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from learn_llm.errors import UserError
from learn_llm.quizzes.index import LEVELS, SLUG, TOPICS, Index, Problem

if TYPE_CHECKING:
    from learn_llm.quizzes.header import Choices, FollowUp, Header, KeyPoint, Mistake

BUNDLED = Path(__file__).parent / "bank"
MAX_BYTES = 1_000_000
_NAME = re.compile(r"(?P<id>.+)\.(?P<lang>[a-z]{2})\.md")
_INDEX_LINE = re.compile(r"^(id|number|level|topics|question|demo):[ ]+(\S.*?)[ ]*\n(?=\S|\Z)", re.MULTILINE)
_CONTROLS = bytes(byte for byte in range(32) if byte != ord("\n"))
_PARTS = re.compile(
    r"--- *\n(?P<header>.*?\n)--- *\n\s*## Short answer *\n(?P<short>.*?)\n## Full answer *\n(?P<full>.*)", re.DOTALL
)


@dataclass(frozen=True)
class Question(Index):
    """One question in one language.  `lang` is that of the text, English where the language asked for is missing.

    Raises UserError from `key_points`, `follow_ups`, `mistakes`, `choices` and `references` where the bundled file
    was damaged after it was installed.
    """

    lang: str
    short_answer: str = field(repr=False)
    full_answer: str = field(repr=False)
    path: Path = field(repr=False)
    source: str = field(repr=False)
    """The whole file, for what is parsed later."""

    @cached_property
    def header(self) -> "Header":
        """The whole header, parsed at first use."""
        from learn_llm.quizzes.header import read_header

        header, problems = read_header(_split(self.source, self.path.name)[0], self.path.name)
        if header is None:
            raise UserError(str(problems[0]))
        return header

    @property
    def key_points(self) -> "tuple[KeyPoint, ...]":
        """What an answer must contain."""
        return self.header.key_points

    @property
    def follow_ups(self) -> "tuple[FollowUp, ...]":
        """What an interviewer asks next."""
        return self.header.follow_ups

    @property
    def mistakes(self) -> "tuple[Mistake, ...]":
        """What candidates say wrongly."""
        return self.header.mistakes

    @property
    def choices(self) -> "Choices":
        """The multiple-choice form."""
        return self.header.choices

    @property
    def references(self) -> tuple[str, ...]:
        """Papers and book chapters; may be empty."""
        return self.header.references

    @cached_property
    def content_hash(self) -> str:
        """Sixteen hexadecimal digits that change when the text does: "updated since you last saw it"."""
        import hashlib

        return hashlib.sha256(self.source.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Bank:
    """The questions in the order of their numbers, and what could not be opened."""

    questions: tuple[Question, ...]
    problems: tuple[Problem, ...]
    lang: str

    @cached_property
    def by_id(self) -> dict[str, Question]:
        """The questions by their id."""
        return {question.id: question for question in self.questions}

    def find(self, key: str) -> Question:
        """The question with this number or id.  Raises UserError that names the nearest ids."""
        for question in self.questions:
            if key.strip().lower() in (question.id, str(question.number)):
                return question
        raise UserError(f"there is no question {key!r}; {self._hint(key)}")

    def select(self, level: str | None = None, topic: str | None = None) -> tuple[Question, ...]:
        """The questions of this level and topic, None for any.  Raises UserError for an unknown level or topic."""
        if level is not None and level not in LEVELS:
            raise UserError(f"there is no level {level!r}; there are {', '.join(LEVELS)}")
        if topic is not None and topic not in TOPICS:
            raise UserError(f"there is no topic {topic!r}; there are {', '.join(TOPICS)}")
        return tuple(q for q in self.questions if level in (None, q.level) and (topic is None or topic in q.topics))

    def _hint(self, key: str) -> str:
        import difflib

        if key.isdigit():
            return f"they are numbered {self.questions[0].number} to {self.questions[-1].number}"
        near = difflib.get_close_matches(key.lower(), self.by_id, n=3, cutoff=0.5)
        return f"did you mean {' or '.join(near)}?" if near else "`learn-llm questions` lists them"


def load_bank(folder: Path | None = None, lang: str = "en") -> Bank:
    """Open the bundled bank, or a folder of files in its format, in `lang` with English where that is missing.

    A file that cannot be used becomes a problem, the others open all the same.  Raises UserError where there is no
    such folder or nothing in it could be opened.
    """
    place = BUNDLED if folder is None else folder
    files, problems = find_files(place)
    questions: list[Question] = []
    for versions in files.values():
        for path in sorted(versions, key=lambda path: (_lang(path) != lang, _lang(path) != "en", path.name)):
            question, wrong = open_question(path, whole=folder is not None)
            problems += wrong
            if question is not None:
                questions.append(question)
                break
    questions.sort(key=lambda question: (question.number, question.id))
    unique: list[Question] = []
    for question in questions:
        if unique and unique[-1].number == question.number:
            problems.append(_same_number(question, unique[-1]))
        else:
            unique.append(question)
    if not unique:
        why = f": {problems[0]}" if problems else "; its files are called SLUG.LANG.md, for example ppo.en.md"
        raise UserError(f"no question could be opened in {place}{why}")
    return Bank(tuple(unique), tuple(problems), lang)


def find_files(folder: Path) -> tuple[dict[str, list[Path]], list[Problem]]:
    """The question files of a folder by id, in the order of their names, and the files that are called wrongly."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".md" and path.name != "README.md")
    except OSError as error:
        raise UserError(f"the question bank {folder} cannot be opened: {error.strerror}; give a folder") from None
    files: dict[str, list[Path]] = {}
    problems: list[Problem] = []
    for path in paths:
        match = _NAME.fullmatch(path.name)
        if match and SLUG.fullmatch(match["id"]):
            files.setdefault(match["id"], []).append(path)
        else:
            problems.append(Problem(path.name, 1, "call the file SLUG.LANG.md, for example ppo.en.md"))
    return files, problems


def open_question(path: Path, *, whole: bool) -> tuple[Question | None, list[Problem]]:
    """Open one file: by its index where that can be read off six plain lines, else (or if `whole`) strictly."""
    text, problem = _read(path)
    if problem is not None:
        return None, [problem]
    header, short, full, problems = _split(text, path.name)
    if problems:
        return None, problems
    index = None if whole else _scan(header)
    if index is None:
        from learn_llm.quizzes.header import read_header

        index, problems = read_header(header, path.name)
    if index is None:
        return None, problems
    if index.id != path.name.split(".")[0]:
        message = f"the id is {index.id!r} but the file is called {path.name}; make them the same"
        return None, [Problem(path.name, _line_of(header, "id:"), message)]
    question = Question(
        id=index.id,
        number=index.number,
        level=index.level,
        topics=index.topics,
        question=index.question,
        demo=index.demo,
        lang=_lang(path),
        short_answer=short,
        full_answer=full,
        path=path,
        source=text,
    )
    return question, []


def _read(path: Path) -> tuple[str, Problem | None]:
    """The text of the file with plain line ends, or what is wrong with it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return "", Problem(path.name, 1, f"the file is larger than {MAX_BYTES:,} bytes; split it or shorten it")
        raw = path.read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        return "", Problem(path.name, 1, f"the file cannot be read: {error.strerror}")
    if len(raw.translate(None, _CONTROLS)) != len(raw):
        place = next(place for place, byte in enumerate(raw) if byte in _CONTROLS)
        what = "a tab" if raw[place] == 9 else f"the control character {chr(raw[place])!r}"
        return "", Problem(path.name, raw.count(b"\n", 0, place) + 1, f"there is {what}; use spaces")
    try:
        return raw.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        return "", Problem(path.name, raw.count(b"\n", 0, error.start) + 1, "the text is not UTF-8; save it as UTF-8")


def _split(text: str, file: str) -> tuple[str, str, str, list[Problem]]:
    """The header, the short and the full answer."""
    match = _PARTS.fullmatch(text)
    if match is None:
        return "", "", "", [_why_no_parts(text, file)]
    header, short, full = match["header"], match["short"].strip("\n "), match["full"].rstrip().strip("\n")
    problems = [
        Problem(file, text.count("\n", 0, match.start(name)), "there is no text below the heading; write the answer")
        for name in ("short", "full")
        if not match[name].strip()
    ]
    return header, short, full, problems


def _why_no_parts(text: str, file: str) -> Problem:
    lines = [line.rstrip() for line in text.split("\n")]
    if lines[0] != "---":
        return Problem(file, 1, "the first line must be ---, the start of the header")
    if "---" not in lines[1:]:
        return Problem(file, len(lines), "the header has no end; close it with a line of ---")
    body = lines[lines.index("---", 1) + 1 :]
    for heading in ("## Short answer", "## Full answer"):
        if heading not in body:
            return Problem(file, len(lines), f"the line {heading!r} is missing; add it with the answer below it")
    return Problem(file, len(lines), "after the header comes '## Short answer', then '## Full answer'; put them so")


def _scan(header: str) -> Index | None:
    """The index fields, or None where one is not written plainly on one line: then the strict reader decides."""
    values = {name: _plain(value) for name, value in _INDEX_LINE.findall(header)}
    topics = values.get("topics", "")
    number = values.get("number", "")
    if len(values) != 6 or "" in values.values() or not number.isdecimal() or topics[0] + topics[-1] != "[]":
        return None
    index = Index(
        id=values["id"],
        number=int(number),
        level=values["level"],
        topics=tuple(topic.strip() for topic in topics[1:-1].split(",")),
        question=values["question"],
        demo=values["demo"],
    )
    sound = index.level in LEVELS and set(index.topics) <= set(TOPICS) and len(index.topics) <= 3
    return index if sound and SLUG.fullmatch(index.id) and SLUG.fullmatch(index.demo) else None


def _plain(value: str) -> str:
    """A YAML value that stands on one line, or "" where only a YAML parser can tell.

    >>> _plain('"What is AI?"'), _plain("ppo  # the slug"), _plain("'it''s'"), _plain("a: b")
    ('What is AI?', 'ppo', "it's", '')
    """
    value = re.sub(r" +#[^\"']*$", "", value)
    if value[0] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return ""
    if value[0] == "'":
        inner = value[1:-1].replace("''", "\0")
        return inner.replace("\0", "'") if value.endswith("'") and len(value) > 2 and "'" not in inner else ""
    odd = value[0] in "{}&*!|>%@`#,?-" or ": " in value or " #" in value or value.endswith(":")
    return "" if odd else value


def _lang(path: Path) -> str:
    return path.name.split(".")[1]


def _line_of(header: str, start: str) -> int:
    """The line of the file on which the header's line that starts so stands."""
    lines = header.split("\n")
    return next((number for number, line in enumerate(lines, 2) if line.startswith(start)), 1)


def _same_number(question: Question, other: Question) -> Problem:
    line = _line_of(_split(question.source, question.path.name)[0], "number:")
    return Problem(question.path.name, line, f"number {question.number} is that of {other.path.name}; choose another")
