"""How many weights a Llama has."""

from collections.abc import Iterator
from random import Random
from types import SimpleNamespace

TARGET = "learn_llm.gpt_config:GPTConfig.num_parameters"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for tied in (False, True, False, True):
        shared, groups, head = rng.randint(2, 4), rng.randint(2, 4), rng.choice([4, 8, 16])
        yield {
            "self": SimpleNamespace(
                vocab_size=rng.randint(50, 400),
                hidden_size=shared * groups * head,
                intermediate_size=rng.randint(30, 200),
                num_hidden_layers=rng.randint(2, 6),
                num_attention_heads=shared * groups,
                num_key_value_heads=shared,
                head_size=head if tied else 2 * head,  # a size of its own: H · hd need not be D
                tie_word_embeddings=tied,
            )
        }


def _count(
    self: SimpleNamespace, matrices: int = 3, norms: int = 2, last: int = 1, head: bool | None = None
) -> tuple[int, int]:
    """Of a layer without its attention, and of all the rest."""
    d = int(self.hidden_size)
    untied = not self.tie_word_embeddings if head is None else head
    return d * (matrices * int(self.intermediate_size) + norms), d * ((1 + untied) * int(self.vocab_size) + last)


def _attention(self: SimpleNamespace) -> int:
    return 2 * int(self.hidden_size * self.head_size * (self.num_attention_heads + self.num_key_value_heads))


def wrong_head_forgotten(self: SimpleNamespace) -> int:
    layer, rest = _count(self, head=False)
    return int(self.num_hidden_layers) * (layer + _attention(self)) + rest


def wrong_tied_twice(self: SimpleNamespace) -> int:
    layer, rest = _count(self, head=True)
    return int(self.num_hidden_layers) * (layer + _attention(self)) + rest


def wrong_two_matrices(self: SimpleNamespace) -> int:
    layer, rest = _count(self, matrices=2)
    return int(self.num_hidden_layers) * (layer + _attention(self)) + rest


def wrong_no_groups(self: SimpleNamespace) -> int:
    layer, rest = _count(self)
    attention = 4 * int(self.hidden_size * self.head_size * self.num_attention_heads)
    return int(self.num_hidden_layers) * (layer + attention) + rest


def wrong_square_attention(self: SimpleNamespace) -> int:
    layer, rest = _count(self)
    return int(self.num_hidden_layers) * (layer + 4 * int(self.hidden_size) ** 2) + rest


def wrong_no_output(self: SimpleNamespace) -> int:
    layer, rest = _count(self)
    output = int(self.hidden_size * self.head_size * self.num_attention_heads)
    return int(self.num_hidden_layers) * (layer + _attention(self) - output) + rest


def wrong_no_norms(self: SimpleNamespace) -> int:
    layer, rest = _count(self, norms=0, last=0)
    return int(self.num_hidden_layers) * (layer + _attention(self)) + rest


def wrong_no_final_norm(self: SimpleNamespace) -> int:
    layer, rest = _count(self, last=0)
    return int(self.num_hidden_layers) * (layer + _attention(self)) + rest


def wrong_one_norm(self: SimpleNamespace) -> int:
    layer, rest = _count(self, norms=1)
    return int(self.num_hidden_layers) * (layer + _attention(self)) + rest


def wrong_norms_with_bias(self: SimpleNamespace) -> int:
    layer, rest = _count(self, norms=4, last=2)
    return int(self.num_hidden_layers) * (layer + _attention(self)) + rest


def wrong_one_layer(self: SimpleNamespace) -> int:
    layer, rest = _count(self)
    return layer + _attention(self) + rest
