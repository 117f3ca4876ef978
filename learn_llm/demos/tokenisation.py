"""Tokenisation: byte-pair encoding, from 256 bytes to words.

A language model reads integers.  Bytes make sequences long, words make a vocabulary without end; subwords are the
compromise.  Byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909; on bytes as in GPT-2) finds them by counting:

    train     start from the 256 bytes; again and again merge the most frequent adjacent pair into a new token
    encode    write the text as bytes, apply the merges in the order in which they were learnt
    decode    replace every token by its bytes

Text is first split at spaces (a space belongs to the word behind it), so that no merge crosses a word's border; without
this the vocabulary would fill with "dog.", "dog!" and "dog?".

Claim: encoding and decoding gives back any bytes exactly, random ones and broken UTF-8 included; and tokens per byte
never rises with the number of merges, on text seen or unseen.  A merge only joins neighbours, after all earlier ones.

The tokeniser is trained on this package's own source files, English and code; one of them is held out.  The table shows
what a text costs that the training data had little of: Japanese takes three bytes a character and few merges apply.

`--break` starts from the bytes that occur in the training text instead of all 256: other bytes are unknown, and lost.

    python -m learn_llm.demos.tokenisation [--merges 1000] [--break]
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Pair = tuple[int, int]
UNKNOWN = -1
"""Stands for a byte that is not in the vocabulary, which happens under --break only."""
STRINGS, LENGTH = 200, 64
"""Random byte strings for the round trip, and the length of the longest."""
SAMPLES = {
    "English": "The cat sat on the mat and looked at the milk.",
    "German": "Die Katze saß auf der Matte und schaute auf die Milch.",
    "Japanese": "猫はマットの上に座ってミルクを見ていた。",
    "numbers": "1234 + 1235 = 2469; 31415926535 / 27182818284",
    "code": "for i in range(len(tokens)): print(tokens[i])",
}
AWKWARD = (b"", b" ", "naïve 🙂 日本".encode(), b"\xff\xfe\x00\x80", "é".encode()[:1], b"a  b\n\n\tc ")


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    merges: int = 400
    """Merges that are learnt; the vocabulary has 256 more tokens."""
    kilobytes: int = 150
    """Size of the training text."""

    def __post_init__(self) -> None:
        catalogue.check("tokenisation", self)


def words(text: bytes) -> list[bytes]:
    """The text in pieces that no merge joins: a word with the space before it, or other white space.

    >>> words(b"the old cat")
    [b'the', b' old', b' cat']
    """
    return re.findall(rb" ?\S+|\s+?(?= ?\S)|\s+", text)


def merge(tokens: Sequence[int], pair: Pair, new: int) -> list[int]:
    """Every occurrence of the pair becomes the new token, from left to right.

    >>> merge([1, 1, 1, 2], (1, 1), 9)
    [9, 1, 2]
    """
    merged: list[int] = []
    i = 0
    while i < len(tokens):
        if i + 1 < len(tokens) and (tokens[i], tokens[i + 1]) == pair:
            merged.append(new)
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


def train(text: bytes, merges: int) -> Iterator[tuple[Pair, int]]:
    """Learns byte-pair merges, one after the other; each comes with how often its pair occurred.

    Of equally frequent pairs the one that was seen first wins.  A pair that occurs once is not worth a token.

    >>> found = [pair for pair, _ in train(b"banana bandana", 3)]
    >>> found                                   # a + n, b + an, an + a
    [(97, 110), (98, 256), (256, 97)]
    >>> len(encode(b"banana bandana", dict(zip(found, range(256, 259)))))
    6
    """
    counts = Counter(words(text))  # every different word is merged once, and counted as often as it occurs
    split = {word: list(word) for word in counts}
    pairs: Counter[Pair] = Counter()
    where: dict[Pair, dict[bytes, None]] = {}
    for word, tokens in split.items():
        for pair in pairwise(tokens):
            pairs[pair] += counts[word]
            where.setdefault(pair, {})[word] = None
    for new in range(256, 256 + merges):
        if not pairs:
            return
        best = max(pairs, key=pairs.__getitem__)
        frequency = pairs[best]
        if frequency < 2:
            return
        for word in where.pop(best):  # only the counts of words with this pair change
            for pair in pairwise(split[word]):
                pairs[pair] -= counts[word]
            split[word] = merge(split[word], best, new)
            for pair in pairwise(split[word]):
                pairs[pair] += counts[word]
                where.setdefault(pair, {})[word] = None
        del pairs[best]
        yield best, frequency


def encode(text: bytes, ranks: dict[Pair, int]) -> list[int]:
    """Tokens of a text: in every word the merge learnt first is applied first.  Token 256 is the first merge.

    >>> encode(b"banana nab", {(97, 110): 256, (98, 256): 257})
    [257, 256, 97, 32, 110, 97, 98]
    """
    done: dict[bytes, list[int]] = {}  # most words come again and again
    tokens: list[int] = []
    for word in words(text):
        if word not in done:
            part = list(word)
            while len(part) > 1:
                earliest = min(pairwise(part), key=lambda pair: ranks.get(pair, 1 << 60))
                if earliest not in ranks:
                    break
                part = merge(part, earliest, ranks[earliest])
            done[word] = part
        tokens += done[word]
    return tokens


def spell(merges: Sequence[Pair]) -> dict[int, bytes]:
    """The bytes of every token.

    >>> spell([(97, 110), (98, 256)])[257]
    b'ban'
    """
    spelled = {byte: bytes([byte]) for byte in range(256)}
    for new, (left, right) in enumerate(merges, 256):
        spelled[new] = spelled[left] + spelled[right]
    return spelled


def decode(tokens: Sequence[int], spelled: dict[int, bytes]) -> bytes:
    """The bytes behind the tokens; an unknown one leaves nothing but a question mark."""
    return b"".join(spelled.get(token, b"?") for token in tokens)


def package_text() -> tuple[bytes, bytes]:
    """The package's own modules, as training text, and one of them apart, as held-out text."""
    folder = Path(__file__).parents[1]
    held_out = folder / "charts.py"
    files = [file for file in sorted(folder.glob("*.py")) + sorted(folder.glob("demos/*.py")) if file != held_out]
    return b"\n".join(file.read_bytes() for file in files), held_out.read_bytes()


