"""Absmax and NF4: codes and scales by blocks."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor

from learn_llm.exercises.inputs import normal
from learn_llm.minimal_impls.quantise import BITS, NF4, Format, Quantised, quantise

TARGET = "learn_llm.minimal_impls.quantise:quantise"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for format in ("int8", "nf4", "int4", "int3", "int2"):
        for shape, block in (((3, 8), 8), ((5, 7), 4)):
            weight = normal(rng, *shape)
            weight.view(-1)[1::4].abs_()  # no block is all negative
            weight[0, 0] = -4.0  # the largest of its block is
            yield {"weight": weight, "format": format, "block": block}
    yield {"weight": normal(rng, 2, 5), "format": "nf4"}


def _absmax(weight: Tensor, format: Format, block: int) -> tuple[Tensor, Tensor]:
    flat = weight.flatten()
    blocks = F.pad(flat, (0, -len(flat) % block)).view(-1, block)
    return blocks, blocks.abs().amax(1, keepdim=True)


def wrong_full_range(weight: Tensor, format: Format, block: int = 64) -> Quantised:
    if format == "nf4":
        return quantise(weight, format, block)
    blocks, largest = _absmax(weight, format, block)
    scales = largest / 2 ** (BITS[format] - 1)
    return Quantised((blocks / scales).round().to(torch.int8), scales, weight.shape, format)


def wrong_all_bits(weight: Tensor, format: Format, block: int = 64) -> Quantised:
    if format == "nf4":
        return quantise(weight, format, block)
    blocks, largest = _absmax(weight, format, block)
    scales = largest / (2 ** BITS[format] - 1)
    return Quantised((blocks / scales).round().to(torch.int8), scales, weight.shape, format)


def wrong_one_scale(weight: Tensor, format: Format, block: int = 64) -> Quantised:
    blocks, largest = _absmax(weight, format, block)
    whole = quantise(blocks.flatten(), format, blocks.numel())
    return Quantised(whole.codes.view_as(blocks), whole.scales.expand_as(largest), weight.shape, format)


def wrong_truncated(weight: Tensor, format: Format, block: int = 64) -> Quantised:
    if format == "nf4":
        return quantise(weight, format, block)
    blocks, largest = _absmax(weight, format, block)
    scales = largest / (2 ** (BITS[format] - 1) - 1)
    return Quantised((blocks / scales * (1 + 1e-6)).trunc().to(torch.int8), scales, weight.shape, format)


def wrong_signed_largest(weight: Tensor, format: Format, block: int = 64) -> Quantised:
    blocks, _ = _absmax(weight, format, block)
    largest = blocks.amax(1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
    if format == "nf4":
        levels = torch.tensor(NF4)
        codes = torch.bucketize(blocks / largest, (levels[1:] + levels[:-1]) / 2)
        return Quantised(codes.to(torch.int8), largest, weight.shape, format)
    scales = largest / (2 ** (BITS[format] - 1) - 1)
    return Quantised((blocks / scales).round().to(torch.int8), scales, weight.shape, format)


def wrong_level_above(weight: Tensor, format: Format, block: int = 64) -> Quantised:
    if format != "nf4":
        return quantise(weight, format, block)
    blocks, largest = _absmax(weight, format, block)
    codes = torch.bucketize(blocks / largest, torch.tensor(NF4)).clamp(max=15)
    return Quantised(codes.to(torch.int8), largest, weight.shape, format)


def wrong_nf4_even(weight: Tensor, format: Format, block: int = 64) -> Quantised:
    if format != "nf4":
        return quantise(weight, format, block)
    blocks, largest = _absmax(weight, format, block)
    codes = ((blocks / largest + 1) / 2 * 15).round()
    return Quantised(codes.to(torch.int8), largest, weight.shape, format)


def wrong_columns(weight: Tensor, format: Format, block: int = 64) -> Quantised:
    return replace(quantise(weight.T.contiguous(), format, block), shape=weight.shape)


def wrong_full_range_cut(weight: Tensor, format: Format, block: int = 64) -> Quantised:
    if format == "nf4":
        return quantise(weight, format, block)
    blocks, largest = _absmax(weight, format, block)
    limit = 2 ** (BITS[format] - 1)
    codes = (blocks / (largest / limit)).round().clamp(-limit, limit - 1)
    return Quantised(codes.to(torch.int8), largest / limit, weight.shape, format)
