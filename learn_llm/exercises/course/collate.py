"""Prompts with their responses as one batch to train on."""

from collections.abc import Iterator, Sequence
from random import Random

import torch
from torch import Tensor

from learn_llm.examples import Batch

TARGET = "learn_llm.examples:collate"
Rows = Sequence[Sequence[int]]


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for lengths in (((2, 2),), ((2, 3), (4, 1), (1, 2)), ((3, 3), (3, 2)), ((5, 1), (2, 6), (3, 3), (4, 2))):
        yield {
            "prompts": [[rng.randint(2, 9) for _ in range(n)] for n, _ in lengths],
            "responses": [[*(rng.randint(2, 9) for _ in range(m - 1)), 1] for _, m in lengths],  # 1 is EOS
        }
    yield {"prompts": [[0, 5], [4, 0, 6]], "responses": [[rng.randint(2, 9), 0, 1], [1]]}  # 0 is a word as well


def _batch(prompts: Rows, responses: Rows, left: bool = False) -> tuple[Tensor, Tensor]:
    """The tokens, and where each row begins."""
    rows = [[*prompt, *response] for prompt, response in zip(prompts, responses, strict=True)]
    width = max(map(len, rows))
    starts = torch.tensor([width - len(row) if left else 0 for row in rows])
    full = [
        [0] * start + row + [0] * (width - start - len(row)) for start, row in zip(starts.tolist(), rows, strict=True)
    ]
    return torch.tensor(full), starts


def _span(starts: Tensor, ends: Tensor, width: int) -> Tensor:
    places = torch.arange(width)
    return ((places >= starts[:, None]) & (places < ends[:, None])).long()


def _lengths(rows: Rows) -> Tensor:
    return torch.tensor([len(row) for row in rows])


def _made(prompts: Rows, responses: Rows, first: int = 0, last: int = 0, left: bool = False) -> Batch:
    """As it should be, with the first and the last place of the mask moved."""
    tokens, starts = _batch(prompts, responses, left)
    asked, ends = starts + _lengths(prompts), starts + _lengths(prompts) + _lengths(responses)
    width = tokens.shape[1]
    return Batch(tokens, _span(starts, ends, width), _span(asked + first, ends + last, width))


def wrong_left_padded(prompts: Rows, responses: Rows, device: torch.device | str = "cpu") -> Batch:
    return _made(prompts, responses, left=True)


def wrong_prompt_too(prompts: Rows, responses: Rows, device: torch.device | str = "cpu") -> Batch:
    batch = _made(prompts, responses)
    return Batch(batch.tokens, batch.attention, batch.attention)


def wrong_no_eos(prompts: Rows, responses: Rows, device: torch.device | str = "cpu") -> Batch:
    return _made(prompts, responses, last=-1)


def wrong_shifted(prompts: Rows, responses: Rows, device: torch.device | str = "cpu") -> Batch:
    return _made(prompts, responses, first=-1, last=-1)


def wrong_first_token_lost(prompts: Rows, responses: Rows, device: torch.device | str = "cpu") -> Batch:
    return _made(prompts, responses, first=1)


def wrong_one_too_early(prompts: Rows, responses: Rows, device: torch.device | str = "cpu") -> Batch:
    return _made(prompts, responses, first=-1)


def wrong_padding_too(prompts: Rows, responses: Rows, device: torch.device | str = "cpu") -> Batch:
    return _made(prompts, responses, last=1000)


def wrong_attention_all(prompts: Rows, responses: Rows, device: torch.device | str = "cpu") -> Batch:
    batch = _made(prompts, responses)
    return Batch(batch.tokens, torch.ones_like(batch.tokens), batch.mask)


def wrong_attention_from_tokens(prompts: Rows, responses: Rows, device: torch.device | str = "cpu") -> Batch:
    batch = _made(prompts, responses)
    return Batch(batch.tokens, (batch.tokens != 0).long(), batch.mask)


def wrong_attention_is_mask(prompts: Rows, responses: Rows, device: torch.device | str = "cpu") -> Batch:
    batch = _made(prompts, responses)
    return Batch(batch.tokens, batch.mask, batch.mask)


def wrong_padded_between(prompts: Rows, responses: Rows, device: torch.device | str = "cpu") -> Batch:
    """Each side padded by itself, then put together."""
    parts = []
    for rows in (prompts, responses):
        width = max(map(len, rows))
        ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows])
        parts.append((ids, _span(torch.zeros(len(rows), dtype=torch.long), _lengths(rows), width)))
    (asked, asked_real), (said, said_real) = parts
    mask = torch.cat((torch.zeros_like(asked), said_real), dim=1)
    return Batch(torch.cat((asked, said), dim=1), torch.cat((asked_real, said_real), dim=1), mask)
