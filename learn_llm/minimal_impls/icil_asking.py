"""How icil.py asks: the prefix is computed once, each question once, and its answers branch off from there.

    prefix          one row of keys and values, which all questions look at where they are (`kv_cache.py`)
    question        its own tokens only, once
    answers         token by token, and every option of the question, from the same place

So each token is computed once: that of the prefix for all questions, that of a question for its answer and its options.
"""

import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from learn_llm.examples import parts
from learn_llm.gpt import GPT
from learn_llm.kv_cache import KVCache
from learn_llm.minimal_impls.icil_scores import Judged, plain, rouge_l
from learn_llm.minimal_impls.icil_tasks import Question, Sheet
from learn_llm.sampling import left_pad

CHUNK = 64
"""Questions at once."""


@torch.no_grad()
def computed(model: GPT, prefix: Sequence[int]) -> KVCache:
    """The keys and values of a text, for one row."""
    cache = model.new_cache(1, len(prefix))
    model.hidden(torch.tensor([list(prefix)], device=model.device), cache=cache)
    return cache


@dataclass(frozen=True)
class Read:
    """Questions that the model has read."""

    hidden: Tensor
    """(B, D), behind the last token of each."""
    cache: KVCache


@torch.no_grad()
def read(model: GPT, questions: Sequence[Sequence[int]], prefix: KVCache | None, room: int) -> Read:
    """Read the questions behind the prefix, with room for so many tokens more."""
    ids, real = left_pad(questions, 0, model.device)
    past = prefix.length if prefix is not None else 0
    cache = model.new_cache(len(ids), past + ids.shape[1] + room, prefix)
    return Read(model.hidden(ids, real, cache)[:, -1], cache)


@torch.no_grad()
def greedy(model: GPT, asked: Read, stops: Sequence[int], max_new_tokens: int) -> list[list[int]]:
    """The likeliest answer to each question, token by token up to a stop, which is not part of it."""
    hidden, cache = asked.hidden, asked.cache.branch(torch.arange(len(asked.hidden), device=model.device))
    going, found = list(range(len(hidden))), [list[int]() for _ in hidden]
    for step in range(max_new_tokens):
        best = model.lm_head(hidden).argmax(-1)  # (B',)
        said = best.tolist()
        stay = [row for row, token in enumerate(said) if token not in stops]
        for row in stay:
            found[going[row]].append(said[row])
        if step + 1 == max_new_tokens or not stay:
            break
        if len(stay) < len(going):  # who has ended costs nothing any more
            kept = torch.tensor(stay, device=model.device)
            cache.keep(kept)
            best, going = best[kept], [going[row] for row in stay]
        hidden = model.hidden(best[:, None], None, cache)[:, -1]
    return found


@torch.no_grad()
def likelihoods(model: GPT, asked: Read, rows: Sequence[int], answers: Sequence[Sequence[int]]) -> list[float]:
    """log p(answer | question) in nats, for each answer (at least one token) to the question of that row."""
    at = torch.tensor(rows, device=model.device)
    width = max(map(len, answers))
    ids = torch.tensor([[*answer, *[0] * (width - len(answer))] for answer in answers], device=model.device)
    hidden = asked.hidden[at][:, None]  # (N, 1, D): what it makes of the first token
    if width > 1:  # padding stands behind, where nobody looks
        hidden = torch.cat((hidden, model.hidden(ids[:, :-1], None, asked.cache.branch(at))), dim=1)
    logprobs = model.lm_head(hidden).float().log_softmax(-1).gather(-1, ids[..., None]).squeeze(-1)  # (N, width)
    lengths = torch.tensor([len(answer) for answer in answers], device=model.device)
    mask = torch.arange(width, device=model.device) < lengths[:, None]
    found: list[float] = (logprobs * mask).sum(1).tolist()
    return found


def judge(model: GPT, sheet: Sheet, prefix: Sequence[int], questions: Sequence[Question], most: int) -> list[Judged]:
    """Answer the questions behind the prefix, and judge the answers."""
    cache = computed(model, prefix) if prefix else None
    asked = [sheet.question(question) for question in questions]
    longest = max([most, *(len(sheet.answer(option)) for question in questions for option in question.options)])
    found: dict[int, Judged] = {}
    for some in parts(sorted(range(len(asked)), key=lambda i: len(asked[i])), CHUNK):
        done = read(model, [asked[i] for i in some], cache, longest)
        answers = greedy(model, done, sheet.stops, most)
        pairs = [(row, option) for row, i in enumerate(some) for option in questions[i].options]
        scores: dict[tuple[int, str], float] = {}
        for few in parts(pairs, CHUNK):
            texts = [sheet.answer(option) for _, option in few]
            scores |= dict(zip(few, likelihoods(model, done, [row for row, _ in few], texts), strict=True))
        for row, (i, ids) in enumerate(zip(some, answers, strict=True)):
            text, question = sheet.text(ids), questions[i]
            right = plain(text) in map(plain, question.outputs)
            rouge = max(rouge_l(text, output) for output in question.outputs)
            valid = likeliest = None
            if question.options:
                valid = plain(text) in map(plain, question.options)
                likeliest = max(question.options, key=lambda option: scores[row, option]) in question.outputs
            found[i] = Judged(text, right, rouge, valid, likeliest)
    return [found[i] for i in range(len(questions))]


def timed(
    model: GPT, sheet: Sheet, prefix: Sequence[int], questions: Sequence[Question], most: int, count: int
) -> dict[str, float]:
    """Questions per second with the prefix computed once, over all of them, and computed for each, over some `count`.

    Also the share of those that are answered alike.
    """
    asked = sorted((sheet.question(question) for question in questions), key=len)
    every = max(1, len(asked) // count)
    per_second, answers = [], []
    for texts, shared in ((asked, prefix), ([[*prefix, *question] for question in asked[::every]], ())):
        begin = time.perf_counter()
        cache = computed(model, shared) if shared else None
        done = (greedy(model, read(model, some, cache, most), sheet.stops, most) for some in parts(texts, CHUNK))
        answers.append(list(itertools.chain.from_iterable(done)))
        per_second.append(len(texts) / (time.perf_counter() - begin))
    return {
        "queries_per_second": per_second[0],
        "queries_per_second_uncached": per_second[1],
        "cache_speedup": per_second[0] / per_second[1],
        "same_answers": statistics.fmean(a == b for a, b in zip(answers[0][::every], answers[1], strict=True)),
    }
