"""The bank: the 50 questions are whole, a bad file is one clear line, and the rest opens."""

import re
import time
from pathlib import Path

import pytest

from learn_llm.demos.catalogue import SLUGS
from learn_llm.errors import UserError
from learn_llm.quizzes.bank import BUNDLED, MAX_BYTES, load_bank, open_question
from learn_llm.quizzes.check import check_bank

GOOD = """---
id: ppo
number: 43
level: advanced
topics: [alignment, reinforcement-learning]
question: "How does PPO work: in short?"
demo: ppo
key_points:
  - point: The KL penalty keeps the policy close.
    words: [[kl, penalt*], [stay close, reference]]
  - point: The ratio is clipped.
    words: [[clip*, ratio]]
  - point: Advantages come from a value head.
    words: [[advantage*, value]]
  - point: A reward model scores whole responses.
    words: [[reward model]]
follow_ups:
  - {question: Why clip?, answer: It bounds the step.}
  - {question: Why a critic?, answer: It lowers the variance.}
  - {question: Why KL?, answer: It stops drift.}
mistakes:
  - {mistake: PPO needs labels., why: It needs rewards.}
  - {mistake: KL is optional., why: Without it the policy drifts.}
choices:
  question: What does the clip act on?
  options:
    - {text: The ratio., correct: true, why: The surrogate clips it.}
    - {text: The reward., why: That stays.}
    - {text: The loss., why: Not directly.}
    - {text: The tokens., why: They are discrete.}
references:
  - "Schulman et al. 2017, Proximal Policy Optimization Algorithms, arXiv 1707.06347"
---
## Short answer

SHORT

## Full answer

The KL penalty and the clipped ratio, advantages from a value head, a reward model. FULL

    L = min(r·A, clip(r, 1 - ε, 1 + ε)·A)
"""
GOOD = GOOD.replace("SHORT\n", "word\n" * 70).replace("FULL\n", "\n" + "long words\n" * 140)


def write(folder: Path, text: str = GOOD, name: str = "ppo.en.md") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def other(number: int, lang: str = "en") -> tuple[str, str]:
    """Another good file: its text and its name."""
    text = GOOD.replace("id: ppo", f"id: q{number}").replace("number: 43", f"number: {number}")
    return text.replace("demo: ppo", f"demo: q{number}"), f"q{number}.{lang}.md"


# The bundled bank


def test_the_bank_has_the_50_questions_in_their_order() -> None:
    bank = load_bank()
    assert [question.id for question in bank.questions] == list(SLUGS)
    assert [question.number for question in bank.questions] == list(range(1, 51))
    levels = [question.level for question in bank.questions]
    assert levels == ["basic"] * 17 + ["intermediate"] * 17 + ["advanced"] * 16
    assert bank.problems == ()


def test_the_bank_keeps_to_its_own_rules() -> None:
    assert [str(problem) for problem in check_bank(BUNDLED)] == []


def test_what_the_scan_reads_is_what_yaml_reads() -> None:
    for path in sorted(BUNDLED.glob("*.md")):
        scanned, _ = open_question(path, whole=False)
        strict, problems = open_question(path, whole=True)
        assert problems == []
        assert scanned == strict


def test_no_paragraph_is_in_two_answers() -> None:
    seen: dict[str, str] = {}
    for question in load_bank().questions:
        for paragraph in re.split(r"\n\s*\n", f"{question.short_answer}\n\n{question.full_answer}"):
            text = " ".join(paragraph.split())
            if len(text) > 40:
                assert seen.setdefault(text, question.id) == question.id, text


def test_the_bank_opens_fast() -> None:
    def seconds() -> float:
        start = time.process_time()
        load_bank()
        return time.process_time() - start

    assert min(seconds() for _ in range(5)) < 0.06


# One file


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    write(tmp_path)
    bank = load_bank(tmp_path)
    question = bank.questions[0]
    assert bank.problems == ()
    assert (question.id, question.number, question.level, question.lang) == ("ppo", 43, "advanced", "en")
    assert question.question == "How does PPO work: in short?"
    assert question.topics == ("alignment", "reinforcement-learning")
    assert question.key_points[0].words == (("kl", "penalt*"), ("stay close", "reference"))
    assert question.follow_ups[2].answer == "It stops drift."
    assert question.mistakes[0].mistake == "PPO needs labels."
    assert [option.correct for option in question.choices.options] == [True, False, False, False]
    assert question.references[0].endswith("arXiv 1707.06347")
    assert question.short_answer.startswith("word\nword")
    assert question.full_answer.endswith("    L = min(r·A, clip(r, 1 - ε, 1 + ε)·A)")
    assert check_bank(tmp_path) == []


def test_yaml_is_never_anything_but_text(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("answer: It bounds the step.", "answer: yes").replace("why: That stays.", "why: 1e-5"))
    question = load_bank(tmp_path).questions[0]
    assert question.follow_ups[0].answer == "yes"
    assert question.choices.options[1].why == "1e-5"


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "ppo.en.md").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    windows = load_bank(tmp_path).questions[0]
    write(tmp_path)
    assert load_bank(tmp_path).questions[0] == windows


