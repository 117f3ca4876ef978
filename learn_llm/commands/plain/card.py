"""One card: the question, on enter its answer, then a rating.  No line both reveals and rates."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from learn_llm.commands.plain.console import Console, Words
from learn_llm.demos import catalogue
from learn_llm.errors import UserError
from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.kit import Kit
from learn_llm.quizzes.plain import inline, page, wrap
from learn_llm.quizzes.texts import TEXTS, Language, Texts

RATINGS = (1, 2, 3, 4)


class QuitError(Exception):
    """The learner wants to leave the quiz."""


@dataclass(frozen=True)
class Outcome:
    """How a card was left.  `id` is the question that was rated, or whose rating was undone."""

    what: Literal["rated", "undone", "skip", "back"]
    id: str = ""
    rating: int = 0


class Cards:
    """Asks cards on the console, and keeps what they are rated."""

    def __init__(self, kit: Kit, console: Console) -> None:
        self.kit, self.console = kit, console
        self.texts, self.desk = kit.texts, kit.desk
        self._before = words_of(self.texts, "skip", "demo", "break", "undo", "back", "quit", "help")
        self._after = words_of(self.texts, "full", "demo", "break", "skip", "undo", "back", "quit", "help")
        self._explained = False

    def ask(self, id: str, *, revealed: bool = False) -> Outcome:
        """Shows the card until it is rated or left.  Raises QuitError, and EOFError where the input ends."""
        question = self.desk.question(id)
        if not self._explained:
            self._explain()
        self._show_question(question)
        begun = self.kit.seconds()
        while True:
            outcome = self._rate(question, begun) if revealed else self._wait(question)
            if outcome is not None:
                return outcome
            revealed = True

    def read(self, question: Question) -> None:
        """Shows the whole card, not to be rated."""
        self._show_question(question)
        self._show_answer(question)
        self._show_rest(question)

    def run_demo(self, question: Question, words: Sequence[str], *, broken: bool) -> None:
        """Runs the demo of the question, with parameters as NAME=VALUE."""
        from learn_llm.commands.plain.demo import run_demo  # what it takes is loaded for the first demo

        run_demo(self.kit, self.console, question, words, broken=broken)

    def undo(self) -> str | None:
        """Takes back the last rating of the session and says so; returns its question, None where there is none."""
        id = self.desk.undo()
        if id is None:
            self.console.say(self.texts("plain.nothing_to_undo"))
        else:
            self.console.say(self.texts("undone", number=self.desk.question(id).number))
        return id

    def _explain(self) -> None:
        """Which words a card knows: said before the first card, and when asked for."""
        self._explained = True
        self.console.say("", self.texts("plain.card", words=self.texts("plain.comma").join(self._after.known)))

    def _show_question(self, question: Question) -> None:
        topics = self.texts("plain.comma").join(self.texts(f"topic.{topic}") for topic in question.topics)
        about = (self.texts(question.level), topics, standing(question.id, self.kit))
        self.console.say("", f"{question.number}. {question.question}", self.texts("plain.comma").join(about))
        if question.lang != self.texts.language:
            self.console.say(self.texts("untranslated"))

    def _wait(self, question: Question) -> Outcome | None:
        """Until enter, which shows the answer: then None."""
        while typed := self.console.ask(self.texts("plain.say")):
            if self._rating(typed):
                self.console.say(self.texts("plain.first"))
            elif outcome := self._do(self._before, typed, question):
                return outcome
        self._show_answer(question)
        return None

    def _rate(self, question: Question, begun: float) -> Outcome:
        """Until a rating, which is kept before it is confirmed."""
        while True:
            typed = self.console.ask(self._prompt(question.id))
            if rating := self._rating(typed):
                wait = self.desk.rate(question.id, rating, round(1000 * (self.kit.seconds() - begun)))
                self._confirm(question, rating, self.texts.interval(wait))
                return Outcome("rated", question.id, rating)
            if outcome := self._do(self._after, typed, question):
                return outcome

    def _confirm(self, question: Question, rating: int, interval: str) -> None:
        rated = self.texts("rated", number=question.number, label=self.texts(f"rating.{rating}"), interval=interval)
        self.console.say(self.texts("plain.saved" if self.desk.saving else "plain.unsaved", rated=rated))
        self.console.warn(self.desk.news())

    def _do(self, words: Words, typed: str, question: Question) -> Outcome | None:
        """What a word asks for; an outcome where the card is left."""
        first, *rest = typed.split() or [""]
        match words.command(first):
            case "quit":
                raise QuitError
            case "back":
                return Outcome("back")
            case "skip":
                return Outcome("skip")
            case "undo":
                id = self.undo()
                return None if id is None else Outcome("undone", id)
            case "help":
                self._explain()
            case "full":
                self._show_rest(question)
            case "demo" | "break" as word:
                self.run_demo(question, rest, broken=word == "break")
            case _:
                choices = [*map(str, self._ratings), *words.known] if words is self._after else ["enter", *words.known]
                self.console.say(unknown(self.texts, typed, choices))
        return None

    # Ratings

    @property
    def _ratings(self) -> tuple[int, ...]:
        """Those to choose from: two where the learner has set so, with the keys that they have among four."""
        return (1, 3) if self.desk.settings.two_buttons else RATINGS

    def _rating(self, typed: str) -> int | None:
        """The rating that a digit or its label means, or the label's first word; None for anything else."""
        typed = typed.strip().casefold()
        for rating in self._ratings:
            labels = [TEXTS[language][f"rating.{rating}"].casefold() for language in TEXTS]
            if typed in (str(rating), *labels, labels[0].split()[0]):
                return rating
        return None

    def _prompt(self, id: str) -> str:
        waits, texts = self.desk.previews(id), self.texts
        ratings = (
            texts(
                "plain.rating",
                number=rating,
                label=texts(f"rating.{rating}"),
                interval=texts.interval(waits[rating - 1]),
            )
            for rating in self._ratings
        )
        return texts("plain.comma").join(ratings) + ":"

    # Answers

    def _show_answer(self, question: Question) -> None:
        """What to say in 30 seconds and what it must contain; a damaged file says what is wrong with it."""
        try:
            self.console.show(short_answer(question, self.texts, self.console.width))
        except UserError as error:
            self.console.warn([str(error)])
        demo = catalogue.find(question.demo, self.texts.language)
        if demo is not None:
            self.console.say("", self.texts("plain.demo", title=demo.title))
        self._name_exercises(question)

    def _name_exercises(self, question: Question) -> None:
        from learn_llm.exercises.here import names_about  # what it reads is read for the first answer

        names = names_about(question)
        if names:
            listed = self.texts("plain.comma").join(names)
            self.console.say(self.texts("plain.exercises", names=listed, first=names[0]))

    def _show_rest(self, question: Question) -> None:
        try:
            self.console.show(full_answer(question, self.texts, self.console.width))
        except UserError as error:
            self.console.warn([str(error)])


