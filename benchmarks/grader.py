"""How well typed answers are graded: what is recognised, and what is counted wrongly, over all questions.

    python -m benchmarks.grader [--json]

For each language a table: of the key points, the share that is found in the full answer, in the 30-second answer, in
the paraphrases of tests/paraphrases (written without sight of the words by which points are recognised) and in their
negations; and the share that is wrongly found in the common mistakes and in the full answers of two other questions
(the next one, and the one half a bank away).  Precision and recall are those over the full and 30-second answers (which
should be found) and the mistakes and the other answers (which should not).
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.grading import grade, grade_page
from tests.paraphrases import read_paraphrases

ROWS = {
    "full": "full answer",
    "short": "30-second answer",
    "mistake": "common mistakes",
    "next": "the next question's answer",
    "far": "the answer half a bank away",
    "terse": "paraphrases, terse",
    "spoken": "paraphrases, spoken",
    "synonyms": "paraphrases, synonyms",
    "not terse": "negated, terse",
    "not spoken": "negated, spoken",
    "not synonyms": "negated, synonyms",
}


def measure(lang: str) -> dict[str, tuple[int, int]]:
    """By row: how many key points were found, of how many."""
    found: Counter[str] = Counter()
    asked: Counter[str] = Counter()

    def count(row: str, made: list[bool]) -> None:
        found[row] += sum(made)
        asked[row] += len(made)

    bank = load_bank(lang=lang)
    questions = bank.questions
    for place, question in enumerate(questions):
        points = question.key_points
        count("full", [said.made for said in grade_page(points, question.full_answer)])
        count("short", [said.made for said in grade_page(points, question.short_answer)])
        for mistake in question.mistakes:
            count("mistake", [said.made for said in grade(points, mistake.mistake)])
        for row, step in (("next", 1), ("far", len(questions) // 2)):
            other = questions[(place + step) % len(questions)]
            count(row, [said.made for said in grade_page(points, other.full_answer)])
    gap = "" if lang == "ja" else " "
    for paraphrase in read_paraphrases(lang):
        points = bank.by_id[paraphrase.id].key_points
        count(paraphrase.style, [said.made for said in grade(points, gap.join(paraphrase.said))])
        count(f"not {paraphrase.style}", [said.made for said in grade(points, gap.join(paraphrase.negated))])
    return {row: (found[row], asked[row]) for row in ROWS}


def summary(rows: dict[str, tuple[int, int]]) -> dict[str, float]:
    """Precision and recall, and over all styles the recall of the paraphrases and the share of negated ones counted."""

    def total(*names: str) -> tuple[int, int]:
        return sum(rows[name][0] for name in names), sum(rows[name][1] for name in names)

    right, wanted = total("full", "short")
    wrong, _ = total("mistake", "next", "far")
    said, of = total("terse", "spoken", "synonyms")
    negated, of_negated = total("not terse", "not spoken", "not synonyms")
    return {
        "precision": right / (right + wrong),
        "recall": right / wanted,
        "paraphrases": said / of,
        "negated": negated / of_negated,
    }


def main() -> None:
    """Measure both languages and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json = parser.parse_args().json
    measured = {lang: measure(lang) for lang in ("en", "ja")}
    if as_json:
        result = {lang: {"rows": rows, **summary(rows)} for lang, rows in measured.items()}
        print(json.dumps(result, indent=2))
        return
    print(f"{'key points found in':<30}{'English':>18}{'Japanese':>18}")
    for row, name in ROWS.items():
        cells = (f"{rows[row][0]}/{rows[row][1]} {rows[row][0] / rows[row][1]:6.1%}" for rows in measured.values())
        print(f"{name:<30}" + "".join(f"{cell:>18}" for cell in cells))
    for name in ("precision", "recall", "paraphrases", "negated"):
        print(f"{name:<30}" + "".join(f"{summary(rows)[name]:>18.3f}" for rows in measured.values()))


if __name__ == "__main__":
    main()
