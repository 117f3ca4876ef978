"""Which questions the list shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from learn_llm.quizzes.bank import Question
from learn_llm.quizzes.desk import Standing

VIEWS = ("all", "due", "new", "basic", "intermediate", "advanced")


@dataclass(frozen=True)
class Filter:
    """A view, a topic ("" for any) and words that must all occur."""

    view: str = "all"
    topic: str = ""
    words: str = ""

    @property
    def is_open(self) -> bool:
        """Whether everything passes."""
        return self == Filter()

    def select(self, questions: Sequence[Question], standings: Mapping[str, Standing]) -> list[Question]:
        """The questions that pass.  Words are looked for in both languages, as `search` says, the best hits first."""
        chosen = [
            question
            for question in questions
            if self.view in ("all", question.level, standings[question.id].kind)
            and (not self.topic or self.topic in question.topics)
        ]
        if not self.words.split():
            return chosen
        from learn_llm.quizzes.search import search_in

        found = search_in(tuple(questions)).find(self.words, [question.id for question in chosen])
        passed = {question.id: question for question in chosen}
        return [passed[id] for id in found]


def view_counts(questions: Sequence[Question], standings: Mapping[str, Standing]) -> dict[str, int]:
    """How many questions each view has."""
    counts = Counter(question.level for question in questions)
    counts.update(standings[question.id].kind for question in questions)
    return {view: len(questions) if view == "all" else counts[view] for view in VIEWS}


def topic_counts(questions: Sequence[Question]) -> dict[str, int]:
    """How many questions each topic has, the largest first."""
    return dict(Counter(topic for question in questions for topic in question.topics).most_common())
