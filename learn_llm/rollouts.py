"""Responses that a model samples, and what it thought of each token of them.

What every method needs that learns from its own samples (PPO, GRPO, REINFORCE, best-of-n) or is judged by them.
"""

import importlib
import math
import statistics
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from learn_llm import parallel
from learn_llm.errors import UserError
from learn_llm.examples import Encoder, Prompt, Split, collate, parts
from learn_llm.gpt import GPT
from learn_llm.sampling import left_pad
from learn_llm.tinyworld import rubric, tokens
from learn_llm.training import Setup, torch_generator

CHUNK = 256


@dataclass(frozen=True)
class Response:
    """What a model answered."""

    prompt: Prompt
    ids: tuple[int, ...]
    """The sampled tokens; the last one is EOS where the response ended by itself."""
    ended: bool

    @cached_property
    def spelled(self) -> str:
        """The response in the tiny world's spelling, without EOS."""
        return tokens.spell(self.ids)

    @cached_property
    def skills(self) -> Mapping[str, int]:
        """The rubric's scores of the item's skills, 1 to 5; nothing outside the tiny world."""
        return rubric.score(self.prompt.item, self.spelled) if self.prompt.item else {}

    @property
    def gold(self) -> float:
        """The gold score, in [-1, 1]; tiny world only."""
        return (statistics.fmean(self.skills.values()) - 3) / 2


@torch.no_grad()
def respond(
    setup: Setup,
    model: GPT,
    prompts: Sequence[Prompt],
    max_new_tokens: int,
    temperature: float = 1.0,
    purpose: str = "evaluation",
    step: int = 0,
) -> list[Response]:
    """One response to each prompt, in their order; the draws depend on seed, purpose and step alone.

    Of several processes each answers its own prompts with draws of its own, and all get all responses.
    """
    generator = torch_generator(setup.config, f"{purpose} {parallel.index()}" if parallel.index() else purpose, step)
    ends = setup.encoder.eos_ids
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i].ids))  # prompts of like length go together
    mine: list[tuple[tuple[int, ...], bool]] = []
    for rows in parts(parallel.own(order), CHUNK):
        ids, attention = left_pad([prompts[i].ids for i in rows], 0, model.device)
        with setup.autocast():
            sampled = model.generate(
                ids,
                attention,
                max_new_tokens=max_new_tokens,
                temperature=temperature,
                eos_token_id=ends,
                generator=generator,
            )
        lengths = response_mask(sampled, ends).sum(1).tolist()
        mine += [(tuple(row[:n]), row[n - 1] in ends) for row, n in zip(sampled.tolist(), lengths, strict=True)]
    answered = dict(zip(order, parallel.gathered(mine), strict=True))
    return [Response(prompts[i], *answered[i]) for i in range(len(prompts))]


def about(prompts: Split[Prompt], setup: Setup) -> str:
    """What a run has to work on, in words; and a warning where one round of samples will take minutes."""
    said = f"{len(prompts.train):,} prompts, {len(prompts.held_out)} held out, {prompts.too_long} too long"
    parameters, batch = setup.model.num_parameters(), setup.config.batch_size
    if setup.device.type == "cpu" and parameters * batch > 2e9:
        said += f"; a round of {batch} responses takes minutes on a CPU: --batch-size 16 is quicker"
    return said


def response_mask(responses: Tensor, eos_ids: Sequence[int]) -> Tensor:
    """1 up to the first EOS, which counts, 0 behind it: (B, T) from sampled tokens (B, T).

    It does not look at the padding token, which may be the same as EOS.

    >>> response_mask(torch.tensor([[5, 2, 2], [5, 6, 7]]), eos_ids=[2])
    tensor([[1, 1, 0],
            [1, 1, 1]])
    """
    ends = torch.isin(responses, torch.tensor(list(eos_ids), device=responses.device)).long()
    return (ends.cumsum(1) - ends == 0).long()


Reward = Callable[[Sequence[Response]], list[float]]


def own_reward(name: str, encoder: Encoder) -> Reward:
    """Your own function as a reward: "module:function", f(prompts, responses, rows) -> one finite number a response.

    Raises:
        UserError: there is no such function, or it does not give that.

    Of several processes only the first one calls it: it need not say the same twice.
    """
    module, colon, function = name.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        score = getattr(importlib.import_module(module), function) if module and colon else None
    except ModuleNotFoundError as error:
        raise UserError(f"--reward {name}: there is no module {error.name} here") from None
    except AttributeError:
        raise UserError(f"--reward {name}: {module} has no function {function}") from None
    if not callable(score):
        raise UserError(f"--reward {name}: give module:function, f(prompts, responses, rows) -> list of numbers")

    def asked(responses: Sequence[Response]) -> list[float]:
        rows = [dict(r.prompt.row) for r in responses]
        texts = [encoder.text(r.ids) for r in responses]
        try:
            given = score([r.prompt.text for r in responses], texts, rows)
        except Exception as error:  # whatever it is, it happened in their code
            where = traceback.extract_tb(error.__traceback__)[1:][-1:]
            line = f" ({where[0].filename}, line {where[0].lineno})" if where else ""
            called = f"--reward {name}, called as f(prompts, responses, rows), failed"
            raise UserError(f"{called}: {type(error).__name__}: {error}{line}") from error
        if not isinstance(given, list) or len(given) != len(responses):
            what = f"a list of {len(given)}" if isinstance(given, list) else type(given).__name__
            raise UserError(f"--reward {name} gave {what}, a list of {len(responses)} numbers is needed")
        for response, number in zip(responses, given, strict=True):
            if not isinstance(number, (int, float)) or not math.isfinite(number):
                raise UserError(f"--reward {name} gave {number!r} for the response {encoder.text(response.ids)!r}")
        return [float(number) for number in given]

    return lambda responses: parallel.from_first(lambda: asked(responses))


