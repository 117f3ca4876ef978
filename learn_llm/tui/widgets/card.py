"""A card: the question, after a key its answer, and the four ratings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.style import Style
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from learn_llm.errors import UserError
from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.texts import PRESS, Texts
from learn_llm.tui.card_text import answer_blocks, question_block
from learn_llm.tui.key_guard import KeyGuard
from learn_llm.tui.keys import bindings
from learn_llm.tui.prose import Block, heading
from learn_llm.tui.styles import QUIET
from learn_llm.tui.widgets.page import Page

RATINGS = (1, 2, 3, 4)
TWO = (1, 3)
"""Forgot and got it: for who finds four too many; with the keys of the four."""
RATING_KEYS = {1: "card.forgot", 2: "card.partly", 3: "card.good", 4: "card.easy"}
READING = 0.3
"""Seconds after which the answer of a card is prepared, while its question is read."""
COLOURS = {1: "error", 2: "warning", 3: "success", 4: "primary"}


@dataclass(frozen=True)
class CardView:
    """What a card shows: the question, when it is due and would be due after each rating, its demo's title if built.

    `ran` tells what its demo said last, None where it was never run; `ratings` are those that are offered: all four,
    or `TWO`; `exercises` is how many belong to it; `forgotten` how often, where that is so often that the demo should
    come first.
    """

    question: Question
    mark: str
    is_due: bool
    intervals: Callable[[], tuple[str, ...]]
    demo: str | None
    ran: Callable[[], Block | None] = lambda: None
    ratings: tuple[int, ...] = RATINGS
    exercises: int = 0
    forgotten: int = 0


class CardBody(VerticalScroll, can_focus=True, inherit_bindings=False):
    """The part of the card that scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("page")

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))  # it follows from a layout and needs no other

    def action_scroll_by(self, lines: int) -> None:
        """Scrolls by so many lines."""
        self.scroll_relative(y=lines, animate=False)

    def action_scroll_page(self, direction: int) -> None:
        """Scrolls by a screenful less two lines."""
        self.scroll_relative(y=direction * max(1, self.size.height - 2), animate=False)


