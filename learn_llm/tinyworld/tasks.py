"""Tasks of the tiny world: what is asked, what the right answer is, and which skills it takes.

A `Task` is a family: it draws an `Item` (definition, input, answer) from a random generator.  Families are made by
composing a few dozen skills with attributes and relations of the lexicon; options are drawn at random, so "answer
with one of the options that stand in the definition" is the simplest rule that fits them all.  Held-out families
share no definition and no set of options with the training ones, as in Super-NaturalInstructions (Wang et al. 2022,
arXiv 2204.07705).

Each item carries FLASK's annotation (Ye et al. 2023, arXiv 2307.10928): up to three skills, a domain, a difficulty
from 1 to 5. The skills follow from the prompt alone, so a reader of the prompt can know what will be judged.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from learn_llm.tinyworld.lexicon import pick

OPENERS = tuple("ok sure so fine".split())


@dataclass(frozen=True)
class Item:
    """One question with all that the rubric needs to judge a response."""

    task: str
    definition: str
    input: str
    answer: str
    """The short answer, words separated by spaces: what an exercise sheet shows."""
    reference: str
    """A flawless response in full sentences: what a good writer answers."""
    skills: tuple[str, ...]
    domain: str
    difficulty: int
    options: tuple[str, ...] = ()
    """The answers that the definition names; empty for generative tasks."""
    candidates: frozenset[str] = frozenset()
    """Words that would be read as an answer: the right one and what it may be mistaken for."""
    required: tuple[str, ...] = ()
    """Items a complete response covers."""
    steps: tuple[str, ...] = ()
    """The shortest chain of steps."""
    subject: str = ""
    """The word about which a chat asks one more true thing."""
    addition: str = ""
    """A statement about the subject that is true."""
    start_with: str = ""
    """The word that the definition asks to begin with."""
    answerable: bool = True
    unsafe: bool = False

    @property
    def prompt(self) -> str:
        """What a chat model is asked: definition and input."""
        return f"{self.definition} \n {self.input}"

    def sheet(self, answered: bool = True) -> str:
        """The item as it stands on an exercise sheet, with or without its answer."""
        filled = f" {self.answer}" if answered else ""
        return f"definition : {self.definition} \n input : {self.input} \n output :{filled}"


@dataclass(frozen=True)
class Task:
    """A family of items.  `make` draws one for an exercise sheet; `sample` draws one for a chat."""

    name: str
    make: Callable[[Random], Item]
    held_out: bool = False
    generative: bool = False

    def sample(self, rng: Random) -> Item:
        """An item as a user would ask it: a quarter of them ask for a first word, too."""
        item = self.make(rng)
        if item.addition:
            definition, reference = f"{item.definition} add one true thing .", f"{item.reference} {item.addition} ."
            item = replace(item, definition=definition, reference=reference)
        if rng.random() >= 0.25:
            return item
        word = pick(rng, OPENERS)
        return replace(
            item,
            definition=f"{item.definition} begin with {word} .",
            reference=f"{word} , {item.reference}",
            start_with=word,
            skills=(*item.skills[:2], "comprehension"),
        )


def named(options: list[str]) -> str:
    """Options as one says them.

    >>> named(["hot", "cold"]), named(["bird", "fish", "insect"])
    ('hot or cold', 'bird , fish or insect')
    """
    return f"{' , '.join(options[:-1])} or {options[-1]}"


def training() -> tuple[Task, ...]:
    """The families that pretraining documents, demonstrations and preference pairs are drawn from."""
    return tuple(task for task in families() if not task.held_out)


def held_out() -> tuple[Task, ...]:
    """The families that no document, demonstration or pair is drawn from."""
    return tuple(task for task in families() if task.held_out)


def families() -> tuple[Task, ...]:
    """Every family, in a fixed order."""
    from learn_llm.tinyworld import families as made

    return made.ALL