BAD = {
    "a tab": ("    words: [[clip*, ratio]]", "\twords: [[clip*, ratio]]", 12, "there is a tab"),
    "a control character": ("in short", "\x07", 6, "control character"),
    "broken yaml": ("level: advanced", "level: [advanced", 5, "broken YAML"),
    "an unquoted colon": ("point: The ratio is", "point: The ratio: is", 11, "quote"),
    "a missing field": ("level: advanced\n", "", 2, "lacks the field level"),
    "an unknown field": ("demo: ppo", "demo: ppo\ncolour: red", 8, "no field 'colour'"),
    "a field twice": ("demo: ppo", "demo: ppo\ndemo: ppo", 8, "demo twice"),
    "an unknown level": ("level: advanced", "level: expert", 4, "there are basic, intermediate, advanced"),
    "an unknown topic": ("[alignment,", "[alignement,", 5, "'alignement'"),
    "four topics": ("[alignment,", "[alignment, data, search,", 5, "give 1 to 3"),
    "a word as number": ("number: 43", "number: x", 3, "whole number"),
    "number zero": ("number: 43", "number: 0", 3, "whole number"),
    "an empty question": ('question: "How does PPO work: in short?"', "question:", 6, "question is empty"),
    "another id": ("id: ppo", "id: dpo", 2, "make them the same"),
    "an id with a path": ("id: ppo", "id: ../ppo", 2, "lower-case letters"),
    "a demo with a path": ("demo: ppo", "demo: a/b", 7, "lower-case letters"),
    "three options": ("    - {text: The reward., why: That stays.}\n", "", 27, "give 4"),
    "two correct": ("text: The reward.,", "text: The reward., correct: true,", 25, "exactly one"),
    "none correct": (" correct: true,", "", 25, "exactly one"),
    "correct with another word": ("correct: true", "correct: maybe", 27, "true, false"),
    "one mistake": ("  - {mistake: KL is optional., why: Without it the policy drifts.}\n", "", 22, "give 2 to 4"),
    "a point without words": ("    words: [[clip*, ratio]]\n", "", 11, "lacks the field words"),
    "words in one list": ("words: [[clip*, ratio]]", "words: [clip*, ratio]", 12, "must be a list"),
    "no header": ("---\nid", "id", 1, "first line must be ---"),
    "no end of the header": ("---\n## Short", "## Short", 251, "close it"),
    "no short answer": ("## Short answer", "## In short", 252, "'## Short answer' is missing"),
    "an empty answer": ("word\n" * 70, "\n", 34, "no text below"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_clear_line_and_the_rest_opens(tmp_path: Path, name: str) -> None:
    old, new, line, message = BAD[name]
    assert GOOD.count(old) == 1
    write(tmp_path, GOOD.replace(old, new))
    write(tmp_path, *other(7))
    bank = load_bank(tmp_path)
    assert [question.id for question in bank.questions] == ["q7"]
    assert len(bank.problems) >= 1
    problem = bank.problems[0]
    assert problem.file == "ppo.en.md"
    assert message in problem.message
    assert "\n" not in str(problem)
    assert str(problem).startswith("ppo.en.md, line ")
    assert problem.line == line
    assert bank.problems == tuple(check_bank(tmp_path, {"ppo", "q7"}))


def test_all_problems_of_a_header_are_said_at_once(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("level: advanced", "level: expert").replace("number: 43", "number: x"))
    assert [problem.line for problem in check_bank(tmp_path)] == [3, 4]


@pytest.mark.parametrize("bomb", ["[" * 400_000, "{" * 400_000, "- " * 200_000, "? " * 200_000])
def test_deep_nesting_is_a_problem_and_no_crash(tmp_path: Path, bomb: str) -> None:
    write(tmp_path, GOOD.replace("level: advanced", f"level: {bomb}"))
    write(tmp_path, *other(7))
    assert "broken YAML" in load_bank(tmp_path).problems[0].message


def test_a_text_that_is_not_utf8_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "ppo.en.md").write_bytes(GOOD.replace("long words", "h\xe4tte", 1).encode("latin-1", "replace"))
    write(tmp_path, *other(7))
    (problem,) = load_bank(tmp_path).problems
    assert "UTF-8" in problem.message
    assert GOOD.split("\n")[problem.line - 1] == "long words"


def test_a_file_of_ten_megabytes_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, GOOD + "x" * 10 * MAX_BYTES)
    write(tmp_path, *other(7))
    (problem,) = load_bank(tmp_path).problems
    assert "larger than 1,000,000 bytes" in problem.message


@pytest.mark.parametrize("name", ["ppo.md", "PPO.en.md", "ppo.english.md", "a b.en.md", "..en.md"])
def test_a_wrongly_called_file_is_a_problem(tmp_path: Path, name: str) -> None:
    write(tmp_path, name=name)
    write(tmp_path, *other(7))
    (problem,) = load_bank(tmp_path).problems
    assert "SLUG.LANG.md" in problem.message