def run(config: Config) -> Iterator[Event]:
    """Learn merges, watch the text shrink, then send all sorts of bytes there and back."""
    rng = Random(config.seed)
    text, unseen = package_text()
    start = rng.randrange(max(len(text) - 1000 * config.kilobytes, 1))
    text = text[start : start + 1000 * config.kilobytes]
    known = set(text) if config.break_ else set(range(256))

    def tokens_of(text: bytes, ranks: dict[Pair, int]) -> list[int]:
        """As `encode`; under --break bytes outside the vocabulary are unknown."""
        return [token if token > 255 or token in known else UNKNOWN for token in encode(text, ranks)]

    seen = text[: len(unseen)]
    merges: list[Pair] = []
    frequencies: list[int] = []
    curves: dict[str, list[float]] = {"seen": [1.0], "unseen": [1.0]}
    at = [0]
    every = max(config.merges // 20, 1)
    for pair, frequency in train(text, config.merges):
        merges.append(pair)
        frequencies.append(frequency)
        if len(merges) % every and len(merges) > 5:
            continue
        ranks = {pair: new for new, pair in enumerate(merges, 256)}
        at.append(len(merges))
        curves["seen"].append(len(tokens_of(seen, ranks)) / len(seen))
        curves["unseen"].append(len(tokens_of(unseen, ranks)) / len(unseen))
        values = {"tokens_per_byte": curves["seen"][-1], "tokens_per_byte_unseen": curves["unseen"][-1]}
        yield Metrics(len(merges), config.merges, values)

    yield Chart(
        "line",
        "Tokens per byte",
        "merges",
        "tokens per byte",
        tuple(Series(name, tuple(at), tuple(line)) for name, line in curves.items()),
    )
    ranks = {pair: new for new, pair in enumerate(merges, 256)}
    spelled = {token: spelling for token, spelling in spell(merges).items() if token > 255 or token in known}
    shown = [*range(min(5, len(merges))), *range(max(len(merges) - 5, 5), len(merges))]
    yield Table(
        "The first merges and the last",
        ("merge", "token", "pair occurred"),
        tuple((i + 1, repr(spelled[256 + i])[1:], frequencies[i]) for i in shown),
    )
    rows = []
    for name, sample in SAMPLES.items():
        tokens = tokens_of(sample.encode(), ranks)
        bytes_, characters = len(sample.encode()), len(sample)
        rows.append((name, characters, bytes_, len(tokens), round(len(tokens) / characters, 2)))
    columns = ("text", "characters", "bytes", "tokens", "tokens per character")
    yield Table(f"What a text costs, vocabulary of {256 + len(merges)}", columns, tuple(rows))
    english = tokens_of(SAMPLES["English"].encode(), ranks)
    yield Note("English in tokens: " + "|".join(decode([token], spelled).decode("latin1") for token in english))

    strings = [rng.randbytes(rng.randrange(1, LENGTH + 1)) for _ in range(STRINGS)]
    strings += [*AWKWARD, *(sample.encode() for sample in SAMPLES.values()), unseen]
    exact = sum(decode(tokens_of(string, ranks), spelled) == string for string in strings)
    if config.break_:
        missing = 256 - len(known)
        yield Note(f"--break: {missing} of the 256 bytes do not occur in the training text and are unknown.")

    rises = max(after - before for line in curves.values() for before, after in pairwise(line))
    yield Verdict(
        "Decoding the encoding gives back any bytes exactly, and tokens per byte never rises with the number of merges",
        holds=exact == len(strings) and rises <= 0,
        measured={
            "round_trips_exact": exact / len(strings),
            "largest_rise": rises,
            "tokens_per_byte_seen": curves["seen"][-1],
            "tokens_per_byte_unseen": curves["unseen"][-1],
            "merges": len(merges),
            "tokens_per_character_english": rows[0][4],
            "tokens_per_character_japanese": rows[2][4],
        },
    )


if __name__ == "__main__":
    main(run, Config)
