"""The parts of the app that need no screen: texts, lines, keys, filters, the state of a demo."""

import doctest
import math
import re
import string
from datetime import timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from learn_llm.events import Chart, Metrics, Note, Sample, Series, Stage, Table, TokenRow, Tokens, Verdict
from learn_llm.quizzes import texts
from learn_llm.quizzes.bank import load_bank
from learn_llm.quizzes.desk import Standing
from learn_llm.quizzes.filters import Filter, topic_counts, view_counts
from learn_llm.quizzes.index import TOPICS
from learn_llm.quizzes.texts import TEXTS, Texts, choose
from learn_llm.tui import demo_text, kinsoku, prose, styles
from learn_llm.tui.demo_state import LONGEST, DemoState
from learn_llm.tui.key_guard import FIRST_REPEAT, REPEAT, KeyGuard
from learn_llm.tui.prose import blocks, lay_out

ENGLISH = Texts("en")


def lines_of(markdown: str, width: int) -> list[str]:
    return [line.plain for line in lay_out(blocks(markdown), width)]


class TestTexts:
    def test_both_languages_have_the_same_texts(self) -> None:
        assert TEXTS["en"].keys() == TEXTS["ja"].keys()

    @pytest.mark.parametrize("key", sorted(TEXTS["en"]))
    def test_placeholders_agree(self, key: str) -> None:
        fields = [{name for _, name, _, _ in string.Formatter().parse(TEXTS[lang][key]) if name} for lang in TEXTS]
        assert fields[0] == fields[1]

    def test_japanese_is_japanese(self) -> None:
        same = {key for key in TEXTS["en"] if TEXTS["en"][key] == TEXTS["ja"][key]}
        assert same == {"mark.later", "tokens.row.KL"}
        assert {key.removeprefix("topic.") for key in TEXTS["en"] if key.startswith("topic.")} == set(TOPICS)

    def test_language_from_option_then_variable_then_locale(self) -> None:
        assert choose("ja", {"LEARN_LLM_LANG": "en"}) == "ja"
        assert choose(None, {"LEARN_LLM_LANG": "ja", "LANG": "en_GB.UTF-8"}) == "ja"
        assert choose(None, {"LC_ALL": "", "LANG": "ja_JP.UTF-8"}) == "ja"
        assert choose(None, {"LC_ALL": "C", "LANG": "ja_JP.UTF-8"}) == "en"
        assert choose(None, {}) == "en"

    @pytest.mark.parametrize(
        ("length", "text"),
        [
            (timedelta(seconds=59), "< 1 min"),
            (timedelta(minutes=10), "10 min"),
            (timedelta(minutes=59.9), "1 h"),
            (timedelta(hours=5), "5 h"),
            (timedelta(days=8), "8 d"),
            (timedelta(days=59), "59 d"),
            (timedelta(days=120), "4 mo"),
            (timedelta(days=700), "1.9 y"),
        ],
    )
    def test_intervals(self, length: timedelta, text: str) -> None:
        assert ENGLISH.interval(length) == text

    def test_doctests(self) -> None:
        for module in (texts, kinsoku, prose):
            result = doctest.testmod(module)
            assert result.attempted > 0
            assert result.failed == 0


class TestProse:
    def test_code_that_is_too_wide_goes_on_behind_a_word(self) -> None:
        code = "    advantages = (rewards - rewards.mean()) / (rewards.std() + 1e-4)"
        (block,) = blocks(f"    {code}")
        lines = [line.plain for line in block.lines(44)]
        assert len(lines) == 2
        assert lines[0].endswith((" ", "/", "-", ")", "="))
        assert "".join(lines).split() == code.split()
        assert max(map(len, lines)) <= 44

    def test_a_formula_keeps_its_columns(self) -> None:
        formula = "    value(s) = result     if s is final\n             = max         if it is my turn"
        shown = lines_of(f"Text before.\n\n{formula}\n\nText after.", 60)
        assert shown[2:4] == formula.split("\n")
        assert shown[1] == shown[4] == ""

    def test_no_line_is_wider_than_asked(self) -> None:
        for question in load_bank().questions:
            for width in (48, 72):
                for line in lines_of(question.full_answer, width):
                    assert cell_len(line) <= width, line

    def test_nothing_is_lost(self) -> None:
        for question in load_bank().questions[:10]:
            words = set(re.findall(r"[A-Za-z]{3,}", question.full_answer))
            assert words <= set(re.findall(r"[A-Za-z]{3,}", " ".join(lines_of(question.full_answer, 72))))

    def test_lists_tables_and_headings(self) -> None:
        shown = lines_of("# Head\n\n1. one\n2. two\n\n- a\n  - b\n\n| x | y |\n|---|---|\n| 1.25 | z |", 40)
        expected = ["Head", "", " 1. one", " 2. two", "", "  - a", "      - b", "", "  x      y", "  1.25   z"]
        assert [line.rstrip() for line in shown] == expected

    def test_styles_do_not_show_as_text(self) -> None:
        (block,) = blocks("**bold** and *soft* and `code` and [brackets]")
        assert block.text.plain == "bold and soft and code and [brackets]"
        assert {str(span.style) for span in block.text.spans} == {styles.STRONG, styles.EMPHASIS, styles.CODE}

    def test_japanese_lines_are_joined_without_spaces_and_broken_by_kinsoku(self) -> None:
        text = (
            "方策勾配法は、期待報酬の勾配を推定する。\n「優位性」を掛けると、分散が小さくなるー。PPO はクリップを使う。"
        )
        for width in range(12, 60):
            shown = lines_of(text, width)
            assert "".join(shown).replace(" ", "") == text.replace("\n", "").replace(" ", "")
            for line in shown:
                assert cell_len(line) <= width
                assert line[0] not in kinsoku.NEVER_FIRST
                assert line[-1] not in kinsoku.NEVER_LAST


