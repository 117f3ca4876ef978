"""What a quantised weight costs."""

from collections.abc import Iterator
from random import Random

from learn_llm.minimal_impls.quantise import BITS, Format

TARGET = "learn_llm.minimal_impls.quantise:bits_per_weight"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for format in ("int8", "nf4", "int3"):
        for double in (False, True):
            yield {"format": format, "block": rng.choice([16, 32, 128]), "double": double}
    yield {"format": "int4", "block": rng.choice([16, 64])}


def wrong_codes_only(format: Format, block: int, double: bool = False) -> float:
    return BITS[format]


def wrong_no_double(format: Format, block: int, double: bool = False) -> float:
    return BITS[format] + 32 / block


def wrong_scales_unshared(format: Format, block: int, double: bool = False) -> float:
    return BITS[format] + ((8 + 32) / block if double else 32 / block)


def wrong_second_scale_free(format: Format, block: int, double: bool = False) -> float:
    return BITS[format] + (8 / block if double else 32 / block)


def wrong_scale_each(format: Format, block: int, double: bool = False) -> float:
    return BITS[format] + (8 + 32 / 256 if double else 32)


def wrong_half_scales(format: Format, block: int, double: bool = False) -> float:
    return BITS[format] + ((8 + 16 / 256) / block if double else 16 / block)
