"""A drill: multiple choice, with what is right and wrong about every option after the answer, as in the app."""

from collections.abc import Sequence

from learn_llm.commands.plain.card import Cards, QuitError, unknown, words_of
from learn_llm.errors import UserError
from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.header import Option
from learn_llm.quizzes.plain import inline, wrap


class DrillSession:
    """Asks the questions of one drill on the console; each answer is kept before it is said whether it is right."""

    def __init__(self, cards: Cards, ids: Sequence[str]) -> None:
        self.cards, self.kit, self.console = cards, cards.kit, cards.console
        self.texts, self.desk = self.kit.texts, self.kit.desk
        self.drill = self.desk.drill(ids)
        self._while_asked = words_of(self.texts, "skip", "back", "quit")
        self._answered = words_of(self.texts, "card", "demo", "break", "back", "quit")

    def run(self) -> None:
        """To the end, or until the learner goes back.  Raises QuitError, and EOFError where the input ends."""
        try:
            while (id := self.drill.question_id) is not None and self._ask_or_pass(self.desk.question(id)):
                self.drill.go_on()
        finally:
            self._sum_up()

    def _ask_or_pass(self, question: Question) -> bool:
        """Passes over a question whose file was damaged after it was installed."""
        try:
            return self._ask(question)
        except UserError as error:
            self.console.warn([str(error)])
            return True

    def _ask(self, question: Question) -> bool:
        """One question; whether the drill goes on."""
        options = [question.choices.options[place] for place in self.drill.order]
        place, total = self.drill.place + 1, len(self.drill.ids)
        counts = self.texts("drill.counts", place=place, total=total, right=self.drill.right)
        self.console.say("", counts, "", f"{question.number}. {inline(question.choices.question)}", "")
        if question.lang != self.texts.language:
            self.console.say(self.texts("untranslated"))
        for number, option in enumerate(options, 1):
            self.console.show(wrap(inline(option.text), self.console.width, f"{number}. ", "   "))
        begun = self.kit.seconds()
        numbers = [str(number) for number in range(1, len(options) + 1)]
        while (typed := self.console.ask(self.texts("plain.choose"))) not in numbers:
            match self._while_asked.command(typed):
                case "quit":
                    raise QuitError
                case "back":
                    return False
                case "skip":
                    return True
                case _:
                    self.console.say(unknown(self.texts, typed, [*numbers, *self._while_asked.known]))
        chosen = int(typed) - 1
        self.desk.answer_drill(self.drill, self.drill.order[chosen], round(1000 * (self.kit.seconds() - begun)))
        self._explain(options, chosen)
        return self._wait(question)

    def _explain(self, options: Sequence[Option], chosen: int) -> None:
        texts, width = self.texts, self.console.width
        right = next(number for number, option in enumerate(options, 1) if option.correct)
        self.console.say("", texts("drill.right") if options[chosen].correct else texts("drill.wrong", number=right))
        if not self.desk.saving:
            self.console.say(texts("unsaved"))
        self.console.warn(self.desk.news())
        self.console.say("")
        for number, option in enumerate(options, 1):
            verdict = texts(f"plain.option.{'right' if option.correct else 'wrong'}")
            mine = f" ({texts('drill.chosen')})" if number == chosen + 1 else ""
            self.console.show(wrap(f"{inline(option.text)}{mine}", width, f"{number}. {verdict}: ", "   "))
            self.console.show(wrap(inline(option.why), width, "   ", "   "))

    def _wait(self, question: Question) -> bool:
        """Until enter: then the drill goes on."""
        while typed := self.console.ask(self.texts("plain.next")):
            first, *rest = typed.split()
            match self._answered.command(first):
                case "quit":
                    raise QuitError
                case "back":
                    return False
                case "card":
                    self.cards.read(question)
                case "demo" | "break" as word:
                    self.cards.run_demo(question, rest, broken=word == "break")
                case _:
                    self.console.say(unknown(self.texts, typed, ["enter", *self._answered.known]))
        return True

    def _sum_up(self) -> None:
        texts, drill = self.texts, self.drill
        if not drill.results:
            return
        self.console.say("", texts("drill.done", right=drill.right, total=len(drill.results)), texts("drill.schedule"))
        if drill.missed:
            self.console.say("", texts("plain.missed"))
        for id, chosen in drill.missed:
            question = self.desk.question(id)
            options = question.choices.options
            right = next(option.text for option in options if option.correct)
            self.console.say(f"{question.number}. {inline(question.choices.question)}")
            for key, text in (("drill.you", options[chosen].text), ("drill.it", right)):
                self.console.show(wrap(texts(key, text=inline(text)), self.console.width, "   ", "   "))
