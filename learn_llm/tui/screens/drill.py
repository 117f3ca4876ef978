"""A drill: multiple choice, with what is right and wrong about every option after the answer."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from learn_llm.errors import UserError
from learn_llm.quizzes.kit import Kit
from learn_llm.tui.key_guard import KeyGuard
from learn_llm.tui.keys import bindings
from learn_llm.tui.prose import Block, heading
from learn_llm.tui.screens.look import LookScreen
from learn_llm.tui.styles import NOTICE, QUIET, STRONG
from learn_llm.tui.widgets.choice_list import Choice, ChoiceList
from learn_llm.tui.widgets.key_bar import KeyBar, bindings_of
from learn_llm.tui.widgets.too_small import TooSmall
from learn_llm.tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from learn_llm.quizzes.bank import Question
    from learn_llm.quizzes.header import Option

RIGHT, WRONG = "✓", "✗"


class DrillScreen(Screen[None]):
    """Asks the questions of a drill one by one; at the end, what was missed and the way to its cards.

    Args:
        kit: what every screen works with.
        ids: the questions to choose from.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("drill")

    AUTO_FOCUS = "#choices"

    def __init__(self, kit: Kit, ids: Iterable[str]) -> None:
        super().__init__()
        self.kit = kit
        self.texts = kit.texts
        self.desk = kit.desk
        self.ids = tuple(ids)
        self.guard = KeyGuard(kit.seconds)
        self.drill = self.desk.drill(self.ids)
        self.question: Question | None = None
        self._shown_at = kit.seconds()

    def compose(self) -> ComposeResult:
        yield TopBar(self.texts("drill.title"))
        yield ChoiceList(self.guard, id="choices")
        yield KeyBar(self.texts)
        yield TooSmall(self.texts)

    def on_mount(self) -> None:
        self._ask()

    def help_sections(self) -> list[tuple[str, list[Binding]]]:
        """The keys of the drill."""
        return [("drill", [*bindings_of(ChoiceList), *bindings_of(DrillScreen)])]

    # What is shown

    def _ask(self) -> None:
        """The question that the drill stands at, or the end."""
        self._shown_at = self.kit.seconds()
        self.question = self._usable()
        if self.question is None:
            self._sum_up()
        else:
            options = [Choice(number, Content(option.text)) for number, option in enumerate(self._options(), 1)]
            self._list.show(self._head(), options)
        self._say("")

    def _usable(self) -> "Question | None":
        """The question that the drill stands at; one whose file was damaged after it was installed is passed over."""
        while (id := self.drill.question_id) is not None:
            question = self.desk.question(id)
            try:
                if question.choices:
                    return question
            except UserError as error:
                self.notify(str(error), severity="warning", timeout=NOTICE, markup=False)
            self.drill.go_on()
        return None

    def _options(self) -> "list[Option]":
        """The options in the order of the drill."""
        return [] if self.question is None else [self.question.choices.options[place] for place in self.drill.order]

    def _head(self) -> list[Block]:
        assert self.question is not None
        topics = self.texts("plain.comma").join(self.texts(f"topic.{topic}") for topic in self.question.topics)
        level = self.texts(self.question.level)
        line = Content.assemble((f"{self.question.number}", "bold $text-primary"), f"  {level}  ", (topics, QUIET))
        blocks = [Block(line), Block(Content.styled(self.question.choices.question, STRONG))]
        if self.question.lang != self.texts.language:
            blocks.insert(1, Block(Content.styled(self.texts("untranslated"), QUIET)))
        return blocks

    def _explain(self) -> None:
        """All options with what is right or wrong about them."""
        assert self.question is not None
        options, choices = self._options(), []
        chosen = self.drill.order.index(self.drill.chosen or 0)
        for place, option in enumerate(options):
            words = [self.texts("drill.is_right")] if option.correct else []
            words += [self.texts("drill.chosen")] if place == chosen else []
            aside = (
                Content.styled(f"  ({self.texts('plain.comma').join(words)})", "$text-accent") if words else Content("")
            )
            text = Content.styled(option.text, "bold $text-success" if option.correct else "") + aside
            why = Content.styled(option.why, QUIET)
            choices.append(Choice(place + 1, text, RIGHT if option.correct else WRONG, (why,)))
        if options[chosen].correct:
            verdict = Content.styled(f"{RIGHT} {self.texts('drill.right')}", "bold $text-success")
        else:
            number = next(number for number, option in enumerate(options, 1) if option.correct)
            verdict = Content.styled(f"{WRONG} {self.texts('drill.wrong', number=number)}", "bold $text-error")
        card = Content.styled(self.texts("drill.card", question=self.question.question), QUIET)
        self._list.show([*self._head(), Block(verdict)], choices, closed=True, tail=[Block(card)])
        self._say("")

    def _sum_up(self) -> None:
        texts, drill = self.texts, self.drill
        head = [heading(texts("drill.done", right=drill.right, total=len(drill.results)))]
        head.append(Block(Content(texts("drill.more"))))
        head.append(Block(Content.styled(texts("drill.schedule"), QUIET), gap=False))
        if drill.missed:
            head.append(heading(texts("drill.missed")))
        choices = []
        for id, chosen in drill.missed:
            question = self.desk.question(id)
            options = question.choices.options
            right = next(option.text for option in options if option.correct)
            notes = (
                Content.styled(f"{WRONG} {texts('drill.you', text=options[chosen].text)}", QUIET),
                Content(f"{RIGHT} {texts('drill.it', text=right)}"),
            )
            choices.append(Choice(question.number, Content.styled(question.choices.question, STRONG), "", notes))
        self._list.show(head, choices, by_number=False)

    def _say(self, text: str) -> None:
        """How far the drill is, whether answers are kept, and for a while what is wrong with the files."""
        bar, drill = self.query_one(TopBar), self.drill
        bar.notice = text
        bar.alarm = "" if self.desk.saving else self.texts("unsaved")
        place, total = drill.place + 1, len(drill.ids)
        counts = self.texts("drill.counts", place=place, total=total, right=drill.right)
        bar.counts = counts if self.question is not None else ""
        for notice in self.desk.news():
            self.notify(notice, severity="warning", timeout=NOTICE, markup=False)
        self.refresh_bindings()

    @property
    def _list(self) -> ChoiceList:
        return self.query_one(ChoiceList)

    def on_resize(self) -> None:
        """Where the terminal was too small nothing had the focus."""
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        if self.focused is None and self.is_current:
            self._list.focus(scroll_visible=False)

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One goes on after an answer, and begins anew at the end."""
        answered = self.question is not None and self.drill.chosen is not None
        match action:
            case "next" | "card":
                return answered
            case "drill":
                return self.question is None
            case _:
                return True

    def on_choice_list_chosen(self, message: ChoiceList.Chosen) -> None:
        """An option is kept before the screen says whether it is right; in the summary, a card is opened."""
        self.guard.acted(message.key)
        if self.question is None:
            self._open(self.drill.missed[message.place][0], message.key)
        elif self.drill.chosen is None:
            spent = round(1000 * (self.kit.seconds() - self._shown_at))
            self.desk.answer_drill(self.drill, self.drill.order[message.place], spent)
            self._explain()

    def action_next(self, key: str) -> None:
        """On to the next question."""
        if self.guard.allows(key):
            self.guard.acted(key)
            self.drill.go_on()
            self._ask()

    def action_card(self) -> None:
        """Opens the card of this question."""
        if self.question is not None:
            self._open(self.question.id, "o")

    def _open(self, id: str, key: str) -> None:
        self.app.push_screen(LookScreen(self.kit, id, key))

    def action_drill(self) -> None:
        """Begins another drill over the same questions."""
        self.drill = self.desk.drill(self.ids)
        self._ask()

    def action_back(self) -> None:
        """From a question to what was missed so far; from there, or where nothing was answered, to the list."""
        if self.question is None or not self.drill.results:
            self.dismiss()
        else:
            self.drill.stop()
            self._ask()