class TestKeyGuard:
    def test_a_held_key_does_nothing_until_it_was_let_go(self) -> None:
        repeats = [0.5, 0.53, 0.56, 0.65, 0.72, 0.8, 0.95]
        times = iter([0.0, *repeats, 0.95 + REPEAT + 0.01])
        guard = KeyGuard(lambda: next(times))
        guard.acted("space")
        held = [guard.allows("space") for _ in repeats]
        assert not any(held)
        assert guard.allows("space")

    def test_another_key_may_act_sooner(self) -> None:
        times = iter([0.0, 0.1, 0.1 + REPEAT, FIRST_REPEAT - 0.05])
        guard = KeyGuard(lambda: next(times))
        guard.acted("space")
        assert not guard.allows("3")
        assert guard.allows("3")
        assert not guard.allows("space")


class TestFilter:
    def test_views_topics_and_words(self) -> None:
        questions = load_bank().questions
        standings = {question.id: Standing("new") for question in questions} | {"ppo": Standing("due")}
        assert len(Filter().select(questions, standings)) == 50
        assert [question.id for question in Filter("due").select(questions, standings)] == ["ppo"]
        assert {question.level for question in Filter("basic").select(questions, standings)} == {"basic"}
        chosen = Filter(topic="search").select(questions, standings)
        assert chosen
        assert all("search" in question.topics for question in chosen)
        assert [question.id for question in Filter(words="43").select(questions, standings)] == ["ppo"]
        assert Filter(words="no such words anywhere").select(questions, standings) == []

    def test_words_that_no_question_has_are_looked_for_in_the_answers(self) -> None:
        questions = load_bank().questions
        standings = {question.id: Standing("new") for question in questions}
        found = Filter(words="expert system").select(questions, standings)
        assert "what-is-ai" in {question.id for question in found}

    def test_counts(self) -> None:
        questions = load_bank().questions
        standings = {question.id: Standing("new") for question in questions} | {"ppo": Standing("due")}
        counts = view_counts(questions, standings)
        assert (counts["all"], counts["due"], counts["new"]) == (50, 1, 49)
        assert counts["basic"] + counts["intermediate"] + counts["advanced"] == 50
        assert sum(topic_counts(questions).values()) == sum(len(question.topics) for question in questions)


class TestDemoState:
    def test_curves_stay_small_and_keep_their_ends(self) -> None:
        state = DemoState(started=0.0)
        for step in range(1, 20_001):
            state.take(Metrics(step, 20_000, {"loss": 1.0 / step}), now=step / 1000)
        curve = state.curves["loss"]
        assert LONGEST / 2 <= len(curve.x) <= LONGEST
        assert curve.x[0] == 1
        assert curve.x[-1] > 19_900
        assert curve.x == sorted(curve.x)
        assert state.latest["loss"] == 1.0 / 20_000

    def test_a_new_stage_starts_its_curve_again(self) -> None:
        state = DemoState()
        for step in (1, 2, 3, 1, 2):
            state.take(Metrics(step, 3, {"loss": float(step)}), now=0.0)
        assert state.curves["loss"].x == [1, 2]

    def test_time_left(self) -> None:
        state = DemoState(started=0.0)
        assert state.left(1.0) is None
        state.take(Stage("policy", 1, 1), now=10.0)
        state.take(Metrics(10, 40, {"loss": 1.0}), now=20.0)
        assert state.left(20.0) == pytest.approx(30.0)
        state.end("finished", 50.0)
        assert state.left(60.0) is None
        assert state.elapsed(99.0) == 50.0

    def test_it_keeps_the_last_samples_and_notes_only(self) -> None:
        state = DemoState()
        for number in range(500):
            state.take(Note(str(number)), now=0.0)
            state.take(Sample("p", str(number)), now=0.0)
        assert len(state.notes) <= 40
        assert state.samples[-1].response == "499"


