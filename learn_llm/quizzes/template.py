"""A question of one's own to begin with: a file in the format of the bank, to be filled in."""

from pathlib import Path

from learn_llm.errors import UserError
from learn_llm.quizzes.bank import find_files, open_question
from learn_llm.quizzes.index import LEVELS, SLUG, TOPICS

TEMPLATE = """---
id: {name}
number: {number}
level: basic
topics: [foundations]
question: "The question as an interviewer asks it?"
demo: {demo}
key_points:
  - point: The first thing that an answer must say.
    words: [[first, thing], [another phrase for it]]
  - point: The second thing.
    words: [[second]]
  - point: The third thing.
    words: [[third]]
  - point: The fourth thing.
    words: [[fourth]]
follow_ups:
  - {{question: What may be asked next?, answer: One to three sentences.}}
  - {{question: And after that?, answer: One to three sentences.}}
  - {{question: And then?, answer: One to three sentences.}}
mistakes:
  - {{mistake: What candidates say wrongly., why: Why it is wrong.}}
  - {{mistake: Another mistake., why: Why it is wrong.}}
choices:
  question: The question as multiple choice?
  options:
    - {{text: The right option., correct: true, why: Why it is right.}}
    - {{text: A plausible wrong one., why: Why it is wrong.}}
    - {{text: Another one., why: Why it is wrong.}}
    - {{text: A third one., why: Why it is wrong.}}
references: []
---
## Short answer

What you would say in 30 seconds.

## Full answer

The answer of two to five minutes: first thing, second, third, fourth.  Formulas and code are indented by four spaces:

    loss = −log p(correct class)

Levels: {levels}.  Topics: {topics}.
"""


def write_template(folder: Path, name: str, lang: str, demo: str) -> Path:
    """Write NAME.LANG.md with the next free number into the folder, which is made if need be.

    Raises UserError for a name that is none, a file that is there already, or a folder that cannot be written.
    """
    if not SLUG.fullmatch(name):
        raise UserError(f"{name!r} is no name for a question; use lower-case letters, digits and single hyphens only")
    path = folder / f"{name}.{lang}.md"
    if path.exists():
        raise UserError(f"{path} is there already; choose another name, or edit it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = _number(folder, name)
        topics = ", ".join(TOPICS[:7]) + ",\n" + ", ".join(TOPICS[7:])
        text = TEMPLATE.format(name=name, number=number, demo=demo, levels=", ".join(LEVELS), topics=topics)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}; choose another folder") from None
    return path


def _number(folder: Path, name: str) -> int:
    """That of the same question in another language, else the next one after all others."""
    files, _ = find_files(folder)
    numbers = {}
    for id_, paths in files.items():
        for path in paths:
            question, _ = open_question(path, whole=False)
            if question is not None:
                numbers[id_] = question.number
    return numbers.get(name, max(numbers.values(), default=0) + 1)