def test_a_folder_in_the_place_of_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "ppo.en.md").mkdir()
    write(tmp_path, *other(7))
    (problem,) = load_bank(tmp_path).problems
    assert "cannot be read" in problem.message


def test_two_questions_with_one_number(tmp_path: Path) -> None:
    write(tmp_path)
    text, name = other(7)
    write(tmp_path, text.replace("number: 7", "number: 43"), name)
    bank = load_bank(tmp_path)
    assert [question.id for question in bank.questions] == ["ppo"]
    assert str(bank.problems[0]) == "q7.en.md, line 3: number 43 is that of ppo.en.md; choose another"
    assert check_bank(tmp_path, {"ppo", "q7"}) == list(bank.problems)


@pytest.mark.parametrize("make", [False, True])
def test_no_bank_at_all_is_a_clear_error(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "bank"
    if make:
        folder.mkdir()
    for use in (load_bank, check_bank):
        with pytest.raises(UserError, match="bank"):
            use(folder)


# Languages and finding


def test_what_japanese_lacks_is_served_in_english(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, GOOD.replace("How does PPO work: in short?", "PPOとは何か"), "ppo.ja.md")
    write(tmp_path, *other(7))
    assert [(q.id, q.lang) for q in load_bank(tmp_path, lang="ja").questions] == [("q7", "en"), ("ppo", "ja")]
    assert [(q.id, q.lang) for q in load_bank(tmp_path).questions] == [("q7", "en"), ("ppo", "en")]


def test_a_broken_translation_falls_back_too(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, GOOD.replace("level: advanced", "level: x"), "ppo.ja.md")
    bank = load_bank(tmp_path, lang="ja")
    assert [question.lang for question in bank.questions] == ["en"]
    assert bank.problems[0].file == "ppo.ja.md"


def test_a_question_is_found_by_number_and_name(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, *other(7))
    bank = load_bank(tmp_path)
    assert bank.find("43") is bank.find("PPO") is bank.by_id["ppo"]
    with pytest.raises(UserError, match="did you mean ppo"):
        bank.find("pp0")
    with pytest.raises(UserError, match="7 to 43"):
        bank.find("99")
    with pytest.raises(UserError, match="learn-llm questions"):
        bank.find("zzzzzz")


def test_questions_are_selected_by_level_and_topic(tmp_path: Path) -> None:
    text, name = other(7)
    write(tmp_path, text.replace("level: advanced", "level: basic"), name)
    write(tmp_path)
    bank = load_bank(tmp_path)
    assert [question.number for question in bank.select(level="basic")] == [7]
    assert [question.number for question in bank.select(topic="alignment")] == [7, 43]
    assert bank.select("basic", "data") == ()
    for wrong in ({"level": "expert"}, {"topic": "cats"}):
        with pytest.raises(UserError, match="there are"):
            bank.select(**wrong)


def test_the_content_hash_changes_with_the_text_alone(tmp_path: Path) -> None:
    first = load_bank(write(tmp_path).parent).questions[0].content_hash
    assert load_bank(tmp_path).questions[0].content_hash == first
    write(tmp_path, GOOD.replace("It stops drift.", "It stops the drift."))
    assert load_bank(tmp_path).questions[0].content_hash != first


# What authors must keep to

FAULTS = {
    "a short answer that is too short": ("word\n" * 70, "word\n" * 59, "the short answer has"),
    "a full answer that is too short": ("long words\n" * 140, "long words\n" * 9, "the full answer has"),
    "a demo of another": ("demo: ppo", "demo: dpo", "has its own"),
    "a key point that is not there": ("[[reward model]]", "[[critic network]]", "whole responses"),
    "latex": ("clip(r, 1 - ε", r"\mathrm{clip}(r, 1 - ε", "LaTeX"),
    "latex in the header": ("It stops drift.", "It stops $x_t$ drift.", "LaTeX"),
    "a wide code block": ("    L = min(", "    " + "L" * 73 + "= min(", "indented code block"),
    "a long line": ("long words\nlong", "long words " * 12 + "\nlong", "keep to 120"),
    "a fenced block": ("    L = min", "```\n    L = min", "indent the code"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_check_finds(tmp_path: Path, name: str) -> None:
    old, new, message = FAULTS[name]
    assert old in GOOD
    write(tmp_path, GOOD.replace(old, new, 1))
    problems = check_bank(tmp_path)
    assert problems
    assert all(message in problem.message for problem in problems)


def test_a_pack_of_ones_own_names_demos_that_exist(tmp_path: Path) -> None:
    write(tmp_path)
    assert check_bank(tmp_path, {"ppo"}) == []
    (problem,) = check_bank(tmp_path, {"dpo"})
    assert (problem.line, "no demo 'ppo'" in problem.message) == (7, True)
