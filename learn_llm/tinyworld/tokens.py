"""The tiny world's tokenizer: one token a word, a mark or a line break, made with the `tokenizers` library.

In the world's own spelling tokens stand apart by single spaces and a line break is a token, too; `read` gives the
text as one would write it ("the hat belongs to mia."), `spell` the tokens of the world's spelling.
"""

from collections.abc import Sequence
from functools import cache

import tokenizers
from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers

from learn_llm.chat_format import TINY_TEMPLATE
from learn_llm.tinyworld import lexicon as lx
from learn_llm.tokenizer import Tokenizer

PAD, BOS, EOS, USER, ASSISTANT = SPECIAL = ("<pad>", "<bos>", "<eos>", "<|user|>", "<|assistant|>")
MARKS = ("\n", ".", ",", ":", "?")


@cache
def vocabulary() -> dict[str, int]:
    """Every token and its number; special tokens and marks first, so that their numbers stay what they are."""
    return {word: index for index, word in enumerate((*SPECIAL, *MARKS, *lx.vocabulary()))}


def build() -> tokenizers.Tokenizer:
    """The tokenizer as it is saved beside a checkpoint."""
    made = tokenizers.Tokenizer(models.WordLevel(vocabulary(), unk_token=PAD))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"\n|[a-z]+|[.,:?]"), behavior="removed", invert=True)
    cleaned: list[decoders.Decoder] = [decoders.WordPiece(prefix="##", cleanup=True), decoders.Fuse()]
    cleaned += [decoders.Replace(old, new) for old, new in ((" :", ":"), (" \n", "\n"), ("\n ", "\n"))]
    made.decoder = decoders.Sequence(cleaned)
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    return made


def encode(text: str) -> list[int]:
    """Token numbers of a text in the world's spelling: a plain look-up, equal to the tokenizer's and faster."""
    known = vocabulary()
    return [known[word] for word in text.split(" ") if word]


def spell(ids: Sequence[int]) -> str:
    """The world's spelling of token numbers, special tokens left out: what writers write and the rubric reads."""
    words = tuple(vocabulary())
    return " ".join(words[index] for index in ids if index >= len(SPECIAL))


def tokenizer() -> Tokenizer:
    """The tokenizer as checkpoints carry it."""
    return Tokenizer(build(), bos=BOS, eos=EOS, pad=PAD, chat_template=TINY_TEMPLATE)
