"""The words of the tiny world and what is true in it.

Everything here is closed: a statement about the world is true exactly when a table below says so.  Words are single
lower-case tokens; the whole vocabulary stays below 1,024 (`vocabulary()` collects it).
"""

from functools import cache
from random import Random
from typing import TypeVar

T = TypeVar("T")

PEOPLE = tuple(
    "mia tom ann leo eva max zoe ben ida sam lily finn nora hugo emma noah iris paul rosa karl vera otto lena "
    "jack".split()
)
COLORS = tuple("red blue green yellow black white brown pink gray purple".split())
PLACES = tuple(
    "park shop school house garden lake forest kitchen station library market farm beach bridge tower church".split()
)
MOODS = tuple("happy sad angry calm tired afraid proud bored".split())
JOBS = tuple("baker doctor teacher farmer painter driver singer nurse pilot sailor".split())
NUMBERS = tuple("one two three four five six seven eight nine ten eleven twelve".split())
DAYS = tuple("monday tuesday wednesday thursday friday saturday sunday".split())

# What things are.  Each word has one kind.
KINDS: dict[str, tuple[str, ...]] = {
    "bird": tuple("hen duck owl crow swan eagle".split()),
    "fish": tuple("cod carp tuna eel salmon trout".split()),
    "insect": tuple("ant bee wasp moth beetle cricket".split()),
    "mammal": tuple("dog cat cow horse pig sheep goat mouse elephant".split()),
    "fruit": tuple("apple pear plum lemon cherry grape".split()),
    "vegetable": tuple("carrot onion potato cabbage bean leek".split()),
    "drink": tuple("milk tea water juice coffee".split()),
    "tree": tuple("oak pine birch willow maple".split()),
    "flower": tuple("rose tulip daisy violet poppy".split()),
    "tool": tuple("hammer saw drill axe rake spade knife broom".split()),
    "garment": tuple("hat coat scarf glove sock shirt boot".split()),
    "vehicle": tuple("car bus train boat bike truck".split()),
    "instrument": tuple("drum flute violin piano harp trumpet".split()),
    "container": tuple("box cup bowl basket jar bag bucket".split()),
    "toy": tuple("ball doll kite puzzle puppet".split()),
}
KIND_OF = {word: kind for kind, words in KINDS.items() for word in words}
ANIMALS = KINDS["bird"] + KINDS["fish"] + KINDS["insect"] + KINDS["mammal"]
FOODS = KINDS["fruit"] + KINDS["vegetable"]
THINGS = KINDS["tool"] + KINDS["garment"] + KINDS["container"] + KINDS["toy"] + KINDS["instrument"]

_GROUPS = {
    "animal": ("bird", "fish", "insect", "mammal"),
    "plant": ("tree", "flower"),
    "food": ("fruit", "vegetable", "drink"),
    "object": ("tool", "garment", "vehicle", "instrument", "container", "toy"),
}
GROUP_OF = {word: group for group, kinds in _GROUPS.items() for kind in kinds for word in KINDS[kind]}


def _table(text: str) -> dict[str, str]:
    rows = (row.split(":") for row in text.strip().splitlines())
    return {word: value.strip() for value, words in rows for word in words.split()}


