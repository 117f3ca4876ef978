"""What the list and the study session share: a card that is rated, a rating that is undone, a demo beside the card."""

from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen

from learn_llm.quizzes.kit import Kit
from learn_llm.tui.key_guard import KeyGuard
from learn_llm.tui.keys import bindings
from learn_llm.tui.styles import NOTICE
from learn_llm.tui.widgets.key_bar import bindings_of
from learn_llm.tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from learn_llm.quizzes.bank import Question
    from learn_llm.tui.prose import Block
    from learn_llm.tui.widgets.card import Card, CardView
    from learn_llm.tui.widgets.demo import DemoPane

Pane = Literal["list", "card", "demo"]


class CardScreen(Screen[None]):
    """Holds a card, a demo and a top bar.  `pane` is the one with the focus, `side` the last of card and demo.

    Card and demo are imported and mounted when they are first shown, so that the app is there at once.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("cards")

    panes: tuple[Pane, ...] = ("card", "demo")
    pane: reactive[Pane] = reactive[Pane]("card", bindings=True)
    side: reactive[Pane] = reactive[Pane]("card")
    demo_open: reactive[bool] = reactive(False, bindings=True)

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self.texts = kit.texts
        self.desk = kit.desk
        self.guard = KeyGuard(kit.seconds)
        self.demo_slug = ""
        self.question: Question | None = None
        """What is on the card."""
        self._shown_at = self.kit.seconds()

    # What differs between the screens

    async def after_rating(self, id: str, rating: int) -> None:
        """Goes on to another card."""
        raise NotImplementedError

    async def after_undo(self, id: str) -> None:
        """Shows this card again, with its answer."""
        raise NotImplementedError

    def refresh_counts(self) -> None:
        """Shows how much waits."""
        raise NotImplementedError

    def help_sections(self) -> list[tuple[str, list[Binding]]]:
        """The keys of each pane, for the help."""
        from learn_llm.tui.widgets.card import Card, CardBody
        from learn_llm.tui.widgets.demo import DemoPane

        shared = bindings_of(CardScreen)
        return [("card", [*bindings_of(Card), *shared, *bindings_of(CardBody)]), ("demo", bindings_of(DemoPane))]

    # Cards

    async def show_card(self, id: str | None, *, revealed: bool = False) -> None:
        """Puts this question on the card."""
        self._shown_at = self.kit.seconds()
        self.question = None if id is None else self.desk.question(id)
        card = await self._mounted_card()
        if card is None:
            return
        card.show(None if self.question is None else self._view(self.question), revealed=revealed)

    async def _mounted_card(self) -> "Card | None":
        """The card, made when it is first needed; None where the app closes meanwhile."""
        from learn_llm.tui.widgets.card import Card

        if not self.query(Card):
            await self.query_one("#panes").mount(Card(self.texts, self.guard, id="card"))
        return next(iter(self.query(Card)), None)

    def _view(self, question: "Question") -> "CardView":
        from learn_llm.demos import catalogue
        from learn_llm.tui.card_text import ran_block
        from learn_llm.tui.widgets.card import RATINGS, TWO, CardView

        id = question.id
        demo = catalogue.find(question.demo, self.texts.language)
        is_due = self.desk.standings()[id].kind == "due"

        def intervals() -> tuple[str, ...]:
            return tuple(self.texts.interval(wait) for wait in self.desk.previews(id))

        def ran() -> "Block | None":
            run = self.desk.last_run(question.demo)
            return None if run is None else ran_block(run, self.desk.now(), self.texts)

        ratings = TWO if self.desk.settings.two_buttons else RATINGS
        title, exercises = demo.title if demo else None, self._exercises_of(question)
        forgotten = self.desk.forgotten(id) if demo else 0
        return CardView(question, self.mark(id), is_due, intervals, title, ran, ratings, exercises, forgotten)

    def mark(self, id: str) -> str:
        """When the question is due, in a word or two."""
        standing = self.desk.standings()[id]
        return self.texts(f"mark.{standing.kind}", interval=self.texts.interval(standing.wait))

    async def on_card_rated(self, message: "Card.Rated") -> None:
        """The rating is kept before anything on the screen says so."""
        spent = round(1000 * (self.kit.seconds() - self._shown_at))
        wait = self.desk.rate(message.id, message.rating, spent)
        number = self.desk.question(message.id).number
        label = self.texts(f"rating.{message.rating}")
        self.say(self.texts("rated", number=number, label=label, interval=self.texts.interval(wait)))
        await self.after_rating(message.id, message.rating)
        await self.leave_other_demo()
        self.refresh_counts()
        self.refresh_bindings()

    async def action_undo(self) -> None:
        """Takes back the last rating."""
        id = self.desk.undo()
        if id is None:
            return
        self.say(self.texts("undone", number=self.desk.question(id).number))
        await self.after_undo(id)
        await self.leave_other_demo()
        self.refresh_counts()
        self.refresh_bindings()

    def say(self, text: str) -> None:
        """Shows what has just happened, whether ratings are kept, and for a while what is wrong with the files."""
        bar = self.query_one(TopBar)
        bar.notice = text
        bar.alarm = "" if self.desk.saving else self.texts("unsaved")
        for notice in self.desk.news():
            self.notify(notice, severity="warning", timeout=NOTICE, markup=False)

    def on_resize(self) -> None:
        """Where the terminal was too small nothing had the focus; it goes back to where it was."""
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        if self.focused is None and self.is_current:
            self.go_to(self.pane)

    def on_demo_pane_ended(self, message: "DemoPane.Ended") -> None:
        """What a demo said last stands on its card from now on."""
        from learn_llm.tui.widgets.card import Card

        state = message.state
        if state.verdict is not None:
            self.desk.keep_run(message.demo.slug, state.verdict, broken=state.broken, options=state.options)
        for card in self.query(Card):
            card.redraw()

    # Panes

    def go_to(self, pane: Pane) -> None:
        """Gives the focus to this pane, and shows it."""
        self.pane = pane
        if pane != "list":
            self.side = pane
        classes = {f"-at-{name}": name == pane for name in self.panes}
        self.update_classes({**classes, "-side-demo": self.side == "demo", "-demo-open": self.demo_open})
        self.query_one({"list": "#list", "card": "#card-body", "demo": "#demo-body"}[pane]).focus(scroll_visible=False)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What cannot be done now is not offered."""
        if action == "switch":
            return len(self.open_panes) > 1
        if action == "demo":
            return self.pane != "demo"
        if action == "exercises":
            return self.question is not None and self._exercises_of(self.question) > 0
        if action == "undo":
            return self.desk.given > 0
        return True

    @property
    def open_panes(self) -> tuple[Pane, ...]:
        """The panes that there are to switch between."""
        return tuple(pane for pane in self.panes if pane != "demo" or self.demo_open)

    def action_switch(self, direction: int) -> None:
        """Gives the focus to the next pane."""
        panes = self.open_panes
        self.go_to(panes[(panes.index(self.pane) + direction) % len(panes)])

    # The exercises

    def _exercises_of(self, question: "Question") -> int:
        """How many lead on from here; none from a card that was opened among them: esc goes back there."""
        from learn_llm.exercises.here import about

        among_them = any(screen.name == "exercises" for screen in self.app.screen_stack)
        return 0 if among_them else len(about(question))

    def action_exercises(self) -> None:
        """The exercises that belong to the question on the card."""
        from learn_llm.tui.screens.exercises import ExercisesScreen

        if self.question is not None:
            self.app.push_screen(ExercisesScreen(self.kit, self.question))

    # The demo

    async def action_demo(self) -> None:
        """Runs the demo of the question on the card."""
        from learn_llm.demos import catalogue

        if self.question is None:
            return
        demo = catalogue.find(self.question.demo, self.texts.language)
        if demo is None:
            self.say(self.texts("demo.none", number=self.question.number))
            return
        pane = await self._mounted_demo()
        self.demo_open = True
        self.demo_slug = demo.slug
        self.go_to("demo")
        pane.run_demo(demo, broken=False)

    async def _mounted_demo(self) -> "DemoPane":
        from learn_llm.tui.widgets.demo import DemoPane

        if not self.query(DemoPane):
            await self.query_one("#panes").mount(DemoPane(self.kit, id="demo"))
        return self.query_one(DemoPane)

    async def leave_other_demo(self) -> None:
        """Ends the demo where it is not that of the question on the card."""
        if self.demo_open and (self.question is None or self.question.demo != self.demo_slug):
            await self.close_demo()

    async def close_demo(self) -> None:
        """Ends the child and closes its pane."""
        pane = await self._mounted_demo()
        self.demo_open = False
        self.side = "card"
        self.go_to("card" if self.pane == "demo" else self.pane)
        pane.stop()
