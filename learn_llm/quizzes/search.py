"""Search in the questions: in both languages at once, and forgiving a word that is mistyped."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache

from learn_llm.quizzes.bank import Question, open_question
from learn_llm.quizzes.matching import stem
from learn_llm.quizzes.texts import TEXTS

WORD = re.compile(r"[a-z0-9]{4,}|[ァ-ヺー]{4,}")
"""What may be mistyped: a Latin word or one in katakana."""
NEAR = 0.8
"""From which likeness on (2 · matching characters / all characters) a word counts as mistyped."""


class Search:
    """The texts of these questions, folded: letters of one case and of one width."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.names: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        for question in questions:
            versions = [question, *translations(question)]
            self.names[question.id] = fold(" ".join(map(_name, versions)))
            answers = fold(" ".join(f"{version.short_answer} {version.full_answer}" for version in versions))
            self.texts[question.id] = f"{self.names[question.id]} {answers}"
        self.words = {id: set(WORD.findall(text)) for id, text in self.texts.items()}
        self.stems = {id: set(map(stem, words)) for id, words in self.words.items()}

    def find(self, words: str, among: Collection[str]) -> list[str]:
        """Which of these ids have all words: first those that have them in number, question or topics; a number alone.

        A word is found in its other forms, too.  Where none has all of them: which ones have them nearly.
        """
        wanted = fold(words).split()
        named = [id for id in among if all(begins(word, self.names[id]) for word in wanted)]
        named = named or [id for id in among if all(word in self.names[id] for word in wanted)]
        if named and len(wanted) == 1 and words.strip().isdigit():
            return named
        told = [
            id
            for id in among
            if id not in named and all(begins(w, self.texts[id]) or stem(w) in self.stems[id] for w in wanted)
        ]
        if named or told:
            return [*named, *told]
        vocabulary: set[str] = set().union(*(self.words[id] for id in among))
        longer = [word for word in wanted if WORD.fullmatch(word)]
        near = {word: get_close_matches(word, vocabulary, 10, NEAR) for word in longer}
        return [
            id
            for id in among
            if all(word in self.texts[id] or not self.words[id].isdisjoint(near.get(word, ())) for word in wanted)
        ]


@lru_cache(maxsize=2)
def search_in(questions: tuple[Question, ...]) -> Search:
    """The search in these questions, made once."""
    return Search(questions)


def translations(question: Question) -> Iterator[Question]:
    """The question in the other languages that it has."""
    for lang in TEXTS:
        path = question.path.with_name(f"{question.id}.{lang}.md")
        if lang != question.lang and path.exists():
            translated, _ = open_question(path, whole=False)
            if translated is not None:
                yield translated


def begins(word: str, text: str) -> bool:
    """Whether a word of the text begins like this; in Japanese, which has no spaces, whether it stands anywhere.

    >>> begins("kl", "the kl-penalty"), begins("kl", "weekly"), begins("報酬", "代理の報酬")
    (True, False, True)
    """
    return word in text if not word.isascii() else re.search(rf"(?<![a-z0-9]){re.escape(word)}", text) is not None


def fold(text: str) -> str:
    """The text as it is compared.

    >>> fold("ＰＰＯ の Reward")
    'ppo の reward'
    """
    return unicodedata.normalize("NFKC", text).casefold()


def _name(question: Question) -> str:
    texts = TEXTS["ja" if question.lang == "ja" else "en"]
    topics = [name for topic in question.topics for name in (topic, texts[f"topic.{topic}"])]
    return " ".join([str(question.number), question.id, question.question, *topics])