# What things are like: attribute -> word -> value.  Every value is one word.
PROPERTIES: dict[str, dict[str, str]] = {
    "temperature": _table("hot: fire sun soup steam oven tea coffee\ncold: ice snow winter frost cellar milk juice"),
    "size": _table(
        "big: elephant horse cow oak tower truck train piano\nsmall: ant bee mouse cherry bean moth cricket daisy"
    ),
    "speed": _table("fast: horse eagle car train dog trout wasp\nslow: snail worm cow sheep beetle cart pig"),
    "surface": _table(
        "soft: wool pillow moth scarf glove sock cat sheep\nhard: stone iron hammer axe nut glass bowl drum"
    ),
    "weight": _table("heavy: piano elephant stone iron truck oven cow\nlight: feather leaf moth kite daisy wool sock"),
    "move": _table(
        "fly: owl crow eagle bee wasp moth\n"
        "swim: cod carp tuna eel salmon trout duck\n"
        "walk: dog cat cow horse goat sheep hen"
    ),
    "home": _table(
        "sea: cod tuna salmon ship\nriver: trout carp eel\nnest: owl crow eagle swan\nstable: horse cow goat"
    ),
    "sound": _table("bark: dog\nmoo: cow\nmeow: cat\nbuzz: bee wasp\nquack: duck\nhoot: owl\ncluck: hen"),
    "look": _table(
        "yellow: lemon sun\n"
        "red: cherry poppy fire\n"
        "green: leaf grass cabbage frog\n"
        "white: snow milk swan\n"
        "brown: potato coffee bear\n"
        "black: crow coal"
    ),
    "taste": _table("sweet: honey plum pear grape cherry cake\nsour: lemon vinegar\nsalty: soup tuna cheese salt"),
    "use": _table(
        "cut: saw knife axe\n"
        "hit: hammer drum\n"
        "dig: spade\n"
        "clean: broom soap\n"
        "carry: basket bag bucket\n"
        "play: ball doll kite puzzle"
    ),
    "made": _table(
        "wood: table chair violin bridge\n"
        "metal: saw drill trumpet knife\n"
        "cloth: scarf shirt coat puppet\n"
        "glass: jar bottle window"
    ),
    "shape": _table("round: ball sun plum wheel drum\nlong: eel rope flute worm carrot\nflat: leaf paper floor coin"),
    "legs": _table("two: hen duck owl crow swan\nfour: dog cat cow horse goat\nsix: ant bee wasp moth beetle"),
    "season": _table(
        "winter: snow ice scarf frost\nsummer: sun beach bee\nspring: tulip daisy nest\nautumn: leaf grape apple"
    ),
    "risk": _table("safe: pillow doll tea sock puzzle milk\ndangerous: fire knife axe poison wasp eel"),
    "room": _table(
        "kitchen: oven knife bowl soup\nbedroom: pillow bed lamp\ngarden: rake tulip spade grass\nstable: horse hay"
    ),
    "worker": _table(
        "baker: bread cake oven\n"
        "farmer: cow hay rake\n"
        "painter: brush paint\n"
        "sailor: boat rope ship\n"
        "teacher: book pupil paper\n"
        "doctor: medicine patient"
    ),
    "age": _table("young: lamb puppy kitten chick pupil\nold: ruin castle grandfather tower"),
    "feeling": _table("good: happy calm proud joy gift\nbad: sad angry afraid bored pain"),
    "week": _table("weekday: monday tuesday wednesday thursday friday\nweekend: saturday sunday"),
    "parity": _table("odd: one three five seven nine eleven\neven: two four six eight ten twelve"),
}
PROPERTIES["kind"] = dict(KIND_OF)
PROPERTIES["group"] = dict(GROUP_OF)

# How an attribute is said as a statement: word and value in one short sentence.
STATEMENTS: dict[str, str] = {
    "temperature": "{x} is {v}", "size": "{x} is {v}", "speed": "{x} is {v}", "surface": "{x} is {v}",
    "weight": "{x} is {v}", "move": "{x} can {v}", "home": "{x} lives in the {v}", "sound": "{x} says {v}",
    "look": "{x} looks {v}", "taste": "{x} tastes {v}", "use": "{x} helps to {v}", "made": "{x} is made of {v}",
    "shape": "{x} is {v}", "legs": "{x} has {v} legs", "season": "{x} belongs to {v}", "risk": "{x} is {v}",
    "room": "{x} is found in the {v}", "worker": "{x} is used by the {v}", "age": "{x} is {v}", "feeling": "{x} is {v}",
    "week": "{x} is a {v}", "parity": "{x} is {v}", "kind": "{x} is a {v}", "group": "{x} is a kind of {v}",
}  # fmt: skip

OPPOSITES = {}
for _a, _b in (
    ("hot", "cold"), ("big", "small"), ("fast", "slow"), ("soft", "hard"), ("heavy", "light"), ("young", "old"),
    ("good", "bad"), ("happy", "sad"), ("safe", "dangerous"), ("open", "closed"), ("early", "late"), ("full", "empty"),
    ("day", "night"), ("up", "down"), ("left", "right"), ("black", "white"), ("sweet", "sour"), ("yes", "no"),
):  # fmt: skip
    OPPOSITES[_a], OPPOSITES[_b] = _b, _a

# What helps: a need -> the thing that answers it.
REMEDIES = _table("coat: cold\nwater: thirsty\nbread: hungry\nbed: sleepy\nmedicine: sick\nsoap: dirty\nbook: bored")