@dataclass(frozen=True)
class Actions:
    """Responses as actions of a policy: B rows, L tokens of prompt and response, T of the longest response."""

    tokens: Tensor
    """(B, L): prompt, response, padding."""
    starts: Tensor
    """(B,): where the response begins."""
    chosen: Tensor
    """(B, T): the response alone, on the left."""
    mask: Tensor
    """(B, T): 1 on its tokens, EOS among them, 0 on the padding behind."""

    def by_length(self, rows: Tensor, size: int) -> Sequence[Tensor]:
        """These rows in parts of at most `size` (0: one part), those of like length together, which saves padding."""
        if not len(rows):  # a process that has none of them
            return ()
        lengths = self.starts[rows] + self.mask[rows].sum(1)
        parts_of: tuple[Tensor, ...] = rows[lengths.argsort(stable=True).to(rows.device)].split(size or len(rows))
        return parts_of

    def rows(self, rows: Tensor) -> "Actions":
        """These rows (N,), cut to their own longest and one column more, where there is one."""
        starts, mask = self.starts[rows], self.mask[rows]
        lengths = mask.sum(1)
        width = int(lengths.max()) + 1
        return Actions(
            self.tokens[rows, : int((starts + lengths).max())], starts, self.chosen[rows, :width], mask[:, :width]
        )


def as_actions(responses: Sequence[Response], device: torch.device | str) -> Actions:
    """The responses as tensors."""
    prompts, ids = [r.prompt.ids for r in responses], [r.ids for r in responses]
    alone = collate([()] * len(ids), ids, device)
    starts = torch.tensor([len(prompt) for prompt in prompts], device=device)
    return Actions(collate(prompts, ids, device).tokens, starts, alone.tokens, alone.mask)


def action_logits(model: GPT, actions: Actions, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
    """What the model makes of each action: logits (B, T, V) divided by the temperature, and hidden states (B, T, D).

    The token before an action decides it, so its position gives the action's logits and the value of the state.
    Padding stands on the right, where a causal model cannot look, so no attention mask is needed.
    """
    at = actions.starts[:, None] - 1 + torch.arange(actions.chosen.shape[1], device=actions.tokens.device)
    hidden = model.hidden(actions.tokens)  # (B, L, D)
    at = at.clamp(max=hidden.shape[1] - 1)[..., None].expand(-1, -1, hidden.shape[2])
    hidden = hidden.gather(1, at)  # (B, T, D)
    return model.lm_head(hidden).float() / temperature, hidden


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """The mean of x over the tokens whose mask is 1, a scalar.

    >>> masked_mean(torch.tensor([[1.0, 3.0, 9.0]]), torch.tensor([[1, 1, 0]]))
    tensor(2.)
    """
    return (x * mask).sum() / mask.sum().clamp(min=1)


def action_logprobs(logits: Tensor, chosen: Tensor) -> Tensor:
    """log π of the actions, (B, T) in nats, from logits (B, T, V).

    >>> action_logprobs(torch.tensor([[[0.9, 0.1]]]).log(), torch.tensor([[1]])).exp()
    tensor([[0.1000]])
    """
    return logits.log_softmax(-1).gather(-1, chosen[..., None]).squeeze(-1)


def entropy(logits: Tensor) -> Tensor:
    """The entropy of each position's distribution, (B, T) in nats, from logits (B, T, V).

    >>> entropy(torch.zeros(1, 1, 2))
    tensor([[0.6931]])
    """
    logprobs = logits.log_softmax(-1)
    return -(logprobs.exp() * logprobs).sum(-1)


@torch.no_grad()
def judged(setup: Setup, model: GPT, actions: Actions, temperature: float, size: int) -> tuple[Tensor, Tensor]:
    """log π of each action and the entropy where it was taken, (B, T) each in nats, 0 behind the response.

    At most `size` responses at once, without gradient: what a policy or a reference made of its samples.
    """
    logprobs, entropies = torch.zeros(2, *actions.mask.shape, device=actions.mask.device)
    for rows in actions.by_length(parallel.own(torch.arange(len(actions.mask))), size):
        part = actions.rows(rows)
        with setup.autocast():
            logits, _ = action_logits(model, part, temperature)
        seen = rows[:, None], torch.arange(part.mask.shape[1])
        logprobs[seen] = action_logprobs(logits, part.chosen) * part.mask
        entropies[seen] = entropy(logits) * part.mask
    return parallel.summed(logprobs), parallel.summed(entropies)


@torch.no_grad()
def mean_kl(model: GPT, reference: GPT, responses: Sequence[Response]) -> float:
    """KL(model ‖ reference) in nats a response: exact per token, summed over `model`'s own responses."""
    total = 0.0
    for some in parts(parallel.own(responses), 64):
        actions = as_actions(some, model.device)
        ours, theirs = (action_logits(m, actions)[0].log_softmax(-1) for m in (model, reference))
        total += float(((ours.exp() * (ours - theirs)).sum(-1) * actions.mask).sum())
    return parallel.added({"kl": total})["kl"] / len(responses)
