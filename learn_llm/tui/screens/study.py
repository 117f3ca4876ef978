"""A session of study: one card after the other, what is due first, then new ones."""

from collections import Counter
from collections.abc import Collection
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from learn_llm.quizzes.kit import Kit
from learn_llm.tui.keys import bindings
from learn_llm.tui.screens.card_screen import CardScreen
from learn_llm.tui.styles import HEADING
from learn_llm.tui.widgets.key_bar import KeyBar, bindings_of
from learn_llm.tui.widgets.too_small import TooSmall
from learn_llm.tui.widgets.top_bar import TopBar

MORE = 5


class StudyScreen(CardScreen):
    """Shows the next card until nothing waits; then what was done and when to come back.

    Args:
        kit: what every screen works with.
        key: the key that opened it: held down, it does not reveal.
        among: the questions that are studied, by default all.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("study")

    def __init__(self, kit: Kit, key: str = "", among: Collection[str] | None = None) -> None:
        super().__init__(kit)
        self.among = among
        self.key = key
        self.new_left = kit.desk.new_left()
        self.given: list[tuple[str, int, bool]] = []  # question, rating, whether it was new
        self._is_new = False

    def compose(self) -> ComposeResult:
        yield TopBar(self.texts("study.title"))
        with Horizontal(id="panes"):
            yield Static(id="done", markup=False)
        yield KeyBar(self.texts)
        yield TooSmall(self.texts)

    async def on_mount(self) -> None:
        await self._next(None)
        self.guard.acted(self.key)
        self.refresh_counts()
        self.go_to("card")

    def help_sections(self) -> list[tuple[str, list[Binding]]]:
        """The keys of the session, then those of the card."""
        return [("session", bindings_of(StudyScreen)), *super().help_sections()]

    def refresh_counts(self) -> None:
        """What is left in this session; that a card comes before it is due, where nothing else is left."""
        due, new = len(self.desk.due(self.among)), min(self.new_left, len(self.desk.new(self.among)))
        key = "study.left" if due or new or self.question is None else "study.ahead"
        self.query_one(TopBar).counts = self.texts(key, due=due, new=new, done=len(self.given))

    async def after_rating(self, id: str, rating: int) -> None:
        """The next card, or the end."""
        self.given.append((id, rating, self._is_new))
        self.new_left -= self._is_new
        await self._next(id)

    async def after_undo(self, id: str) -> None:
        """The card, to be rated anew."""
        if self.given and self.given[-1][0] == id:
            self._is_new = self.given.pop()[2]
            self.new_left += self._is_new
        await self._show(id, revealed=True)

    async def _next(self, after: str | None) -> None:
        await self._show(self.desk.next(self.new_left, after, self.among), revealed=False)

    async def _show(self, id: str | None, *, revealed: bool) -> None:
        self.set_class(id is None, "-done")
        if id is None:
            self.query_one("#done", Static).update(self._summary())
        else:
            self._is_new = self.desk.standings()[id].kind == "new"
        await self.show_card(id, revealed=revealed)
        self.refresh_bindings()

    def _summary(self) -> Content:
        texts = self.texts
        lines = [Content.styled(texts("study.done"), HEADING), Content("")]
        if self.given:
            counts = Counter(rating for _, rating, _ in self.given)
            ratings = texts("plain.comma").join(
                f"{texts(f'rating.{rating}')} {counts[rating]}" for rating in sorted(counts)
            )
            lines.append(Content(texts("study.done.answered", count=len(self.given), ratings=ratings)))
        wait = self.desk.next_wait()
        lines.append(
            Content(texts("study.none") if wait is None else texts("study.next", interval=texts.interval(wait)))
        )
        if new := len(self.desk.new(self.among)):
            lines.append(Content(texts("study.more", count=min(MORE, new))))
        lines.append(Content(texts("study.browse")))
        return Content("\n").join(lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """More new questions are offered at the end."""
        if action == "more":
            return self.question is None and bool(self.desk.new(self.among))
        if action in ("demo", "skip"):
            return self.question is not None
        return super().check_action(action, parameters)

    async def action_more(self) -> None:
        """Adds new questions to the session."""
        self.new_left = MORE
        await self._next(None)
        self.refresh_counts()

    async def action_skip(self) -> None:
        """Puts the card aside for now."""
        if self.question is not None:
            await self._next(self.question.id)
            await self.leave_other_demo()

    async def action_back(self) -> None:
        """From the demo to the card, from the card to where one came from."""
        if self.demo_open and self.pane == "demo":
            await self.close_demo()
        else:
            self.dismiss()
