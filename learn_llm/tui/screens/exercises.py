"""The exercises of the learner's folder: the list, and one of them, checked whenever its file is saved."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from learn_llm.errors import UserError
from learn_llm.exercises.check_client import CheckClient
from learn_llm.exercises.check_server import News, Request
from learn_llm.exercises.courses import Exercise
from learn_llm.exercises.state import FOLDER, make
from learn_llm.exercises.telling import near
from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.kit import Kit
from learn_llm.tui.bench import Bench, open_bench, read_folder
from learn_llm.tui.editor import edit
from learn_llm.tui.exercise_text import no_folder
from learn_llm.tui.keys import bindings
from learn_llm.tui.prose import Block
from learn_llm.tui.screens.line import LineScreen
from learn_llm.tui.screens.look import LookScreen
from learn_llm.tui.screens.question_picker import QuestionPicker
from learn_llm.tui.screens.topics import TopicList
from learn_llm.tui.styles import HEADING, NOTICE
from learn_llm.tui.widgets.card import CardBody
from learn_llm.tui.widgets.exercise import ExercisePane
from learn_llm.tui.widgets.key_bar import KeyBar, bindings_of
from learn_llm.tui.widgets.page import Page
from learn_llm.tui.widgets.too_small import TooSmall
from learn_llm.tui.widgets.top_bar import TopBar


class ExercisesScreen(Screen[None]):
    """Lists the exercises; the one in hand is checked by a process of its own, which ends with the screen.

    Args:
        kit: what every screen works with.
        question: only the exercises that belong to it; None for all.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("exercises")

    AUTO_FOCUS = "#exercise-list"
    in_hand: reactive[bool] = reactive(False, bindings=True)
    """Whether the exercise that is shown is being written; else the list has the focus."""

    def __init__(self, kit: Kit, question: Question | None = None) -> None:
        super().__init__(name="exercises")
        self.kit = kit
        self.texts = kit.texts
        self.question = question
        self.bench: Bench | None = None
        self._client: CheckClient | None = None
        self._listening: asyncio.Task[None] | None = None

    def compose(self) -> ComposeResult:
        question = self.question
        yield TopBar(self.texts("exercises.of", number=question.number) if question else self.texts("exercises.title"))
        with Horizontal(id="panes"):
            yield TopicList(id="exercise-list", compact=True)
            yield ExercisePane(self.texts, id="exercise")
            yield Page(id="exercises-none")
        yield KeyBar(self.texts)
        yield TooSmall(self.texts)

    def on_mount(self) -> None:
        try:
            self._open(open_bench(self.kit, self.question))
        except UserError as error:
            self._show_instead([Block(Content.styled(str(error), "$text-error"))])

    async def on_unmount(self) -> None:
        """The process is gone before the app is."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])

    def on_resize(self) -> None:
        """The rows are written for the width there is; where the terminal was too small nothing had the focus."""
        self.call_after_refresh(self._fill)

    def help_sections(self) -> list[tuple[str, list[Binding]]]:
        """The keys of this screen."""
        return [("exercises", [*bindings_of(TopicList), *bindings_of(ExercisesScreen), *bindings_of(CardBody)])]

    # The folder

    def _open(self, bench: Bench | None) -> None:
        self.bench = bench
        if bench is None:
            self._show_instead(no_folder(self.texts))
            return
        self._client = CheckClient(self.kit.check_command(bench.work.root))
        for notice in bench.work.notices:
            self._warn(notice)
        self.remove_class("-none")
        self._list.disabled = False
        self.call_after_refresh(self._fill)

    def _show_instead(self, blocks: list[Block]) -> None:
        self.add_class("-none")
        self._list.disabled = True  # else it would have the focus, and its keys would be offered
        self.query_one("#exercises-none", Page).show(blocks)

    def action_make(self) -> None:
        """Makes a folder of exercises where the learner says."""
        title, about, wrong = (self.texts(f"exercises.make{part}") for part in ("", ".about", ".wrong"))
        usual = str(Path.cwd() / FOLDER)
        self.app.push_screen(LineScreen(self.texts, title, about, usual, read_folder, wrong), self._named)

    def _named(self, folders: tuple[Path] | None) -> None:
        if folders is not None:
            self.run_worker(self._make(folders[0]))

    async def _make(self, root: Path) -> None:
        try:
            work, _, _ = await asyncio.to_thread(make, root, None, self.texts.language)
        except UserError as error:
            self._warn(str(error))
            return
        if self.is_attached:
            self._open(Bench(self.kit, work, self.question))
            count, folder = len(work.course.exercises), near(work.root)
            self.query_one(TopBar).notice = self.texts("exercises.made", count=count, folder=folder)

    # The list

    @property
    def _list(self) -> TopicList:
        return self.query_one(TopicList)

    @property
    def _row_width(self) -> int:
        return self._list.scrollable_content_region.width or self.size.width  # 0 while the list is hidden

    def _fill(self) -> None:
        bench = self.bench
        if bench is None or not self.is_attached:
            return
        self._list.clear_options()
        width = self._row_width
        for chapter, exercises in bench.chapters():
            self._list.add_option(Option(Content.styled(chapter.title[self.texts.language], HEADING), disabled=True))
            self._list.add_options(Option(bench.row(exercise, width), id=exercise.name) for exercise in exercises)
        if bench.exercise is not None:
            self._list.highlighted = self._list.get_option_index(bench.exercise.name)
        elif self.question is not None:
            none = self.texts("exercises.question.none", number=self.question.number)
            self._list.add_option(Option(none, disabled=True))
        self._count(bench)
        self._hold(self.in_hand)

    def _renew_row(self, name: str = "") -> None:
        """Of the exercise of this name, or of the one shown."""
        bench = self.bench
        exercise = bench.work.course.by_name.get(name, bench.exercise) if bench else None
        if bench is not None and exercise is not None and exercise in bench.listed:
            self._list.replace_option_prompt(exercise.name, bench.row(exercise, self._row_width))
            self._count(bench)

    def _count(self, bench: Bench) -> None:
        self.query_one(TopBar).counts = self.texts("exercises.counts", done=bench.done, of=len(bench.listed))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """The exercise under the cursor is shown."""
        bench = self.bench
        exercise = bench.work.course.by_name.get(event.option.id or "") if bench else None
        if bench is not None and exercise is not None and exercise != bench.exercise:
            bench.show(exercise)
            self._hold(False)
            self._pane.scroll_home(animate=False)
        self._draw()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """The exercise is taken in hand."""
        if self.bench is not None:
            self._take_in_hand(self.bench, self.bench.work.course.get(event.option.id or ""))

    # The exercise in hand

    @property
    def _pane(self) -> ExercisePane:
        return self.query_one(ExercisePane)

    def _take_in_hand(self, bench: Bench, exercise: Exercise) -> None:
        bench.show(exercise)
        if self._done(bench.take_in_hand):
            self._hold(True)
            self._ask()
        self._draw()
        self._pane.scroll_home(animate=False)

    def _hold(self, in_hand: bool) -> None:
        self.in_hand = in_hand
        self.set_class(in_hand, "-in-hand")
        (self._pane if in_hand else self._list).focus(scroll_visible=False)

    def _ask(self) -> None:
        """Has the exercise checked, now and at every save."""
        bench, client = self.bench, self._client
        if bench is None or bench.exercise is None or client is None:
            return
        client.ask(Request(bench.exercise.name, self.texts.language))
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen(client))

    async def _listen(self, client: CheckClient) -> None:
        async with contextlib.aclosing(client.news()) as all_news:
            async for news in all_news:
                self._take(news)

    def _take(self, news: News) -> None:
        """Shows what the process says of this exercise; what was done of another one is seen in the list."""
        bench = self.bench
        if bench is None or not self._done(bench.work.refresh):
            return
        self._renew_row(news.exercise)
        shown = bench.exercise.name if bench.exercise else ""
        if bench.news is not None and news.exercise in ("", shown):
            bench.news = news
            self._draw()
            if news.kind == "checked":
                self._pane.scroll_home(animate=False)

    def _draw(self) -> None:
        bench, pane = self.bench, self._pane
        if bench is not None and bench.exercise is not None:
            self._done(lambda: pane.show(bench.view()))
        self.refresh_bindings()

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What cannot be done now is not offered."""
        bench = self.bench
        match action:
            case "check" | "edit" | "hint":
                return self.in_hand
            case "solution":
                return self.in_hand and bench is not None and bench.passed
            case "next_exercise":
                return self.in_hand and bench is not None and bench.passed and bench.following is not None
            case "question":
                return bench is not None and bool(bench.questions)
            case "make":
                return bench is None
            case _:
                return True

    def action_check(self) -> None:
        """Checks the file as it is."""
        self._ask()

    def action_hint(self) -> None:
        """One more hint; that it was read is written down, as on the command line."""
        bench = self.bench
        if bench is not None and self._done(bench.take_hint):
            self._renew_row()
            self._draw()
            self._pane.bring("hints")

    def action_solution(self) -> None:
        """Shows the solution, or hides it again."""
        if self.bench is not None:
            self.bench.solution = not self.bench.solution
            self._draw()
            self._pane.bring("solution" if self.bench.solution else "head")

    def action_next_exercise(self) -> None:
        """The next one that has not passed."""
        bench = self.bench
        following = bench.following if bench else None
        if bench is not None and following is not None:
            self._take_in_hand(bench, following)
            self._list.highlighted = self._list.get_option_index(following.name)

    def action_edit(self) -> None:
        """Opens the file in the learner's editor; it is checked as it is saved there."""
        bench = self.bench
        if bench is None or bench.exercise is None:
            return
        problem = edit(bench.work.path(bench.exercise), self.app, self.texts)
        if problem:
            self._warn(problem)

    def action_question(self) -> None:
        """The card of the question that this exercise belongs to; where there are several, one is chosen first."""
        questions = self.bench.questions if self.bench else []
        if len(questions) == 1:
            self._show_card(questions[0].id)
        elif questions:
            self.app.push_screen(QuestionPicker(self.texts, questions), self._show_card)

    def _show_card(self, id: str | None) -> None:
        if id is not None:
            self.app.push_screen(LookScreen(self.kit, id, "o"))

    def action_back(self) -> None:
        """From the exercise to the list, from there to where one came from."""
        if self.in_hand:
            self._hold(False)
            self.call_after_refresh(self._fill)
        else:
            self.dismiss()

    def _done(self, action: Callable[[], object]) -> bool:
        """Does it; where that cannot be done, says why."""
        try:
            action()
        except UserError as error:
            self._warn(str(error))
            return False
        return True

    def _warn(self, text: str) -> None:
        self.notify(text, severity="warning", timeout=NOTICE, markup=False)
