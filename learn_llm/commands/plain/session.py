"""The quiz line by line: where one chooses what to do, and how it ends."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from learn_llm.commands.plain.card import Cards, QuitError, standing, unknown, words_of
from learn_llm.commands.plain.console import Console
from learn_llm.commands.plain.drill import DrillSession
from learn_llm.commands.plain.study import study
from learn_llm.errors import UserError
from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.filters import VIEWS, Filter
from learn_llm.quizzes.index import LEVELS, TOPICS
from learn_llm.quizzes.kit import Kit
from learn_llm.quizzes.plain import wrap

if TYPE_CHECKING:
    from learn_llm.quizzes.interview import Plan

COMMANDS = ("study", "more", "drill", "interview", "browse", "undo", "help", "quit")
QUESTIONS = 5
"""In an interview, where no number is given."""


class InterruptedInterviewError(UserError):
    """The input ended inside an interview: exit code 2, as of `learn-llm interview`."""


class Session:
    """Everything from the first line to the last."""

    def __init__(self, kit: Kit, console: Console) -> None:
        self.kit, self.console = kit, console
        self.texts, self.desk = kit.texts, kit.desk
        self.cards = Cards(kit, console)
        self.words = words_of(self.texts, *COMMANDS)

    def run(self) -> None:
        """Until `quit` or the end of the input: then the summary.

        Raises InterruptedInterviewError, after the summary, where the input ended inside an interview.
        """
        self.console.warn(self.desk.news())
        self.console.say(self.texts("plain.title", counts=self._counts()))
        try:
            while True:
                self.console.say("")
                self._do(self.console.ask(self.texts("plain.prompt")))
        except (QuitError, EOFError, InterruptedInterviewError) as ending:
            self._sum_up()
            if isinstance(ending, InterruptedInterviewError):
                raise

    def _do(self, typed: str) -> None:
        """One line of the menu."""
        first, _, rest = (typed or "study").partition(" ")
        try:
            match self.words.command(first):
                case "study":
                    study(self.cards)
                case "more":
                    study(self.cards, more=True)
                case "drill":
                    self._drill(rest.split())
                case "interview":
                    self._interview(rest.split())
                case "browse":
                    self._browse(rest.split())
                case "undo":
                    self.cards.undo()
                case "help":
                    self._help()
                case "quit":
                    raise QuitError
                case _:
                    self._card(typed)
        except InterruptedInterviewError:
            raise
        except UserError as error:  # a wrong word is no reason to end the session
            self.console.say(str(error))

    def _card(self, typed: str) -> None:
        """The card of a number or a name.  Raises UserError where it is neither."""
        if not typed.isdecimal() and typed.lower() not in self.desk.bank.by_id:
            raise UserError(unknown(self.texts, typed, self.words.known))
        self.desk.refresh()
        id: str | None = self.desk.bank.find(typed).id
        revealed = False
        while id is not None:
            outcome = self.cards.ask(id, revealed=revealed)
            revealed = outcome.what == "undone"
            id = outcome.id if revealed else None

    def _browse(self, words: Sequence[str]) -> None:
        found = self._found(words)
        self.console.say(self.texts("plain.found", count=len(found)) if found else self.texts("plain.none"))
        for question in found:
            lead = f"{question.number:>3}. "
            line = f"{question.question} ({standing(question.id, self.kit)}, {self.texts(question.level)})"
            self.console.show(wrap(line, self.console.width, lead, " " * len(lead)))

    def _drill(self, words: Sequence[str]) -> None:
        ids = [question.id for question in self._found(words)]
        if ids:
            DrillSession(self.cards, ids).run()
        else:
            self.console.say(self.texts("plain.none"))

    def _found(self, words: Sequence[str]) -> list[Question]:
        """The questions of a view, a topic, and with words: the first word of each kind counts as such."""
        self.desk.refresh()
        view = next((word for word in words if word in VIEWS), "all")
        topic = next((word for word in words if word in TOPICS), "")
        rest = " ".join(word for word in words if word not in (view, topic))
        return Filter(view, topic, rest).select(self.desk.questions, self.desk.standings())

    def _interview(self, words: Sequence[str]) -> None:
        """A mock interview, or the rest of one that was left."""
        from learn_llm.commands.interview import hold
        from learn_llm.quizzes.interview_history import History
        from learn_llm.quizzes.interview_report import row

        history = History(self.desk.progress)
        record = None if words else self.desk.unfinished()
        if record is not None:
            summary = row(record, self.texts, self.desk.progress.schedule.zone)
            answer = self.console.ask(self.texts("plain.interview.left", summary=summary))
            record = None if words_of(self.texts, "new").command(answer) else record
        if record is None:
            record = history.begin(self._plan(words))
        try:
            hold(self.desk.bank, history, record, self.texts, self.console)
        except EOFError:
            raise InterruptedInterviewError(self.texts("plain.interview.ended")) from None

    def _plan(self, words: Sequence[str]) -> "Plan":
        from learn_llm.quizzes.interview import choose

        levels = [word for word in words if word in LEVELS]
        counts = [int(word) for word in words if word.isdecimal()]
        topics = [word for word in words if word not in levels and not word.isdecimal()]
        return choose(
            self.desk.bank,
            counts[0] if counts else QUESTIONS,
            level=levels[0] if levels else "",
            topics=topics,
            seed=time.time_ns(),
        )

    def _help(self) -> None:
        for name in ("study", "more", "drill", "interview", "browse", "number", "undo", "quit"):
            self.console.show(wrap(self.texts(f"plain.help.{name}"), self.console.width, "- ", "  "))

    def _counts(self) -> str:
        counts, total = self.desk.counts(), len(self.desk.questions)
        new = self.desk.new_left()
        return self.texts("plain.counts", due=counts.due, new=new, seen=total - counts.new, total=total)

    def _sum_up(self) -> None:
        counts, given, new = self.desk.counts(), self.desk.given, self.desk.new_left()
        self.console.say("", self.texts("plain.bye", given=given, today=counts.done_today, due=counts.due, new=new))
        if not self.desk.saving:
            self.console.say(self.texts("unsaved"))
