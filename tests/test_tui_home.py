"""Home, the settings and the map of topics: what they say, where their keys lead, what is kept."""

import doctest
from datetime import date, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual import constants
from textual.pilot import Pilot
from textual.widgets import OptionList

from learn_llm.quizzes.desk import Desk
from learn_llm.quizzes.interview import Plan
from learn_llm.quizzes.interview_history import History
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.readiness import Readiness, recall_after
from learn_llm.quizzes.settings import Settings, load
from learn_llm.quizzes.texts import TEXTS, Language, Texts, choose
from learn_llm.tui import home_text
from learn_llm.tui.app import QuizApp
from learn_llm.tui.home_text import View, lines
from learn_llm.tui.screens.browse import BrowseScreen
from learn_llm.tui.screens.drill import DrillScreen
from learn_llm.tui.screens.home import HomePanel, HomeScreen
from learn_llm.tui.screens.interview_start import InterviewStart
from learn_llm.tui.screens.line import LineScreen
from learn_llm.tui.screens.settings import AMOUNTS, SettingsScreen, next_amount, next_day
from learn_llm.tui.screens.study import StudyScreen
from learn_llm.tui.screens.topics import TopicPicker
from learn_llm.tui.widgets.card import Card, RatingBar
from learn_llm.tui.widgets.key_bar import KeyBar
from learn_llm.tui.widgets.page import Page
from learn_llm.tui.widgets.top_bar import TopBar
from tests.tui_app import LARGE, SMALL, Clock, ListFirst, make_app

LEAST, MOST = (60, 18), (200, 60)
TODAY = date(2026, 3, 2)
LONG = {
    "en": "Describe the architecture of Llama 2. How many parameters does the 7B model have, and what does it take?",
    "ja": "In-Context Instruction Learning（ICIL）とは何ですか。アブレーションから何がわかりますか。",
}


def home(folder: Path, clock: Clock | None = None, language: Language = "en") -> QuizApp:
    return make_app(folder, clock=clock, language=language, app=QuizApp)


def desk_of(app: QuizApp) -> Desk:
    return app.kit.desk


def kind_of(app: QuizApp) -> type[object]:
    return type(app.screen)


def panel(app: QuizApp) -> str:
    """What home says, its lines joined."""
    return " ".join(str(app.screen.query_one(HomePanel).render()).split())


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def view(**changes: object) -> View:
    topics = {key.removeprefix("topic."): Readiness(6, 3, 0.4) for key in TEXTS["en"] if key.startswith("topic.")}
    values: dict[str, object] = {
        "due": 12,
        "new": 10,
        "done": 13,
        "streak": 14,
        "next": (50, LONG["en"]),
        "wait": timedelta(hours=3),
        "left": (12, 20),
        "today": TODAY,
        "interview": TODAY + timedelta(days=400),
        "all": Readiness(50, 12, 1.0),
        "topics": topics,
        "due_by_topic": dict.fromkeys(topics, 3),
    }
    return View(**{**values, **changes})  # type: ignore[arg-type]


class TestText:
    def test_examples(self) -> None:
        result = doctest.testmod(home_text)
        assert result.attempted > 0
        assert result.failed == 0

    @pytest.mark.parametrize("language", ["en", "ja"])
    @pytest.mark.parametrize("interview", [None, TODAY - timedelta(days=3), TODAY + timedelta(days=400)])
    def test_everything_fits_from_the_smallest_terminal_on(self, language: Language, interview: date | None) -> None:
        texts = Texts(language)
        for width in (56, 60, 64, 76, 95, 108):
            for height in (16, 21, 28, 37):
                full = view(interview=interview, next=(50, LONG[language]))
                shown = [line.plain for line in lines(full, texts, width, height)]
                assert len(shown) <= height
                assert max(map(cell_len, shown)) <= width
                for topic in full.topics:
                    assert sum(texts(f"topic.{topic}") in line for line in shown) >= 1, (topic, width, height)
                text = "".join(shown)
                assert texts("home.streak") + " 14" in text
                assert "38" in text  # of 50 that were never seen
                for mark in "、。）":
                    assert not any(line.strip().startswith(mark) for line in shown)

    def test_the_weakest_topic_comes_first(self) -> None:
        topics = {"data": Readiness(4, 4, 0.9), "search": Readiness(2, 0, 0.0), "alignment": Readiness(5, 2, 0.3)}
        shown = [line.plain for line in lines(view(topics=topics), Texts("en"), 108, 40)]
        places = [next(at for at, line in enumerate(shown) if line.startswith(name)) for name in ("sea", "ali", "dat")]
        assert places == sorted(places)
        assert "seen 2/5" in shown[places[1]]

    def test_a_long_question_is_cut(self) -> None:
        shown = [line.plain for line in lines(view(), Texts("en"), 56, 16)]
        assert shown[2].endswith("..")
        assert shown[3].startswith("i ")

    @pytest.mark.parametrize(
        ("days", "words"), [(0, "today"), (1, "tomorrow"), (2, "in 2 days"), (-1, "is over"), (None, "Press o to set")]
    )
    def test_the_day_in_words(self, days: int | None, words: str) -> None:
        day = None if days is None else TODAY + timedelta(days=days)
        shown = " ".join(line.plain for line in lines(view(interview=day), Texts("en"), 108, 40))
        assert words in shown

    def test_no_glyph_of_ambiguous_width(self) -> None:
        import unicodedata

        for language in TEXTS:
            for line in lines(view(), Texts(language), 108, 40):
                assert not [char for char in line.plain if unicodedata.east_asian_width(char) == "A"], line.plain


