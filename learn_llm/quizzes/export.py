"""Questions as JSON, as one Markdown page, or as an Anki deck.

The deck's note type, decks and notes have fixed ids, so that a later export updates the notes of an earlier one in
place and adds none.  The fields of the note type are frozen for the same reason: Anki keeps the old notes when a note
type changes.
"""

import hashlib
import html
import json
from collections.abc import Sequence
from pathlib import Path

from learn_llm.errors import MissingError, UserError
from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.html import inline_html, to_html

HEADINGS = {
    "en": ("In 30 seconds", "The full answer", "Key points", "What may be asked next", "Common mistakes", "References"),
    "ja": ("30秒の答え", "詳しい解答", "欠かせない点", "続けて聞かれそうなこと", "よくある間違い", "参考文献"),
}
DECKS = {"en": "learn-llm: AI interview questions", "ja": "learn-llm: AI面接の質問"}
NOTE_TYPE = 1_607_392_319
"""Of all exports, for ever; made up once."""
FIELDS = ("Question", "About", "Short", "Full", "Points", "Next", "Mistakes", "References", "Demo", "Id")
_STYLE = """.card { font-family: sans-serif; font-size: 18px; line-height: 1.5; text-align: left; max-width: 44em;
margin: 0 auto; padding: 0 .6em; }
.question { font-size: 22px; font-weight: bold; } .about { color: gray; font-size: 14px; }
pre, code { font-family: monospace; font-size: 16px; } pre { overflow-x: auto; white-space: pre; }
table { border-collapse: collapse; } th, td { border: 1px solid gray; padding: .2em .5em; } h3 { margin-bottom: .2em; }
"""


def as_data(question: Question) -> dict[str, object]:
    """Everything that belongs to a question, as plain data."""
    return {
        "id": question.id,
        "number": question.number,
        "lang": question.lang,
        "level": question.level,
        "topics": list(question.topics),
        "question": question.question,
        "demo": question.demo,
        "short_answer": question.short_answer,
        "full_answer": question.full_answer,
        "key_points": [point.point for point in question.key_points],
        "follow_ups": [{"question": asked.question, "answer": asked.answer} for asked in question.follow_ups],
        "mistakes": [{"mistake": mistake.mistake, "why": mistake.why} for mistake in question.mistakes],
        "choices": {
            "question": question.choices.question,
            "options": [
                {"text": option.text, "correct": option.correct, "why": option.why}
                for option in question.choices.options
            ],
        },
        "references": list(question.references),
    }


def to_json(questions: Sequence[Question]) -> str:
    """One JSON array."""
    return json.dumps([as_data(question) for question in questions], ensure_ascii=False, indent=2) + "\n"


def to_markdown(questions: Sequence[Question]) -> str:
    """One page with a heading for each question."""
    return "\n".join(_markdown(question) for question in questions)


def write_anki(questions: Sequence[Question], path: Path, pack: str = "") -> None:
    """Write an Anki package with a note for each question.

    Args:
        questions: of one or more languages; each language has its deck.
        path: the file to write, replaced if it exists.
        pack: the name of a bank of one's own, so that its notes do not replace the bundled ones.

    Raises MissingError without the package genanki, UserError where the file cannot be written.
    """
    try:
        import genanki
    except ImportError:
        raise MissingError("Anki decks need the package genanki: pip install 'learn-llm[anki]'") from None
    template = {
        "name": "Question",
        "qfmt": '<div class="question">{{Question}}</div><div class="about">{{About}}</div>',
        "afmt": "{{FrontSide}}<hr id=answer>{{Short}}{{Full}}{{Points}}{{Next}}{{Mistakes}}{{References}}{{Demo}}",
    }
    note_type = genanki.Model(
        NOTE_TYPE, "learn-llm question", [{"name": name} for name in FIELDS], [template], css=_STYLE
    )
    decks: dict[str, genanki.Deck] = {}
    for question in questions:
        name = DECKS.get(question.lang, f"{DECKS['en']} ({question.lang})") + (f" ({pack})" if pack else "")
        deck = decks.setdefault(question.lang, genanki.Deck(_deck_id(name), name))
        deck.add_note(
            genanki.Note(
                note_type,
                _fields(question),
                guid=genanki.guid_for("learn-llm", pack, question.lang, question.id),
                tags=[f"level::{question.level}", *(f"topic::{topic}" for topic in question.topics)],
            )
        )
    part = path.with_name(f".{path.name}.part")
    try:
        genanki.Package(list(decks.values())).write_to_file(part)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(f"{path} cannot be written: {error.strerror}; give another place with --out") from None


def _deck_id(name: str) -> int:
    """The same number for the same name, in the range that Anki takes for ids."""
    return (1 << 30) + int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % (1 << 30)


def _fields(question: Question) -> list[str]:
    short, full, points, following, mistakes, references = HEADINGS.get(question.lang, HEADINGS["en"])

    def part(heading: str, body: str) -> str:
        return f"<h3>{html.escape(heading)}</h3>{body}" if body else ""

    def items(texts: Sequence[str], tag: str = "ul") -> str:
        return f"<{tag}>{''.join(f'<li>{text}</li>' for text in texts)}</{tag}>" if texts else ""

    asked = [f"<b>{inline_html(asked.question)}</b><br>{inline_html(asked.answer)}" for asked in question.follow_ups]
    wrong = [f"<i>{inline_html(wrong.mistake)}</i><br>{inline_html(wrong.why)}" for wrong in question.mistakes]
    return [
        html.escape(question.question, quote=False),
        html.escape(f"{question.number} · {question.level} · {', '.join(question.topics)}", quote=False),
        part(short, to_html(question.short_answer)),
        part(full, to_html(question.full_answer)),
        part(points, items([inline_html(point.point) for point in question.key_points], "ol")),
        part(following, items(asked)),
        part(mistakes, items(wrong)),
        part(references, items([html.escape(reference, quote=False) for reference in question.references])),
        f"<pre>learn-llm demo {question.demo}</pre>",
        question.id,
    ]


def _markdown(question: Question) -> str:
    short, full, points, following, mistakes, references = HEADINGS.get(question.lang, HEADINGS["en"])
    parts = [
        f"# {question.number}. {question.question}",
        f"{question.level} · {', '.join(question.topics)} · `learn-llm demo {question.demo}`",
        f"## {short}\n\n{question.short_answer}",
        f"## {full}\n\n{question.full_answer}",
        f"## {points}\n\n" + "\n".join(f"{n}. {point.point}" for n, point in enumerate(question.key_points, 1)),
        f"## {following}\n\n" + "\n".join(f"- **{asked.question}** {asked.answer}" for asked in question.follow_ups),
        f"## {mistakes}\n\n" + "\n".join(f"- *{wrong.mistake}* {wrong.why}" for wrong in question.mistakes),
    ]
    if question.references:
        parts.append(f"## {references}\n\n" + "\n".join(f"- {reference}" for reference in question.references))
    return "\n\n".join(parts) + "\n"