class CardLine(Static):
    """A line above the card."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))  # as of a `Page`: its width needs no second layout


class RatingBar(Widget):
    """The ratings side by side, each with its key, its meaning, and when the card would come back."""

    class Chosen(Message):
        """A rating was clicked."""

        def __init__(self, rating: int) -> None:
            super().__init__()
            self.rating = rating

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.texts = texts
        self.auto_links = False
        self.intervals: tuple[str, ...] = ("", "", "", "")
        self.ratings: tuple[int, ...] = RATINGS

    def show(self, intervals: tuple[str, ...], ratings: tuple[int, ...] = RATINGS) -> None:
        """Shows these ratings; `intervals` are those of all four."""
        self.intervals, self.ratings = intervals, ratings
        self.refresh()

    def render(self) -> Content:
        """Two lines, a cell for each rating."""
        width = max(10, (self.size.width - 3) // 4)
        top: list[Content] = []
        bottom: list[Content] = []
        for rating in self.ratings:
            colour, interval = COLOURS[rating], self.intervals[rating - 1]
            click = Style.from_meta({"@click": f"rate({rating})"})
            key = PRESS[RATING_KEYS[rating]]
            label = Content.assemble((f" {key} ", f"bold $text-{colour}"), self.texts(f"rating.{rating}"))
            when = Content.styled(f"   {interval}", QUIET)
            for line, text in ((top, label), (bottom, when)):
                line.append(text.truncate(width, pad=True).stylize(f"on ${colour} 15%").stylize(click))
        return Content("\n").join([Content(" ").join(top), Content(" ").join(bottom)])

    def action_rate(self, rating: int) -> None:
        """A click on a rating."""
        self.post_message(self.Chosen(rating))


class Card(Vertical):
    """Shows a `CardView`.  Its screen decides what a rating does: the card posts `Revealed` and `Rated`."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("card")

    revealed: reactive[bool] = reactive(False, init=False)

    class Revealed(Message):
        """The answer is to be seen now."""

    class Rated(Message):
        """The learner rated the question: 1 forgot, 2 partly, 3 got it, 4 easy."""

        def __init__(self, id: str, rating: int) -> None:
            super().__init__()
            self.id = id
            self.rating = rating

    def __init__(self, texts: Texts, guard: KeyGuard, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.texts = texts
        self.guard = guard
        self.card: CardView | None = None
        self._answer: tuple[CardView, list[Block]] | None = None
        self._reading: Timer | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="card-top"):
            yield CardLine(id="card-head", markup=False)
            yield CardLine(id="card-mark", markup=False)
        with CardBody(id="card-body"):
            yield Page(id="card-page")
        yield Page(id="card-hint")
        yield RatingBar(self.texts)

    def show(self, card: CardView | None, *, revealed: bool = False) -> None:
        """Shows this card, hidden or with its answer."""
        self.card = card
        self.guard.acted("")
        self.set_reactive(Card.revealed, revealed)
        self._draw()
        for body in self.query(CardBody):
            body.scroll_home(animate=False)
        if self._reading is not None:
            self._reading.stop()
        self._reading = self.set_timer(READING, self._prepare)

    def _prepare(self) -> None:
        """Reads and lays out the answer, so that the key only has to show it."""
        for page in self.query("#card-page").results(Page):
            if self.card is not None and not self.revealed:
                page.prepare(self._answer_of(self.card))

    def _answer_of(self, card: CardView) -> list[Block]:
        if self._answer is None or self._answer[0] is not card:
            try:
                blocks = list(answer_blocks(card.question, self.texts))
            except UserError as error:  # a file of the bank that was damaged after it was installed
                blocks = [Block(Content.styled(str(error), "$text-error"))]
            self._answer = card, blocks
        return self._answer[1]

    def redraw(self) -> None:
        """Something on the card has changed; it stays where it was scrolled to."""
        self._draw()

    def watch_revealed(self) -> None:
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A card is answered before it is rated."""
        match action:
            case "answer":
                return self.card is not None and not self.revealed
            case "got_it":
                return self.card is not None and self.revealed
            case "rate":
                return self.card is not None and self.revealed and self.card.ratings == RATINGS
            case "rate_two":
                return self.card is not None and self.revealed and self.card.ratings == TWO
            case _:
                return True

    def action_answer(self, key: str) -> None:
        """Shows the answer."""
        if self.guard.allows(key):
            self.guard.acted(key)
            self.revealed = True
            self.post_message(self.Revealed())

    def action_got_it(self, key: str) -> None:
        """The key that revealed rates as well, once it has been let go: "got it"."""
        if self.guard.allows(key):
            self._rate(3, key)

    def action_rate(self, rating: int) -> None:
        """Rates the question."""
        if self.guard.allows(str(rating)):
            self._rate(rating, str(rating))

    def action_rate_two(self, rating: int) -> None:
        """Rates the question where there are two ratings."""
        self.action_rate(rating)

    def on_rating_bar_chosen(self, message: RatingBar.Chosen) -> None:
        """A click on a rating."""
        message.stop()
        self._rate(message.rating, "")

    def _rate(self, rating: int, key: str) -> None:
        if self.card is not None:
            self.guard.acted(key)
            self.post_message(self.Rated(self.card.question.id, rating))

    def on_mount(self) -> None:
        """What was shown before the parts were there."""
        self._draw()

    def _draw(self) -> None:
        if not self.query("#card-page"):  # not composed yet, or already taken apart
            return
        card, page = self.card, self.query_one("#card-page", Page)
        self.set_class(self.revealed, "-revealed")
        self.refresh_bindings()
        if card is None:
            self.query_one("#card-head", CardLine).update("")
            self.query_one("#card-hint", Page).show([])
            page.show([])
            return
        question = card.question
        topics = self.texts("plain.comma").join(self.texts(f"topic.{topic}") for topic in question.topics)
        head = Content.assemble(
            (f"{question.number}", "bold $text-primary"), f"  {self.texts(question.level)}  ", (topics, QUIET)
        )
        self.query_one("#card-head", CardLine).update(head)
        mark = Content.styled(card.mark, "$text-accent" if card.is_due else QUIET)
        self.query_one("#card-mark", CardLine).update(mark)
        blocks: list[Block] = [question_block(question)]
        ran = card.ran()
        if self.revealed:
            blocks.extend(self._answer_of(card))
            if ran is not None:
                blocks += [heading(self.texts("card.ran.heading")), ran]
            self.query_one(RatingBar).show(card.intervals(), card.ratings)
        page.show(blocks)
        demo = self.texts("card.nodemo") if card.demo is None else self.texts("card.demo", title=card.demo)
        say = self.texts("card.leech", count=card.forgotten) if card.forgotten else self.texts("card.say")
        hints = [Block(Content(text), gap=False) for text in (say, demo)]
        hints += [ran] if ran is not None else []
        if card.exercises:
            hints.append(Block(Content(self.texts("card.exercises", count=card.exercises)), gap=False))
        self.query_one("#card-hint", Page).show(hints)