class TestHome:
    @pytest.mark.parametrize("size", [LEAST, SMALL, LARGE, MOST])
    @pytest.mark.parametrize("language", ["en", "ja"])
    async def test_it_opens_first_and_fits(self, tmp_path: Path, size: tuple[int, int], language: Language) -> None:
        clock = Clock()
        app = home(tmp_path, clock, language)
        desk_of(app).rate("ppo", 1)
        clock.pass_time(minutes=5)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            assert kind_of(app) is HomeScreen
            said = panel(app)
            assert app.kit.texts("home.due") + " 1" in said
            assert app.kit.texts("home.new") + " 9" in said
            assert "49" in said
            title = desk_of(app).question("ppo").question
            assert "".join(title.split())[:20] in "".join(said.split())
            assert app.screen.query_one(HomePanel).region.bottom <= size[1] - 1
            bar = str(app.screen.query_one(KeyBar).render())
            assert app.kit.texts("key.resume") in bar
            assert cell_len(bar) <= size[0]
            assert app.screen.query_one(TopBar).counts == "2026-03-02"

    async def test_one_key_goes_on_and_what_was_done_is_seen(self, tmp_path: Path) -> None:
        app = home(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "space")
            assert kind_of(app) is StudyScreen
            assert not app.screen.query_one(Card).revealed
            await press(pilot, "space", "4", "escape")
            assert kind_of(app) is HomeScreen
            assert "Done today 1 Days in a row 1" in panel(app)
            assert "New today 9" in panel(app)
            assert "Go on: 2" in panel(app)
            assert "49 of 50 questions were never seen" in panel(app)

    async def test_the_key_that_goes_on_does_not_reveal_when_it_is_held(self, tmp_path: Path) -> None:
        clock = Clock()
        clock.step = 0.0
        app = home(tmp_path, clock)
        async with app.run_test(size=SMALL) as pilot:
            for _ in range(5):
                await press(pilot, "space")
                clock.now += 0.03
            assert kind_of(app) is StudyScreen
            assert not app.screen.query_one(Card).revealed
            clock.now += 1.0
            await press(pilot, "space")
            assert app.screen.query_one(Card).revealed

    @pytest.mark.parametrize(
        ("key", "screen"),
        [("l", BrowseScreen), ("x", DrillScreen), ("i", InterviewStart), ("t", TopicPicker), ("o", SettingsScreen)],
    )
    async def test_keys_lead_on_and_escape_leads_back(self, tmp_path: Path, key: str, screen: type[object]) -> None:
        app = home(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, key)
            assert kind_of(app) is screen
            await press(pilot, "escape")
            assert kind_of(app) is HomeScreen
            await press(pilot, "escape")  # there is nothing behind it
            assert kind_of(app) is HomeScreen

    async def test_a_search_and_a_topic_are_left_before_the_list_is(self, tmp_path: Path) -> None:
        app = home(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "slash", *"ppo", "enter")
            assert isinstance(app.screen, BrowseScreen)
            assert app.screen.list.current is not None
            assert app.screen.list.current.id == "ppo"
            await press(pilot, "escape")
            assert app.screen.filter.is_open
            await press(pilot, "escape")
            assert kind_of(app) is HomeScreen
            await press(pilot, "t", "j", "enter")
            assert isinstance(app.screen, BrowseScreen)
            assert app.screen.filter.topic == "foundations"
            await press(pilot, "escape", "escape")
            assert kind_of(app) is HomeScreen

    async def test_after_the_new_questions_of_the_day_nothing_waits_but_more_can_be_had(self, tmp_path: Path) -> None:
        app = home(tmp_path)
        desk_of(app).change(new_a_day=3)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "space", *("space", "4") * 3)
            assert app.screen.has_class("-done")
            await press(pilot, "escape")
            assert "New today 0" in panel(app)
            assert "Nothing waits. The next card is due in" in panel(app)
            await press(pilot, "space")
            assert app.screen.has_class("-done")
            await press(pilot, "m")
            assert not app.screen.has_class("-done")

    async def test_an_interview_that_was_left_is_offered(self, tmp_path: Path) -> None:
        app = home(tmp_path)
        History(desk_of(app).progress).begin(Plan(("ppo", "sft")))
        async with app.run_test(size=SMALL) as pilot:
            await pilot.pause()
            assert "The mock interview you left: 0 of 2 answered." in panel(app)
            await press(pilot, "i")
            highlighted = app.screen.query_one(OptionList).highlighted_option
            assert highlighted is not None
            assert highlighted.id == "resume"

    async def test_a_day_later(self, tmp_path: Path) -> None:
        clock = Clock()
        app = home(tmp_path, clock)
        desk_of(app).rate("ppo", 4)
        async with app.run_test(size=SMALL) as pilot:
            assert "Days in a row 1" in panel(app)
            clock.pass_time(days=20)
            await press(pilot, "t", "escape")
            assert "Due 1" in panel(app)
            assert "New today 10 Done today 0 Days in a row 0" in panel(app)

    async def test_where_progress_cannot_be_saved_it_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "progress.sqlite3").mkdir()
        app = home(tmp_path)
        async with app.run_test(size=LARGE) as pilot:
            await pilot.pause()
            assert "Progress is not saved" in app.screen.query_one(TopBar).alarm
            assert len(app._notifications) == 1
            await press(pilot, "o", "j", "right")
            assert "Progress is not saved" in app.screen.query_one(TopBar).alarm

    @pytest.mark.parametrize("kind", [QuizApp, ListFirst])
    async def test_it_can_be_left_before_it_has_drawn_anything(self, tmp_path: Path, kind: type[QuizApp]) -> None:
        for number in range(4):
            app = make_app(tmp_path / str(number), app=kind)
            async with app.run_test(size=LARGE):
                app.exit()
            assert app.return_code == 0


