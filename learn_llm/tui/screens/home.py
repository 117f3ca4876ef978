"""Home: what waits this morning, one key to go on, how ready one is for the day of the interview."""

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from learn_llm.quizzes.kit import Kit
from learn_llm.tui.home_text import View, lines
from learn_llm.tui.keys import bindings
from learn_llm.tui.styles import NOTICE
from learn_llm.tui.widgets.key_bar import KeyBar, bindings_of
from learn_llm.tui.widgets.too_small import WIDTH, TooSmall
from learn_llm.tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from learn_llm.tui.screens.browse import BrowseScreen

MINUTE = 60.0
SOON = 0.4
"""Seconds after which what the first card needs is loaded: the learner reads meanwhile."""


class HomePanel(Widget):
    """Shows a `View`; everything fits, so nothing scrolls."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self.exercises: tuple[int, int] | None = None
        self._view: View | None = None

    def look_again(self) -> None:
        """Time has passed, or something was done."""
        self._view = None
        self.refresh()

    def render(self) -> Content:
        """All lines for the size there is."""
        if self.size.width < WIDTH - 4:  # not laid out yet, or too small to be shown
            return Content("")
        if self._view is None:
            self._view = view_of(self.kit, self.exercises)
        return Content("\n").join(lines(self._view, self.kit.texts, self.size.width, self.size.height))


class HomeScreen(Screen[None]):
    """Opens everything else, and comes back when that is closed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("home")

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self._left = False

    def compose(self) -> ComposeResult:
        yield TopBar("learn-llm")
        yield HomePanel(self.kit)
        yield KeyBar(self.kit.texts)
        yield TooSmall(self.kit.texts)

    def on_mount(self) -> None:
        self.set_interval(MINUTE, self._look_again)
        self.call_after_refresh(self.set_timer, SOON, self._load)  # never before the first picture is there
        self._say()

    def on_screen_resume(self) -> None:
        """What was done elsewhere is seen here, in the language that was chosen there."""
        if self._left:
            self._look_again()
            self._count_exercises()
            for widget in self.query("*"):
                widget.refresh()

    def on_screen_suspend(self) -> None:
        """Something else is shown."""
        self._left = True

    def help_sections(self) -> list[tuple[str, list[Binding]]]:
        """The keys of this screen."""
        return [("home", bindings_of(HomeScreen))]

    def _look_again(self) -> None:
        self.kit.desk.refresh()
        self.query_one(HomePanel).look_again()
        self._say()

    def _load(self) -> None:
        _load_cards()
        self._count_exercises()

    def _count_exercises(self) -> None:
        from learn_llm.exercises.here import tally

        panel = self.query_one(HomePanel)
        panel.exercises = tally()
        panel.look_again()

    def _say(self) -> None:
        """The day; whether ratings are kept; for a while, what is wrong with the files."""
        bar, desk = self.query_one(TopBar), self.kit.desk
        bar.counts = str(desk.today())
        bar.alarm = "" if desk.saving else self.kit.texts("unsaved")
        for notice in desk.news():
            self.notify(notice, severity="warning", timeout=NOTICE, markup=False)

    # Where one can go

    def action_resume(self, key: str) -> None:
        """Studies what is due, then what is new."""
        from learn_llm.tui.screens.study import StudyScreen

        self.app.push_screen(StudyScreen(self.kit, key))

    async def action_list(self) -> None:
        """All questions."""
        await self._browse()

    def action_drill(self) -> None:
        """Multiple choice over all questions."""
        from learn_llm.tui.screens.drill import DrillScreen

        self.app.push_screen(DrillScreen(self.kit, [question.id for question in self.kit.desk.questions]))

    def action_interview(self) -> None:
        """A mock interview, the one that was left first."""
        from learn_llm.tui.screens.interview_start import InterviewStart

        self.app.push_screen(InterviewStart(self.kit), self._interviewed)

    async def _interviewed(self, mend: str | None) -> None:
        if mend is not None:
            screen = await self._browse()
            await screen.mend(mend)

    def action_exercises(self) -> None:
        """The functions to be written."""
        from learn_llm.tui.screens.exercises import ExercisesScreen

        self.app.push_screen(ExercisesScreen(self.kit))

    def action_topics(self) -> None:
        """The map of the topics; from there, the questions of one."""
        from learn_llm.tui.screens.topics import TopicPicker

        self.app.push_screen(TopicPicker(self.kit), self._topic_chosen)

    async def _topic_chosen(self, topic: str | None) -> None:
        if topic is not None:
            screen = await self._browse()
            screen.show_topic(topic)

    async def action_search(self) -> None:
        """All questions, with the search open."""
        screen = await self._browse()
        screen.action_search()

    def action_settings(self) -> None:
        """Language, day of the interview, and the like."""
        from learn_llm.tui.screens.settings import SettingsScreen

        self.app.push_screen(SettingsScreen(self.kit))

    async def _browse(self) -> "BrowseScreen":
        from learn_llm.tui.screens.browse import BrowseScreen

        screen = BrowseScreen(self.kit)
        await self.app.push_screen(screen)
        return screen


def view_of(kit: Kit, exercises: tuple[int, int] | None) -> View:
    """Where the learner stands now; how many exercises have passed, and of how many."""
    desk = kit.desk
    standings, counts, new_left = desk.standings(), desk.counts(), desk.new_left()
    id = desk.next(new_left)
    record = desk.unfinished()
    due = [question for question in desk.questions if standings[question.id].kind == "due"]
    topics = desk.topics()
    return View(
        due=counts.due,
        new=new_left,
        done=counts.done_today,
        streak=desk.streak(),
        next=None if id is None else (desk.question(id).number, desk.question(id).question),
        wait=desk.next_wait(),
        left=None if record is None else (len(record.answers), len(record.plan.ids)),
        today=desk.today(),
        interview=desk.settings.interview,
        all=desk.readiness(),
        topics=topics,
        due_by_topic={topic: sum(topic in question.topics for question in due) for topic in topics},
        exercises=exercises,
    )


def _load_cards() -> None:
    """Loads what the next screen needs, so that the first key is answered at once."""
    import fsrs  # noqa: F401
    import markdown_it  # noqa: F401

    import learn_llm.tui.screens.study
    import learn_llm.tui.widgets.card  # noqa: F401
