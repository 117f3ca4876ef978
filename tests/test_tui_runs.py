"""A demo's parameters, two runs drawn together, and the last verdict on the card."""

import doctest
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from learn_llm.demos.catalogue import DEMOS, Parameter
from learn_llm.events import Chart, Metrics, Series, Verdict
from learn_llm.quizzes import kit
from learn_llm.quizzes.demo_history import DemoHistory
from learn_llm.quizzes.kit import demo_command
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.schedule import Schedule
from learn_llm.quizzes.texts import Texts
from learn_llm.tui import demo_text
from learn_llm.tui.app import QuizApp
from learn_llm.tui.card_text import ran_block
from learn_llm.tui.demo_state import DemoState
from learn_llm.tui.screens import parameters
from learn_llm.tui.screens.parameters import ParametersScreen, read, shown, turned
from learn_llm.tui.widgets.demo import DemoPane
from learn_llm.tui.widgets.page import Page
from tests.test_tui_demo import open_demo, pane, text, until
from tests.tui_app import LARGE, SMALL, Clock, make_app

ENGLISH = Texts("en")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
needs_children = pytest.mark.skipif(sys.platform == "win32", reason="the children of these tests need POSIX signals")


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def hint(app: QuizApp) -> str:
    return " ".join(str(app.screen.query_one("#card-hint", Page).render()).split())