class TestSettings:
    async def test_the_day_of_the_interview_changes_what_readiness_is_told_for(self, tmp_path: Path) -> None:
        app = home(tmp_path)
        card = desk_of(app).progress
        desk_of(app).rate("ppo", 4)
        stability = card.card("ppo").stability
        assert stability is not None
        async with app.run_test(size=SMALL) as pilot:
            assert "Recall today 2 %" in panel(app)
            await press(pilot, "o", "j", "enter")
            assert kind_of(app) is LineScreen
            await press(pilot, *"soon", "enter")
            assert kind_of(app) is LineScreen
            assert "no day" in str(app.screen.query_one("#line-wrong", Page).render())
            await press(pilot, *["backspace"] * 4, *"400", "enter")
            assert desk_of(app).settings.interview == TODAY + timedelta(days=400)
            await press(pilot, "right", "left", "left", "escape")
            expected = home_text.percent(recall_after(399, stability) / 50)
            assert f"Interview 2027-04-05, in 399 days: expected recall {expected} %" in panel(app)
            assert "if nothing is reviewed until then. 49 of 50" in panel(app)
            await press(pilot, "o", "j", "enter", *["backspace"] * 10, "enter")
            assert desk_of(app).settings.interview is None

    async def test_a_day_is_left_as_it_was_with_escape(self, tmp_path: Path) -> None:
        app = home(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "o", "j", "enter", *"14", "escape")
            assert kind_of(app) is SettingsScreen
            assert desk_of(app).settings == Settings()

    async def test_the_language_changes_everything_at_once_and_is_kept(self, tmp_path: Path) -> None:
        app = home(tmp_path)
        desk_of(app).rate("what-is-ai", 4)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "o", "right")
            assert app.screen.query_one(TopBar).title == "設定"
            assert "変更" in str(app.screen.query_one(KeyBar).render())
            await press(pilot, "escape")
            assert "今日の新規 9" in panel(app)
            assert "続ける" in str(app.screen.query_one(KeyBar).render())
            assert desk_of(app).question("ppo").lang == "ja"
            assert "続き: 2" in panel(app)  # one progress, whatever the language
            await press(pilot, "space")
            question = app.screen.query_one(Card).card
            assert question is not None
            assert question.question.lang == "ja"
        desk_of(app).progress.close()
        with Progress(tmp_path / "progress.sqlite3") as progress:
            assert choose(None, {"LANG": "en_GB.UTF-8"}, load(progress).language) == "ja"
            assert choose(None, {"LEARN_LLM_LANG": "en"}, load(progress).language) == "en"
            assert choose("en", {}, load(progress).language) == "en"

    async def test_the_theme_is_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        app = home(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await pilot.pause()
            assert app.theme == "learn-llm-dark"
            assert load(desk_of(app).progress) == Settings()  # to start is to set nothing
            await press(pilot, "o", *"jjjj", "right", "right")
            assert app.theme == "learn-llm-contrast"
            app.theme = "nord"  # as the command palette does
            await pilot.pause()
        desk_of(app).progress.close()
        assert home(tmp_path).theme == "nord"
        monkeypatch.setattr(constants, "DEFAULT_THEME", "gruvbox")
        assert home(tmp_path).theme == "gruvbox"

    async def test_a_theme_that_is_gone(self, tmp_path: Path) -> None:
        desk_of(home(tmp_path)).change(theme="no such theme")
        app = home(tmp_path)
        async with app.run_test(size=SMALL):
            assert app.theme == "learn-llm-dark"

    async def test_two_ratings(self, tmp_path: Path) -> None:
        app = home(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "o", *"jjj", "right", "escape", "space", "space")
            bar = str(app.screen.query_one(RatingBar).render())
            assert "1 Forgot" in bar
            assert "3 Got it" in bar
            assert "Partly" not in bar
            assert "Easy" not in bar
            assert "1 3 rate" in str(app.screen.query_one(KeyBar).render())
            await press(pilot, "2", "4")
            assert desk_of(app).given == 0
            await press(pilot, "3")
            assert desk_of(app).given == 1
            await press(pilot, "space", "1")
            assert desk_of(app).given == 2
            assert [rating for (rating,) in desk_of(app).progress.db.execute("SELECT rating FROM review")] == [3, 1]

    async def test_new_questions_a_day(self, tmp_path: Path) -> None:
        app = home(tmp_path)
        async with app.run_test(size=SMALL) as pilot:
            await press(pilot, "o", "j", "j", *["left"] * 9, "escape")
            assert "New today 0" in panel(app)
            assert "Nothing waits." in panel(app)
            await press(pilot, "o", "j", "j", "enter", "escape")
            assert "New today 3" in panel(app)

    def test_values_that_follow(self) -> None:
        assert next_day(None, TODAY, 1) == TODAY + timedelta(days=14)
        assert next_day(None, TODAY, -1) is None
        assert next_day(TODAY, TODAY, -1) is None
        assert next_day(TODAY - timedelta(days=9), TODAY, 1) == TODAY + timedelta(days=14)
        assert next_day(TODAY + timedelta(days=730), TODAY, 1) == TODAY + timedelta(days=730)
        assert next_day(TODAY + timedelta(days=5), TODAY, -1) == TODAY + timedelta(days=4)
        assert [next_amount(10, 1), next_amount(10, -1)] == [15, 5]
        assert [next_amount(12, 1), next_amount(12, -1)] == [15, 10]  # set by another program
        assert [next_amount(AMOUNTS[-1], 1), next_amount(999, 1), next_amount(0, -1)] == [AMOUNTS[-1], AMOUNTS[-1], 0]


class TestTopics:
    @pytest.mark.parametrize("size", [LEAST, SMALL, LARGE])
    @pytest.mark.parametrize("language", ["en", "ja"])
    async def test_the_map(self, tmp_path: Path, size: tuple[int, int], language: Language) -> None:
        clock = Clock()
        app = home(tmp_path, clock, language)
        desk = desk_of(app)
        for question in desk.bank.select(topic="search"):
            desk.rate(question.id, 1)
        clock.pass_time(minutes=5)
        drill = desk.drill(["search"])
        desk.answer_drill(drill, drill.order[0])
        async with app.run_test(size=size) as pilot:
            await press(pilot, "t")
            rows = app.screen.query_one(OptionList)
            prompts = {option.id: str(option.prompt) for option in rows.options}
            count = len(desk.bank.select(topic="search"))
            cells = prompts["search"].split()
            assert cells[-5:-2] == ["100", "%", f"{count}/{count}"]
            assert cells[-2] == str(count)
            assert cells[-1] in ("0/1", "1/1")
            assert prompts["alignment"].split()[-5] == "0"
            assert prompts[""].split()[-1] == cells[-1]
            assert len({cell_len(prompt) for prompt in prompts.values()}) == 1  # columns stand below each other
            assert cell_len(prompts["search"]) + 2 <= rows.scrollable_content_region.width
            heads = app.screen.query_one("#topics-heads")
            assert heads.region.right - heads.region.x == cell_len(prompts["search"]) + 1
