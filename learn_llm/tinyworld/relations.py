"""Relations that a text states: who owns what, what is where.  A fact is said with its key first: "the hat belongs to
mia".

Asking with the key ("the hat") then leads to the value ("mia") by induction; asking with the value is the hard form.
"""

from dataclasses import dataclass
from random import Random

from learn_llm.tinyworld import lexicon as lx
from learn_llm.tinyworld.lexicon import some


@dataclass(frozen=True)
class Relation:
    """A relation between a key and a value, and how it is said and asked."""

    name: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    fact: str
    """The fact as a sentence, key first, without its full stop."""
    question: str
    """Asks for the value of a key."""
    back: str
    """Asks for the key of a value."""
    definitions: tuple[str, ...]
    domain: str

    def draw(self, rng: Random, count: int) -> list[tuple[str, str]]:
        """`count` facts with different keys and different values."""
        return list(zip(some(rng, self.keys, count), some(rng, self.values, count), strict=True))

    def said(self, key: str, value: str) -> str:
        """The fact in words: "the hat belongs to mia"."""
        return self.fact.format(k=key, v=value)


RELATIONS: tuple[Relation, ...] = (
    Relation("owner", lx.THINGS, lx.PEOPLE, "the {k} belongs to {v}", "who has the {k} ?", "what does {v} have ?",
             ("say who has it .", "name the owner ."), "people"),
    Relation("color", lx.THINGS, lx.COLORS, "the {k} is {v}", "what color is the {k} ?", "what is {v} ?",
             ("say the color .", "which color does it have ?"), "things"),
    Relation("place", lx.THINGS, lx.PLACES, "the {k} is in the {v}", "where is the {k} ?", "what is in the {v} ?",
             ("say where it is .", "find the place ."), "places"),
    Relation("mood", lx.PEOPLE, lx.MOODS, "{k} feels {v}", "how does {k} feel ?", "who feels {v} ?",
             ("say how the person feels .", "name the mood ."), "people"),
    Relation("taste", lx.PEOPLE, lx.FOODS, "{k} likes the {v}", "what does {k} like ?", "who likes the {v} ?",
             ("say what the person likes .", "which food is it ?"), "food"),
    Relation("job", lx.PEOPLE, lx.JOBS, "{k} works as the {v}", "what is the job of {k} ?", "who is the {v} ?",
             ("say the job .", "what work is it ?"), "people"),
    Relation("pet", lx.PEOPLE, lx.ANIMALS, "{k} keeps the {v}", "which pet does {k} keep ?", "who keeps the {v} ?",
             ("say which pet it is .", "name the pet ."), "nature"),
    Relation("price", lx.THINGS, lx.NUMBERS, "the {k} costs {v}", "what does the {k} cost ?", "what costs {v} ?",
             ("give the price that is told .",), "numbers"),
)  # fmt: skip
