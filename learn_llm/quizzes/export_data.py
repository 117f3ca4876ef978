"""The bank as data to train on: JSON lines in the shapes that Hugging Face datasets have.

    sft           prompt, completion          answers short and full, follow-ups, choices, what is wrong with a mistake
    preferences   prompt, chosen, rejected    the right option against each wrong one; a good answer against one with a
                                              common mistake in it
    feedback      the same pairs, with chosen_feedback and rejected_feedback in words, which coh.py writes before them

Each row also names its question.  Rows of one question share their right answer, so rows held out at random are half
known: to measure what was learnt, export other questions (`learn-llm export sft 1-40` to train, `41-50` to measure).
"""

import itertools
import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.grading import unwrap
from learn_llm.quizzes.plain import inline, page

Kind = Literal["sft", "preferences", "feedback"]
KINDS: tuple[Kind, ...] = ("sft", "preferences", "feedback")
ASKED = {
    "en": ("Explain in detail.", "Answer in a few sentences.", 'A candidate says: "{}" What is wrong with that?'),
    "ja": (
        "詳しく説明してください。",
        "数文で答えてください。",
        "応募者が「{}」と答えました。どこが間違っていますか。",
    ),
}
"""By language: what asks for the full answer, what asks for a few sentences, and for what is wrong with a mistake."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|(?<=[。？])\s*(?=\S)|\n")
_WIDE = "\u2e7f"
"""What follows it in Unicode needs no blank between two sentences."""


def to_json_lines(questions: Sequence[Question], kind: Kind) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(questions, kind))


def rows(questions: Sequence[Question], kind: Kind) -> list[dict[str, str]]:
    """The rows of some questions, in their order."""
    write = {"sft": demonstrations, "preferences": preferences, "feedback": pairs}[kind]
    return [{**row, "question": question.id} for question in questions for row in write(question)]


def demonstrations(question: Question) -> Iterator[dict[str, str]]:
    """Everything that a tutor would say about one question."""
    detail, _, wrong = ASKED.get(question.lang, ASKED["en"])
    right = next(option for option in question.choices.options if option.correct)
    told = [
        (question.question, unwrap(question.short_answer)),
        (join(question.question, detail), "\n".join(page(question.full_answer, 1_000_000))),
        *((join(question.question, asked.question), inline(asked.answer)) for asked in question.follow_ups),
        (question.choices.question, join(_ended(inline(right.text)), inline(right.why))),
        *((wrong.format(inline(said.mistake).rstrip("。")), inline(said.why)) for said in question.mistakes),
    ]
    for prompt, completion in told:
        yield {"prompt": prompt, "completion": completion}


def preferences(question: Question) -> Iterator[dict[str, str]]:
    """The pairs without what is said of them."""
    for pair in pairs(question):
        yield {name: pair[name] for name in ("prompt", "chosen", "rejected")}


def pairs(question: Question) -> Iterator[dict[str, str]]:
    """A good answer and a wrong one to the same prompt, and why each is what it is; "" where nobody says why."""
    right = next(option for option in question.choices.options if option.correct)
    for option in question.choices.options:
        if not option.correct:
            chosen, rejected = inline(right.text), inline(option.text)
            yield _pair(question.choices.question, chosen, rejected, inline(right.why), inline(option.why))
    prompt = join(question.question, ASKED.get(question.lang, ASKED["en"])[1])
    said = [sentence for sentence in _SENTENCE_END.split(unwrap(question.short_answer)) if sentence.strip()]
    for number, mistake in enumerate(question.mistakes):
        wrong = inline(mistake.mistake)
        good, other = matched(said, wrong)
        bad = (wrong, *other) if number % 2 else (*other, wrong)  # the place of the mistake tells nothing
        yield _pair(prompt, join(*good), join(*bad), "", inline(mistake.why))


def matched(said: Sequence[str], wrong: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sentences of a good answer such that the mistake, with those of the second group, is as long as the first group.

    Args:
        said: the sentences of a good answer; two are chosen and another one accompanies the mistake.  Of fewer than
            three the first one is chosen, and the mistake stands alone.

    >>> matched(["It is frozen.", "B starts at zero.", "A is drawn at random.", "So it starts as the base."], "A is 0.")
    (('It is frozen.', 'A is drawn at random.'), ('So it starts as the base.',))
    """
    if len(said) < 3:
        return (said[0],), ()

    def gap(choice: tuple[tuple[int, int], int]) -> float:
        (first, second), third = choice
        return abs(math.log((len(said[first]) + len(said[second])) / (len(wrong) + len(said[third]))))

    twos = itertools.combinations(range(len(said)), 2)
    (first, second), third = min(
        ((two, other) for two in twos for other in range(len(said)) if other not in two), key=gap
    )
    return (said[first], said[second]), (said[third],)


def join(*sentences: str) -> str:
    """Sentences one behind the other, without a blank in Japanese.

    >>> join("It is.", "It was."), join("はい。", "いいえ。")
    ('It is. It was.', 'はい。いいえ。')
    """
    text = ""
    for sentence in sentences:
        text += sentence if not text or text[-1] > _WIDE else f" {sentence}"
    return text


def _ended(text: str) -> str:
    return text if text[-1] in ".!?。？" else text + ("。" if any(char > _WIDE for char in text) else ".")


def _pair(prompt: str, chosen: str, rejected: str, praise: str, blame: str) -> dict[str, str]:
    return {
        "prompt": prompt,
        "chosen": chosen,
        "rejected": rejected,
        "chosen_feedback": praise,
        "rejected_feedback": blame,
    }
