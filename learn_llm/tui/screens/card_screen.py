"""What the list and the study session share: a card that is rated, a rating that is undone, a demo beside the card."""

import time
from typing import ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen

from learn_llm.demos.catalogue import DEMOS
from learn_llm.tui.desk import Desk
from learn_llm.tui.key_guard import KeyGuard
from learn_llm.tui.texts import Texts
from learn_llm.tui.widgets.card import Card, CardBody, CardView
from learn_llm.tui.widgets.demo import Command, DemoPane, Follow
from learn_llm.tui.widgets.key_bar import bindings_of
from learn_llm.tui.widgets.top_bar import TopBar

Pane = Literal["list", "card", "demo"]


class CardScreen(Screen[None]):
    """Holds a card, a demo and a top bar.  `pane` is the one with the focus, `side` the last of card and demo."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "demo", "demo"),
        Binding("u,ctrl+z", "undo", "undo"),
        Binding("tab", "switch(1)", "switch", key_display="tab"),
        Binding("shift+tab", "switch(-1)", "switch", show=False),
        Binding("escape,backspace", "back", "back", key_display="esc"),
    ]

    panes: tuple[Pane, ...] = ("card", "demo")
    pane: reactive[Pane] = reactive[Pane]("card", bindings=True)
    side: reactive[Pane] = reactive[Pane]("card")
    demo_open: reactive[bool] = reactive(False, bindings=True)

    def __init__(self, texts: Texts, desk: Desk, follow: Follow, command: Command) -> None:
        super().__init__()
        self.texts = texts
        self.desk = desk
        self.follow = follow
        self.command = command
        self.guard = KeyGuard()
        self.demo_pane = DemoPane(texts, follow, command, id="demo")
        self.card = Card(texts, self.guard, id="card")
        self._shown_at = time.monotonic()

    # What differs between the screens

    def after_rating(self, id: str, rating: int) -> None:
        """Goes on to another card."""
        raise NotImplementedError

    def after_undo(self, id: str) -> None:
        """Shows this card again, with its answer."""
        raise NotImplementedError

    def refresh_counts(self) -> None:
        """Shows how much waits."""
        raise NotImplementedError

    def help_sections(self) -> list[tuple[str, list[Binding]]]:
        """The keys of each pane, for the help."""
        shared = bindings_of(CardScreen)
        return [("card", [*bindings_of(Card), *shared, *bindings_of(CardBody)]), ("demo", bindings_of(DemoPane))]

    # Cards

    def show_card(self, id: str | None, *, revealed: bool = False) -> None:
        """Puts this question on the card."""
        self._shown_at = time.monotonic()
        self.card.show(None if id is None else self._view(id), revealed=revealed)

    def _view(self, id: str) -> CardView:
        question = self.desk.question(id)
        demo = DEMOS.get(question.demo)

        def intervals() -> tuple[str, ...]:
            return tuple(self.texts.interval(wait) for wait in self.desk.previews(id))

        return CardView(question, self.mark(id), intervals, demo.title if demo else None)

    def mark(self, id: str) -> str:
        """When the question is due, in a word or two."""
        standing = self.desk.standings()[id]
        return self.texts(f"mark.{standing.kind}", interval=self.texts.interval(standing.wait))

    def on_card_rated(self, message: Card.Rated) -> None:
        """The rating is kept before anything on the screen says so."""
        spent = round(1000 * (time.monotonic() - self._shown_at))
        wait = self.desk.rate(message.id, message.rating, spent)
        number = self.desk.question(message.id).number
        label = self.texts(f"rating.{message.rating}")
        self.say(self.texts("rated", number=number, label=label, interval=self.texts.interval(wait)))
        self.after_rating(message.id, message.rating)
        self.refresh_counts()
        self.refresh_bindings()

    def action_undo(self) -> None:
        """Takes back the last rating."""
        id = self.desk.undo()
        if id is None:
            return
        self.say(self.texts("undone", number=self.desk.question(id).number))
        self.after_undo(id)
        self.refresh_counts()
        self.refresh_bindings()

    def say(self, text: str) -> None:
        """Shows what has just happened, and whether ratings are kept."""
        bar = self.query_one(TopBar)
        bar.notice = text
        problem = self.desk.problem
        bar.alarm = "" if problem is None else self.texts("unsaved", problem=problem)

    # Panes

    def go_to(self, pane: Pane) -> None:
        """Gives the focus to this pane, and shows it."""
        self.pane = pane
        if pane != "list":
            self.side = pane
        for name in self.panes:
            self.set_class(name == pane, f"-at-{name}")
            self.set_class(name == self.side, f"-side-{name}")
        self.set_class(self.demo_open, "-demo-open")
        self.query_one({"list": "#list", "card": "#card-body", "demo": "#demo-body"}[pane]).focus(scroll_visible=False)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What cannot be done now is not offered."""
        if action == "switch":
            return len(self.open_panes) > 1
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

    # The demo

    def action_demo(self) -> None:
        """Runs the demo of the question on the card."""
        if self.card.card is None:
            return
        question = self.card.card.question
        demo = DEMOS.get(question.demo)
        if demo is None:
            self.say(self.texts("demo.none", number=question.number))
            return
        self.demo_open = True
        self.go_to("demo")
        self.demo_pane.run_demo(demo, broken=False)

    def close_demo(self) -> None:
        """Ends the child and closes its pane."""
        self.demo_open = False
        self.go_to("card" if self.pane == "demo" else self.pane)
        self.side = "card"
        self.set_class(False, "-side-demo")
        self.set_class(True, "-side-card")
        self.demo_pane.stop()