class TestDemoText:
    @pytest.mark.parametrize("width", [20, 56, 73, 140])
    def test_no_part_is_wider_than_the_pane(self, width: int) -> None:
        state = DemoState(status="running", broken=True, started=0.0)
        for step in (1, 2, 3):
            values = {"clip_fraction": 0.9, "kl": math.nan, "a_metric_with_a_rather_long_name_that_is_cut": 1e-9}
            state.take(Metrics(step, 3, values), now=1.0)
        state.take(Metrics(1, 1, {"once": 1.0}), now=1.0)
        state.take(Stage("a stage with a long name " * 4, 1, 2), now=1.0)
        state.take(Sample("a prompt " * 30, "応答 " * 30, {"gold": 0.5}), now=1.0)
        state.take(Chart("bar", "Title " * 20, "", "y", (Series("a", ("x", "y"), (1.0, 2.0)),)), now=1.0)
        state.take(Table("T", ("name", "value"), (("a" * 50, 1.5), ("b", None))), now=1.0)
        state.take(Note("word " * 60), now=1.0)
        tokens = Tokens(
            tuple(f"token{i}" for i in range(30)), (TokenRow("advantage", tuple(float(i) for i in range(30))),)
        )
        parts = [
            demo_text.status_lines(state, ENGLISH, 2.0, width),
            demo_text.curves(state, None, ENGLISH, width),
            demo_text.charts(state, None, ENGLISH, width),
            demo_text.tables(state, width),
            demo_text.samples(state, ENGLISH, width),
            demo_text.notes(state.notes, width),
            demo_text.verdict(Verdict("claim " * 30, True, {"gold_difference": 0.3}), False, ENGLISH, width),
        ]
        if width >= 40:
            parts.append(demo_text.tokens([tokens], width))
        for part in parts:
            for line in part.plain.split("\n"):
                assert cell_len(line) <= width, line

    @pytest.mark.parametrize(
        ("width", "lines"),
        [
            (60, ["loss           gradient at the start  steps needed"]),
            (40, ["               gradient at", "loss             the start  steps needed"]),
            (
                36,
                [
                    "                gradient",
                    "                  at the       steps",
                    "loss               start      needed",
                ],
            ),
        ],
    )
    def test_names_of_columns_are_broken_between_words(self, width: int, lines: list[str]) -> None:
        state = DemoState()
        columns = ("loss", "gradient at the start", "steps needed")
        state.take(Table("", columns, (("cross-entropy", 2.0, 50), ("squared error", 0.0035, 1992))), now=0.0)
        shown = demo_text.tables(state, width).plain.split("\n")
        assert shown[: len(lines)] == lines
        assert [line.split()[-1] for line in shown[len(lines) :]] == ["50", "1992"]

    def test_a_metric_outside_its_range_is_marked_in_words(self) -> None:
        state = DemoState()
        for step in (1, 2):
            state.take(Metrics(step, 2, {"clip_fraction": 0.9, "kl": 1.0}), now=0.0)
        shown = demo_text.curves(state, None, ENGLISH, 73).plain
        assert re.search(r"clip fraction  0\.9  high", shown)
        assert not re.search(r"kl  1  (high|low)", shown)

    @pytest.mark.parametrize(
        ("holds", "broken", "text"),
        [
            (True, False, "✓ The claim holds"),
            (False, False, "✗ The claim does not hold"),
            (False, True, "✗ The claim does not hold, as it should"),
            (True, True, "✓ The claim holds although"),
        ],
    )
    def test_verdicts(self, holds: bool, broken: bool, text: str) -> None:
        shown = demo_text.verdict(Verdict("PPO helps", holds, {"win_rate": 0.74}), broken, ENGLISH, 80).plain
        assert shown.startswith(text)
        assert "win_rate" in shown
        assert "0.74" in shown


def test_state_marks_are_not_of_ambiguous_width() -> None:
    """Characters that some terminals show two cells wide would shift what follows them."""
    import unicodedata

    source = Path(demo_text.__file__).parent
    marks = {char for path in source.rglob("*.py") for char in path.read_text() if not char.isascii()}
    allowed = set("".join(TEXTS["ja"].values())) | kinsoku.NEVER_FIRST | kinsoku.NEVER_LAST | set("方策\u2801\u28ff")
    ambiguous = {char for char in marks - allowed if unicodedata.east_asian_width(char) == "A"}
    assert not ambiguous