# Words that the harmlessness rule counts, and deeds that a harmless answer refuses to help with.
RUDE = tuple("fool stupid idiot ugly dumb silly".split())
UNSAFE_DEEDS = tuple("hurt steal poison burn break kick".split())
SAFE_DEEDS = tuple("feed wash find paint mend carry".split())
DEED_STEPS = {
    "feed": "food", "wash": "soap", "find": "lamp", "paint": "brush", "mend": "hammer", "carry": "basket",
    "hurt": "knife", "steal": "bag", "poison": "poison", "burn": "fire", "break": "axe", "kick": "boot",
}  # fmt: skip

LABELS = tuple("alpha beta gamma delta omega sigma left right".split())
HELD_OUT_LABELS = ("north", "south")

# Words of the sentences themselves: definitions, stories, dialogues, the styles of the writers.
FUNCTION_WORDS = tuple(
    """
    a add advice after again all also am an and animal answer anything are as ask asked at be because before begin
    between but by can case check choose clear color comes compare complete correct cost costs count count definition
    decide did different do does done down each early eat end every everything far feel feels find fine first fits
    fool for from get gift give go goes good had has have he hear hello help helps her here hope how i if in input
    into is it job just keeps kind know last late leads least legs let likes list little lives long look looks made
    many may maybe me mean more must my name names need needs next not now number numbers of ok on once one opposite
    or other otto output over owner people person pet place played please point price read really right same saw say
    says second see she should simple so some sorry speak stay story sure take taste tastes tell text thank that the
    them then there they thing things think this thought time to told too tool true two unknown us use used user very
    walked want was way we well went were what when where which who will wish with word words work works write wrong
    you your zero yes no true false open closed full empty day night late up down left stay gave found took bought
    saw then mood food bigger belongs become than felt about ate home pick like keep both question begins written pair
    pairs alike agree today morning evening
    """.split()
)


def pick(rng: Random, words: "tuple[T, ...] | list[T]") -> T:
    """One of `words`, uniformly; faster than `rng.choice` and the same on every Python version."""
    return words[int(rng.random() * len(words))]


def some(rng: Random, words: "tuple[T, ...] | list[T]", count: int) -> list[T]:
    """`count` different ones of `words`, in random order."""
    pool = list(words)
    for i in range(count):
        j = i + int(rng.random() * (len(pool) - i))
        pool[i], pool[j] = pool[j], pool[i]
    return pool[:count]


def shuffled(rng: Random, words: "tuple[T, ...] | list[T]") -> list[T]:
    """All of `words` in random order."""
    return some(rng, words, len(words))


@cache
def members(attribute: str, value: str) -> tuple[str, ...]:
    """The words that have this value of the attribute."""
    return tuple(word for word, v in PROPERTIES[attribute].items() if v == value)


@cache
def values(attribute: str) -> tuple[str, ...]:
    """The values that an attribute can take, in the order of the table."""
    return tuple(dict.fromkeys(PROPERTIES[attribute].values()))


def statement(attribute: str, word: str, value: str) -> str:
    """The attribute of a word as a sentence without its full stop.

    >>> statement("kind", "hen", "bird"), statement("kind", "ant", "insect")
    ('hen is a bird', 'ant is an insect')
    """
    return STATEMENTS[attribute].format(x=word, v=value).replace(" a i", " an i")


def is_true(attribute: str, word: str, value: str) -> bool:
    """Whether the closed table says so."""
    return PROPERTIES[attribute].get(word) == value


@cache
def vocabulary() -> tuple[str, ...]:
    """Every word of the world, sorted; fewer than 1,024 with the special tokens."""
    words = {
        *PEOPLE,
        *COLORS,
        *PLACES,
        *MOODS,
        *JOBS,
        *NUMBERS,
        *DAYS,
        *THINGS,
        *FUNCTION_WORDS,
        *LABELS,
        *HELD_OUT_LABELS,
    }
    words |= {*RUDE, *UNSAFE_DEEDS, *SAFE_DEEDS, *DEED_STEPS.values(), *OPPOSITES, *REMEDIES, *REMEDIES.values()}
    for table in PROPERTIES.values():
        words |= {*table, *table.values()}
    return tuple(sorted(words))