def standing(id: str, kit: Kit) -> str:
    """When the question is due, in words."""
    there = kit.desk.standings()[id]
    return kit.texts(f"plain.{there.kind}", interval=kit.texts.interval(there.wait))


def unknown(texts: Texts, typed: str, choices: Iterable[str]) -> str:
    """That this word is not known, and which are."""
    return texts("plain.unknown" if typed else "plain.empty", text=typed, choices=texts("plain.comma").join(choices))


def words_of(texts: Texts, *names: str) -> Words:
    """The words of these commands, those of the learner's language first."""
    english: Language = "en"
    return Words(*({name: TEXTS[lang][f"plain.word.{name}"] for name in names} for lang in (texts.language, english)))


def short_answer(question: Question, texts: Texts, width: int) -> Iterator[str]:
    """The short answer and the key points as lines."""
    yield from ("", texts("short"), "", *page(question.short_answer, width), "", texts("points"), "")
    for number, point in enumerate(question.key_points, 1):
        yield from _item(f"{number}. ", point.point, "", width)


def full_answer(question: Question, texts: Texts, width: int) -> Iterator[str]:
    """All that the card has beyond the short answer, as lines."""
    yield from ("", texts("full"), "", *page(question.full_answer, width), "", texts("follow_ups"), "")
    for number, follow_up in enumerate(question.follow_ups, 1):
        yield from _item(f"{number}. ", follow_up.question, follow_up.answer, width)
    yield from ("", texts("mistakes"), "")
    for number, mistake in enumerate(question.mistakes, 1):
        yield from _item(f"{number}. ", f'"{mistake.mistake}"', mistake.why, width)
    if question.references:
        yield from ("", texts("references"), "")
        for reference in question.references:
            yield from _item("- ", reference, "", width)
    yield ""


def _item(lead: str, first: str, second: str, width: int) -> Iterator[str]:
    indent = " " * len(lead)
    yield from wrap(inline(first), width, lead, indent)
    if second:
        yield from wrap(inline(second), width, indent, indent)
