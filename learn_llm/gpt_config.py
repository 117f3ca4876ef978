"""The shape of a model: how wide, how deep, how long a context.  The field names are those of Hugging Face."""

from dataclasses import dataclass, replace
from typing import Any

from learn_llm.errors import UserError


@dataclass(frozen=True)
class RopeScaling:
    """How Llama 3.1 and later stretch the rotary wavelengths to reach a longer context."""

    factor: float
    """How much slower the slow rotations turn."""
    low_freq_factor: float
    """Pairs that turn fewer times than this within the original context are slowed by the whole factor."""
    high_freq_factor: float
    """Pairs that turn more often than this are left alone; between the two it blends."""
    original_max_position_embeddings: int
    """The context that the model was first trained with."""


@dataclass(frozen=True)
class GPTConfig:
    """The shape of one model.  Raises UserError where the numbers do not fit together."""

    vocab_size: int
    """V: how many tokens there are."""
    hidden_size: int = 128
    """D: the width of the residual stream."""
    intermediate_size: int = 344
    """The width inside the feed-forward network, by custom about 8/3 of D."""
    num_hidden_layers: int = 4
    """L"""
    num_attention_heads: int = 4
    """H: query heads."""
    num_key_value_heads: int = 4
    """K: key and value heads, a divisor of H; fewer than H is grouped-query attention."""
    head_dim: int | None = None
    """hd; None: D / H."""
    max_position_embeddings: int = 512
    """The context: the longest sequence that the model takes."""
    rms_norm_eps: float = 1e-5
    """Keeps RMSNorm from dividing by zero."""
    rope_theta: float = 10000.0
    """The base of the rotary wavelengths: the longest is about 2π · theta positions."""
    rope_scaling: RopeScaling | None = None
    """Llama 3's stretched wavelengths; None: plain."""
    tie_word_embeddings: bool = True
    """The head is the embedding matrix itself."""
    bos_token_id: int | None = None
    """The token that begins a text."""
    eos_token_id: int | tuple[int, ...] | None = None
    """The token, or tokens, that end a response."""
    pad_token_id: int | None = None
    """The token that fills a batch up."""

    def __post_init__(self) -> None:
        for name in ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "max_position_embeddings"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} must be at least 1, not {getattr(self, name)}")
        heads, shared = self.num_attention_heads, self.num_key_value_heads
        if heads < 1 or shared < 1 or heads % shared:
            raise UserError(f"num_attention_heads ({heads}) must be a multiple of num_key_value_heads ({shared})")
        if self.head_dim is None and self.hidden_size % heads:
            raise UserError(f"hidden_size ({self.hidden_size}) must be a multiple of num_attention_heads ({heads})")
        if self.head_size < 2 or self.head_size % 2:
            raise UserError(f"the head size must be even for rotary positions, not {self.head_size}")

    @property
    def head_size(self) -> int:
        """hd: the size of one attention head."""
        return self.head_dim if self.head_dim is not None else self.hidden_size // self.num_attention_heads

    @property
    def eos_ids(self) -> tuple[int, ...]:
        """Every token that ends a response; Llama 3 has several."""
        if self.eos_token_id is None:
            return ()
        return (self.eos_token_id,) if isinstance(self.eos_token_id, int) else self.eos_token_id

    @property
    def num_parameters(self) -> int:
        """How many weights such a model has, a tied embedding counted once.

        >>> GPTConfig.of_size("tiny", vocab_size=1000).num_parameters
        1047680
        """
        queries, keys = self.num_attention_heads * self.head_size, self.num_key_value_heads * self.head_size
        layer = 2 * (queries + keys) + 3 * self.intermediate_size + 2  # matrices and norms, in rows of D
        embeddings = (1 if self.tie_word_embeddings else 2) * self.vocab_size
        return self.hidden_size * (self.num_hidden_layers * layer + embeddings + 1)

    def kv_cache_bytes(self, tokens: int, bytes_per_number: int = 2) -> int:
        """What the keys and values of one sequence of so many tokens take; 2 bytes a number in fp16 and bf16.

        2 (K and V) · L · K heads · hd numbers a token: grouped-query attention divides it by H / K.

        >>> GPTConfig.of_size("tiny", vocab_size=1000).kv_cache_bytes(512)
        1048576
        """
        return 2 * self.num_hidden_layers * self.num_key_value_heads * self.head_size * tokens * bytes_per_number

    @classmethod
    def of_size(cls, name: str, vocab_size: int, **overrides: Any) -> "GPTConfig":
        """A configuration from `SIZES`; `overrides` replace single fields.

        >>> GPTConfig.of_size("tiny", vocab_size=1000, max_position_embeddings=64).hidden_size
        128
        """
        if name not in SIZES:
            raise UserError(f"no size is called {name!r}; there are {', '.join(SIZES)}")
        return replace(cls(vocab_size), **{**SIZES[name], **overrides})


def _size(hidden: int, intermediate: int, layers: int, heads: int) -> dict[str, Any]:
    return {
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "tie_word_embeddings": False,
    }


SIZES: dict[str, dict[str, Any]] = {  # parameters with a vocabulary of 1,000 words
    "nano": _size(64, 176, layers=3, heads=2),  # 0.28M
    "micro": _size(96, 256, layers=3, heads=3),  # 0.52M
    "tiny": _size(128, 344, layers=4, heads=4),  # 1.05M
    "small": _size(384, 1024, layers=8, heads=6),  # 14.9M
    "base": _size(768, 2048, layers=12, heads=12),  # 86.5M
}
