"""Which words of a text are said negated.

A sentence falls into clauses, at its punctuation and conjunctions.  A negation reaches over its clause ("the ratio is
not clipped", 比をクリップしない) and denies what it stands with ("clipped", クリップ); "without", "no", "rather than"
and their like reach over the next two words.  What only looks like a negation is none: two that cancel
(ないわけではない), "not only", かもしれない, しかない, a condition ("if you do not scale", ないと), or a description
("noise that cannot be reduced", 消せないノイズ).
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from learn_llm.quizzes.matching import Text

_BREAK = re.compile(
    r"[,;:…—–]|(?<=\s)\(|[；：（）]|(?<=[\u3040-\u309f])(?<![はをにもやかのどへ])、|(?<=[ずし]に)、|、(?=また|次に|そして|なお)|(?<!も)ので(?!は|も|す|しょ)|のに(?!は)|けれど|けど"
    r"|\b(?:but|because|so|while|whereas|although|though|since|which|who|when|if|unless|until|therefore|hence|then|yet"
    r"|however)\b"
)
_NO_BREAK = re.compile(r"\bso that\b|\bas (?:well|long) as\b")
_NONE = re.compile(
    r"\b(?:not|n't) (?:only|just|merely|simply|necessarily)\b|\b\w+n't (?:only|just)\b"
    r"|\bno (?:matter|more than|less than)\b"
    r"|\bwhether or not\b|\bnothing (?:more|but|else)\b|\bif (?:\w+ ){1,3}(?:not|\w+n't)\b|\bif \w+n't\b"
    r"|\bthat (?:(?:you|it|we|they|one|he) )?(?:can't|hasn't|haven't|cannot|(?:could|has|have) not)\b"
    r"|(?:だけ|のみ|ばかり)で(?:は)?な[いく]|だけではありま|かもしれ(?:ない|ません)|しか[^、。]*?(?:ない|ません|ず)"
    r"|に(?:すぎ|過ぎ|他なら|ほかなら)(?:ない|ません|ず)|(?:なければ|なくては|ないと)(?:なら|なり|いけ)(?:ない|ません|ず)"
    r"|ざるを得な|少な[いくか]|なくな[りるっ]|必ず|まず|はず|わずか|いずれ|ずつ|ずれ|違いな|違いありま|つまらな|危な|ほか?ならな"
    r"|な(?:いと|ければ|かったら|くても|くて済|くてよ|くてい)|(?:無駄|関係|隙間|限り|間違い|変わり)な[くい]"
)
_WHOLE_EN = re.compile(
    r"\bnot\b|\b\w+n't\b|\bcannot\b|\bnever\b|\bnobody\b|\bnothing\b|\bno longer\b|\bfails? to\b"
    r"|\bmiss(?:es)?\b|\bunable\b"
    r"|\b(?:is|are|be|was) (?:all )?(?:wrong|false|gone)\b"
)
_NEXT_EN = re.compile(
    r"\b(?:no|nor|neither|lack(?:s|ing)?)\b|\b(?P<aside>without|rather than|instead of|in place of|in contrast with)\b"
)
_LITTLE = frozenset("a an the of to in on at by for with any your its their his her this that is are be being".split())
_WHOLE_JA = re.compile(
    r"ない|なく|なかっ|なけれ|ません|ず(?=に|と|、|。|$|[^\u3040-\u309f])|ぬ(?=、|。|$)|まい(?=。|$)|不要|無効|取りこぼ|なし(?=。|$)"
)
_RUN_JA = re.compile(r"[^\u3040-\u309f\s]+(?=[\u3040-\u309f]*$)")
_LOCAL = re.compile(
    r"[^\u3040-\u309f\s、]*[\u3040-\u309f]{0,4}(?:で(?:は)?なく(?=[^、\s])|(?:ない|なかった|なし)(?=[\u30a0-\u30ff\u3400-\u9fff]|こと[はがを]|のは|ところ[はがに])|なし[にで]"
    r"|(?:ずに|ないで|ず|なく)(?=[^、。\s\u3040-\u309f])|ずに(?=[^、。\s]))"
)
_CANCEL = re.compile(
    r"(?:ない|なく|ず)(?:という)?(?:わけ|こと|もの|の)(?:では|でも|も|は|じゃ)?(?:な[いく]|あり(?:ま|得な))(?:せん)?"
)


@dataclass(frozen=True)
class Polarity:
    """How a word is said: the number of its clause, whether the clause is negated, whether the word itself is."""

    clause: int
    negated: bool
    denied: bool


def polarities(text: Text) -> list[Polarity]:
    """For each word of the text how it is said.

    >>> from learn_llm.quizzes.matching import read_text
    >>> def negated(text):
    ...     words = read_text(text)
    ...     return " ".join(word.form for word, how in zip(words.words, polarities(words)) if how.negated)
    >>> negated("DPO needs pairs, but it does not need rewards.")
    'but it does not need rewards'
    >>> negated("A loss without any labels"), negated("not only labels"), negated("比をクリップしない")
    ('without any labels', '', '比 を ク リ ッ プ し な い')
    """
    found = []
    parts = [
        (start, end, *_reach(text.plain[start:end], start))
        for first, last in text.sentences
        for start, end in _clauses(text.plain, first, last)
    ]
    at = 0
    for place in text.plain_starts:
        while at + 1 < len(parts) and place >= parts[at][1]:
            at += 1
        wide, narrow = (any(first <= place < last for first, last in reach) for reach in parts[at][2:])
        found.append(Polarity(at, wide, narrow))
    return found


def _clauses(plain: str, first: int, last: int) -> list[tuple[int, int]]:
    kept = [match.span() for match in _NO_BREAK.finditer(plain, first, last)]
    breaks = (match.start() for match in _BREAK.finditer(plain, first, last))
    cuts = [first, *(cut for cut in breaks if not any(a <= cut < b for a, b in kept)), last]
    return list(pairwise(cuts))


def _reach(clause: str, offset: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The parts of a clause that its negations reach over, and those that they deny."""
    wide: list[tuple[int, int]] = []
    narrow: list[tuple[int, int]] = []
    clause = _NONE.sub(lambda match: "＊" * len(match[0]), clause)
    clause = _CANCEL.sub(lambda match: "＊" * len(match[0]), clause)
    for match in _LOCAL.finditer(clause):
        wide.append(match.span())
        narrow.append(match.span())
    clause = _LOCAL.sub(lambda match: "＊" * len(match[0]), clause)
    for match in _NEXT_EN.finditer(clause):
        words = [word for word in re.finditer(r"[\w²α-ω-]+", clause[match.end() :]) if word[0] not in _LITTLE][:2]
        end = match.end() + (words[-1].end() if words else 0)
        wide.append((match.start(), end))
        if words and not match["aside"]:
            narrow.append((match.end() + words[-1].start(), end))
    for match in _WHOLE_EN.finditer(clause):
        wide.append((0, len(clause)))
        narrow.append((match.start(), len(clause)))
    for match in _WHOLE_JA.finditer(clause):
        run = _RUN_JA.search(clause[: match.start()])
        wide.append((0, len(clause)))
        narrow.append((run.start() if run else match.start(), match.end()))
    return [(offset + a, offset + b) for a, b in wide], [(offset + a, offset + b) for a, b in narrow]
