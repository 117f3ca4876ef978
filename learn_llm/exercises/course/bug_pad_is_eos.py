"""Find the bug: padding told by its token."""

from collections.abc import Iterator, Sequence
from random import Random

import torch

from learn_llm.examples import Batch, collate

TARGET = "learn_llm.examples:collate"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for rows, longest in ((1, 3), (2, 4), (3, 6), (4, 8)):
        yield {
            "prompts": [_ids(rng, rng.randint(1, longest)) for _ in range(rows)],
            "responses": [[*_ids(rng, rng.randint(0, longest)), 0] for _ in range(rows)],
        }
    yield {"prompts": [[5, 6], [7]], "responses": [[8, 0, 1, 0], [0, 0]]}
    yield {"prompts": [[5, 0, 6], [7, 7]], "responses": [[8, 0], [9, 9, 9, 0]]}


def _ids(rng: Random, count: int) -> list[int]:
    return [rng.choice([0, *range(1, 12)]) if rng.random() < 0.3 else rng.randint(1, 11) for _ in range(count)]


def wrong_by_token(
    prompts: Sequence[Sequence[int]], responses: Sequence[Sequence[int]], device: torch.device | str = "cpu"
) -> Batch:
    width = max(len(p) + len(r) for p, r in zip(prompts, responses, strict=True))
    tokens = torch.zeros(len(prompts), width, dtype=torch.long)
    in_response = torch.zeros(len(prompts), width, dtype=torch.long)
    for row, (prompt, response) in enumerate(zip(prompts, responses, strict=True)):
        tokens[row, : len(prompt) + len(response)] = torch.tensor([*prompt, *response])
        in_response[row, len(prompt) :] = 1
    attention = (tokens != 0).long()
    return Batch(tokens.to(device), attention.to(device), (in_response * attention).to(device))


def wrong_attention_by_token(
    prompts: Sequence[Sequence[int]], responses: Sequence[Sequence[int]], device: torch.device | str = "cpu"
) -> Batch:
    batch = collate(prompts, responses)
    return Batch(batch.tokens, (batch.tokens != 0).long(), batch.mask)


def wrong_mask_by_token(
    prompts: Sequence[Sequence[int]], responses: Sequence[Sequence[int]], device: torch.device | str = "cpu"
) -> Batch:
    batch = collate(prompts, responses)
    return Batch(batch.tokens, batch.attention, batch.mask * (batch.tokens != 0))


def wrong_end_lost(
    prompts: Sequence[Sequence[int]], responses: Sequence[Sequence[int]], device: torch.device | str = "cpu"
) -> Batch:
    batch = collate(prompts, responses)
    mask = batch.mask.clone()
    for row, (prompt, response) in enumerate(zip(prompts, responses, strict=True)):
        mask[row, len(prompt) + len(response) - 1] = 0
    return Batch(batch.tokens, batch.attention, mask)


def wrong_padding_learnt(
    prompts: Sequence[Sequence[int]], responses: Sequence[Sequence[int]], device: torch.device | str = "cpu"
) -> Batch:
    batch = collate(prompts, responses)
    return Batch(batch.tokens, batch.attention, ((batch.mask.cumsum(1) > 0) | (batch.attention == 0)).long())


def wrong_prompt_learnt(
    prompts: Sequence[Sequence[int]], responses: Sequence[Sequence[int]], device: torch.device | str = "cpu"
) -> Batch:
    batch = collate(prompts, responses)
    return Batch(batch.tokens, batch.attention, batch.attention)


START = wrong_by_token
