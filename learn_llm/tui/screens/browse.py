"""The list of all questions, with the card of the one under the cursor."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.reactive import reactive

from learn_llm.quizzes.filters import VIEWS, Filter, view_counts
from learn_llm.quizzes.kit import Kit
from learn_llm.tui.keys import bindings
from learn_llm.tui.screens.card_screen import CardScreen
from learn_llm.tui.widgets.key_bar import KeyBar, bindings_of
from learn_llm.tui.widgets.question_list import QuestionList, Row
from learn_llm.tui.widgets.too_small import TooSmall
from learn_llm.tui.widgets.top_bar import TopBar, ViewBar

if TYPE_CHECKING:
    from learn_llm.tui.widgets.search_box import SearchBox

MINUTE = 60.0


class BrowseScreen(CardScreen):
    """List, card and demo side by side where there is room, one at a time where there is not."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("list")

    AUTO_FOCUS = "#list"
    panes = ("list", "card", "demo")
    filter: reactive[Filter] = reactive(Filter(), init=False)

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self._has_card = False
        self.set_reactive(CardScreen.pane, "list")
        self.add_class("-at-list")
        headings = {level: self.texts(level) for level in VIEWS[3:]}
        self.list = QuestionList(empty=self.texts("nothing.found"), headings=headings, id="list")

    def compose(self) -> ComposeResult:
        yield TopBar("learn-llm")
        yield ViewBar(self.texts)
        with Horizontal(id="panes"):
            yield self.list
        yield KeyBar(self.texts)
        yield TooSmall(self.texts)

    def on_mount(self) -> None:
        self.list.show(self._rows())
        self.refresh_counts()
        self.say("")
        self.set_interval(MINUTE, self._time_passed)
        self.call_after_refresh(self._show_current)

    def help_sections(self) -> list[tuple[str, list[Binding]]]:
        """The keys of the list, then those of the card."""
        own = [*bindings_of(QuestionList), *bindings_of(BrowseScreen)]
        return [("list", own), *super().help_sections()]

    # The list

    def _rows(self) -> list[Row]:
        standings = self.desk.standings()
        return [
            Row(q.id, q.number, q.question, q.level, self.mark(q.id), standings[q.id].kind)
            for q in self.filter.select(self.desk.questions, standings)
        ]

    def refresh_counts(self) -> None:
        """The counts of the views and the marks in the list."""
        standings = self.desk.standings()
        views = view_counts(self.desk.questions, standings)
        total = views["all"]
        self.query_one(ViewBar).show(self.filter, views)
        self.query_one(TopBar).counts = self.texts(
            "counts", due=views["due"], new=views["new"], seen=total - views["new"], total=total
        )

    def watch_filter(self) -> None:
        """Another selection: the list follows; where the current question is not in it, from its top."""
        rows, current = self._rows(), self.list.current
        stays = current is not None and any(row.id == current.id for row in rows)
        self.list.show(rows, keep=rows[0].id if rows and not stays else None)
        self.refresh_counts()
        self.refresh_bindings()

    async def on_question_list_highlighted(self, message: QuestionList.Highlighted) -> None:
        """The card is that of the question under the cursor; the first one is shown once the list is."""
        if self._has_card and (self.question.id if self.question else None) != message.id:
            await self.show_card(message.id)

    async def _show_current(self) -> None:
        if not self.list.is_attached:  # the app was left before its first picture was drawn
            return
        self._has_card = True
        row = self.list.current
        await self.show_card(row.id if row else None)

    async def on_question_list_opened(self, message: QuestionList.Opened) -> None:
        """The card is studied; a demo of another question is left."""
        if not self._has_card:
            await self._show_current()
        self.guard.acted("enter")
        self.go_to("card")
        await self.leave_other_demo()

    def _time_passed(self) -> None:
        self.desk.refresh()
        self.list.show(self._rows())
        self.refresh_counts()

    # Ratings

    async def after_rating(self, id: str, rating: int) -> None:
        """The next question of the list, in the order it had before the rating."""
        ids = [row.id for row in self.list.rows]
        following = ids[ids.index(id) + 1 :] if id in ids else []
        self.list.show(self._rows(), keep=next((other for other in following), id))
        await self._show_current()
        if self.list.current is None:  # it was the last one of this view
            self.go_to("list")

    async def after_undo(self, id: str) -> None:
        """The card, to be rated anew."""
        self._find(id)
        await self.show_card(id, revealed=True)
        self.go_to("card")

    def _find(self, id: str) -> None:
        """Moves the cursor to this question, showing all questions if need be."""
        self.list.show(self._rows(), keep=id)
        if self.list.current is None or self.list.current.id != id:
            self.filter = Filter()
            self.list.point_at(id)

    # Actions

    @property
    def _searching(self) -> bool:
        return self.focused is not None and self.focused.id == "search"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The list has keys that a card does not have."""
        if action in ("search", "topics", "study", "drill", "interview") and (self.pane != "list" or self._searching):
            return False
        if action == "sideways":
            return self.pane == "list"
        if action == "step":
            return self.pane == "card"
        if action == "switch" and self._searching:
            return False
        if action == "back":
            return self.pane != "list" or self.demo_open or not self.filter.is_open or len(self.app.screen_stack) > 1
        return super().check_action(action, parameters)

    async def action_demo(self) -> None:
        """Runs the demo of the question under the cursor."""
        if not self._has_card:
            await self._show_current()
        await super().action_demo()

    async def action_back(self) -> None:
        """From the demo to the card, from the card to the list, in the list to all questions, from there home."""
        if self.pane == "demo" or (self.pane == "list" and self.demo_open):
            await self.close_demo()
        elif self.pane == "card":
            self.go_to("list")
        elif not self.filter.is_open:
            self.filter = Filter()
        else:
            self.dismiss()

    def action_study(self) -> None:
        """Studies what is due and new of the questions that are listed."""
        from learn_llm.tui.screens.study import StudyScreen

        self.app.push_screen(StudyScreen(self.kit, among={row.id for row in self.list.rows}), self._studied)

    def action_drill(self) -> None:
        """Multiple choice over the questions that are listed."""
        from learn_llm.tui.screens.drill import DrillScreen

        if self.list.rows:
            self.app.push_screen(DrillScreen(self.kit, [row.id for row in self.list.rows]), self._studied)

    async def _studied(self, _: None) -> None:
        self._time_passed()
        await self._show_current()
        self.say("")

    def action_interview(self) -> None:
        """A mock interview."""
        from learn_llm.tui.screens.interview_start import InterviewStart

        self.app.push_screen(InterviewStart(self.kit), self._interviewed)

    async def _interviewed(self, mend: str | None) -> None:
        self._time_passed()
        self.say("")
        if mend is not None:
            await self.mend(mend)

    async def mend(self, id: str) -> None:
        """Shows what was missed in an interview: runs the demo of this question."""
        self._has_card = True
        self._find(id)
        await self.show_card(id)
        await self.action_demo()

    async def action_next_due(self) -> None:
        """Opens what is best done next."""
        current = self.list.current
        due = self.desk.due()
        after = current.id if current and (not due or current.id in due) else None
        id = self.desk.next(new_left=1, after=after)
        if id is None:
            wait = self.desk.next_wait() or timedelta(0)
            self.say(self.texts("nothing.due", interval=self.texts.interval(wait)))
            return
        self._find(id)
        await self.show_card(id)
        self.go_to("card")
        await self.leave_other_demo()

    def action_search(self) -> None:
        """Narrows the list to words, as they are typed."""
        from learn_llm.tui.widgets.search_box import SearchBox

        if not self.query(SearchBox):
            self.mount(SearchBox(self.texts), before=self.query_one(KeyBar))
        self.query_one(SearchBox).start(self.filter.words)

    def on_search_box_typed(self, message: "SearchBox.Typed") -> None:
        """The list follows what is typed; at the end the list has the focus again."""
        self.filter = replace(self.filter, words=message.words)
        if message.done:
            self.go_to("list")

    def action_topics(self) -> None:
        """Narrows the list to one topic."""
        from learn_llm.tui.screens.topics import TopicPicker

        self.app.push_screen(TopicPicker(self.kit), self._topic_chosen)

    def _topic_chosen(self, topic: str | None) -> None:
        if topic is not None:
            self.show_topic(topic)

    def show_topic(self, topic: str) -> None:
        """Narrows the list to this topic, "" for all."""
        self.filter = replace(self.filter, topic=topic)

    def action_sideways(self, direction: int) -> None:
        """The next view."""
        self.action_view_at(VIEWS[(VIEWS.index(self.filter.view) + direction) % len(VIEWS)])

    def action_step(self, direction: int) -> None:
        """The next card of the list."""
        self.list.cursor += direction

    def action_view_at(self, view: str) -> None:
        """Shows this view."""
        self.filter = replace(self.filter, view=view)