class TestParameters:
    def test_examples(self) -> None:
        for module in (parameters, kit):
            result = doctest.testmod(module)
            assert result.attempted > 0
            assert result.failed == 0

    @pytest.mark.parametrize(
        ("slug", "parameter"), [(slug, one) for slug, demo in DEMOS.items() for one in demo.parameters]
    )
    def test_every_parameter_can_be_turned_to_both_ends_and_typed(self, slug: str, parameter: Parameter) -> None:
        reached = set()
        for direction in (1, -1):
            value = parameter.default
            for _ in range(60):
                value = turned(parameter, value, direction)
                assert parameter.fault(value) is None
                assert type(value) is type(parameter.default)
                reached.add(value)
        if parameter.choices:
            assert reached == set(parameter.choices)
        else:
            assert parameter.low is not None
            assert parameter.high is not None
            assert parameter.high in reached
            wide = parameter.low > 0 and parameter.high / parameter.low > parameters.WIDE
            assert min(float(value) for value in reached) <= parameter.low * (1 + wide) + 1e-9
            assert read(parameter, shown(parameter.default)) == parameter.default
            for wrong in ("x", "", str(parameter.high + 1), "nan"):
                with pytest.raises(ValueError):  # noqa: PT011  what is said does not matter here
                    read(parameter, wrong)

    def test_they_become_options_of_the_command(self) -> None:
        argv = demo_command(DEMOS["what-is-ai"], True, {"games": 100, "alpha": 0.5})
        assert argv[-5:] == ["--games", "100", "--alpha", "0.5", "--break"]

    @needs_children
    @pytest.mark.parametrize("size", [SMALL, LARGE])
    async def test_a_run_with_other_parameters_is_drawn_with_the_one_before(
        self, tmp_path: Path, size: tuple[int, int]
    ) -> None:
        app = make_app(tmp_path)
        async with app.run_test(size=size) as pilot:
            await open_demo(app, pilot)
            assert pane(app).before is None
            await press(pilot, "p")
            assert isinstance(app.screen, ParametersScreen)
            await press(pilot, "left", "j", "enter", *["backspace"] * 9, *"7", "enter")
            assert app.screen.query("#line-wrong")  # out of its range: still typing
            await press(pilot, "backspace", *"0.5", "enter", "r")
            assert pane(app).state.options == {"games": 3000, "alpha": 0.5}
            await until(pilot, lambda: pane(app).status == "finished")
            await pilot.pause(0.3)
            said = " ".join(text(app).split())
            assert "Now: --games 3000 --alpha 0.5. Drawn with it, before: the defaults." in said
            assert "PPO (now)" in said
            assert "PPO (before)" in said
            assert "before 0.31" in said
            await press(pilot, "b")  # broken, with the same parameters
            assert pane(app).state.options == {"games": 3000, "alpha": 0.5}
            before = pane(app).before
            assert before is not None
            assert before.options == {"games": 3000, "alpha": 0.5}

    @needs_children
    async def test_escape_changes_nothing(self, tmp_path: Path) -> None:
        app = make_app(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await open_demo(app, pilot)
            state = pane(app).state
            await press(pilot, "p", "right", "escape")
            assert pane(app).state is state

    @needs_children
    async def test_a_run_that_was_stopped_or_is_of_another_demo_is_not_drawn(self, tmp_path: Path) -> None:
        app = make_app(tmp_path, kind="endless")
        async with app.run_test(size=LARGE) as pilot:
            await open_demo(app, pilot, wait_for="running")
            await press(pilot, "b")
            assert pane(app).before is None
            pane(app).before = pane(app).state
            other = next(demo for demo in DEMOS.values() if demo != pane(app).demo)
            pane(app).run_demo(other, broken=False)
            assert pane(app).before is None


class TestTwoRuns:
    def states(self) -> tuple[DemoState, DemoState]:
        now, before = DemoState(), DemoState(options={"games": 10})
        for step in range(1, 6):
            now.take(Metrics(step, 5, {"kl": 0.1 * step, "only_now": float(step)}), 0.0)
            before.take(Metrics(step, 5, {"kl": 0.3 * step}), 0.0)
        series = (Series("PPO", (0.0, 1.0), (0.0, 1.0)),)
        for state in (now, before):
            state.take(Chart("line", "Gold", "", "", series), 0.0)
            state.take(Chart("hist", "Rewards", "", "", series), 0.0)
        return now, before

    def test_curves_share_a_frame(self) -> None:
        now, before = self.states()
        drawn = demo_text.curves(now, before, ENGLISH, 60).plain
        assert drawn.count("now") == 2  # the legend of kl, and the name of the other metric
        assert drawn.count("before") == 1
        assert "0.4" not in drawn  # a step of the axis of kl alone: the frame reaches to the higher of the two
        assert "0.4" in demo_text.curves(now, None, ENGLISH, 60).plain

    def test_charts_of_lines_are_drawn_together_and_others_are_not(self) -> None:
        drawn = demo_text.charts(*self.states(), ENGLISH, 80).plain
        assert drawn.count("(before)") == 1

    def test_numbers_stand_side_by_side(self) -> None:
        said = Verdict("It helps", True, {"gain": 0.5, "new": 1.0})
        shown = demo_text.verdict(said, False, ENGLISH, 80, Verdict("It helps", True, {"gain": 0.25})).plain
        assert "0.5         before 0.25" in shown
        assert "before -" in shown
        assert "before" not in demo_text.verdict(said, False, ENGLISH, 80).plain


class TestLastVerdict:
    def test_the_newest_run_is_kept(self, tmp_path: Path) -> None:
        with Progress(tmp_path / "progress.sqlite3", Schedule(clock=lambda: NOW)) as progress:
            history = DemoHistory(progress)
            assert history.last("ppo") is None
            for holds in (True, False):
                history.keep("ppo", options={"steps": 3}, broken=True, holds=holds, claim="c", measured={"kl": 0.5})
            history.keep("sft", options={}, broken=False, holds=True, claim="c", measured={})
        with Progress(tmp_path / "progress.sqlite3") as progress:
            run = DemoHistory(progress).last("ppo")
            assert run is not None
            assert (run.holds, run.broken, run.options, run.measured) == (False, True, {"steps": 3}, {"kl": 0.5})
            assert run.ended_at == NOW
            shown = str(ran_block(run, NOW + timedelta(days=2), ENGLISH).text)
            assert shown.startswith("Last run (--steps 3 --break), 2 d ago: ✗ The claim does not hold, as it should")
            assert "kl 0.5" in shown
            assert "たった今" in str(ran_block(run, NOW, Texts("ja")).text)
            progress.db.execute("UPDATE demo_run SET measured = 'spoilt'")
            assert DemoHistory(progress).last("ppo") is None

    @needs_children
    async def test_it_stands_on_the_card(self, tmp_path: Path) -> None:
        clock = Clock()
        app = make_app(tmp_path, clock=clock)
        async with app.run_test(size=LARGE) as pilot:
            await press(pilot, "enter")
            assert "Last run" not in hint(app)
            await press(pilot, "escape")
            await open_demo(app, pilot)
            await pilot.pause()
            await press(pilot, "escape")
            assert "Last run (the defaults), just now: ✓ The claim holds gold_difference 0.31" in hint(app)
            await press(pilot, "space")
            assert "What its demo said" in str(app.screen.query_one("#card-page", Page).render())
            clock.pass_time(days=3)
            await press(pilot, "right", "left")
            assert "3 d ago" in hint(app)

    @needs_children
    async def test_a_failed_demo_leaves_none(self, tmp_path: Path) -> None:
        app = make_app(tmp_path, kind="crash")
        async with app.run_test(size=SMALL) as pilot:
            await open_demo(app, pilot, wait_for="failed")
            await pilot.pause()
            slug = app.screen.query_one(DemoPane).demo
            assert slug is not None
            assert app.kit.desk.last_run(slug.slug) is None
