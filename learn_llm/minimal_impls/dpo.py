"""Direct Preference Optimization (DPO): learn from preference pairs with a classification loss.

No reward model and no sampling.  The best policy for a reward r at a price of β per nat of KL is π ∝ π_ref·exp(r / β).
Solved for r, every policy is the best one for some reward, r = β·log(π / π_ref), the same constant added for all
responses to a prompt; so the policy is trained as the reward model that it is:

    Δ = log π(y|x) - log π_ref(y|x)
    L = -log σ(β·(Δ_chosen - Δ_rejected))                         (Rafailov et al. 2023, arXiv 2305.18290, Eq. 7)

It takes the place of steps 2 and 3 of RLHF.  [TRL] is TRL 1.16.

Implementation details
  1. Log-probabilities are summed over the response and its EOS (paper, its code, [TRL]).  `--log-ratio mean` divides
     by the length: a different objective, in which β means something else.
  2. The log-probabilities of the reference are computed once, before training: the reference never changes.
  3. Chosen and rejected go through one forward pass: the same result as two, in less time.
  4. `--loss ipo` pulls the difference towards 1/(2β) instead of pushing it on for ever (Azar et al. 2023, arXiv
     2310.12036, Eq. 17): with DPO a pair whose label is certain has no finite optimum.  There [TRL] divides Δ by the
     length of its response, and says that the authors did, too; the equation, and the code of DPO's authors, do not.
  5. `--label-smoothing ε` says that a share ε of the labels is wrong: -(1 - ε)·log σ(h) - ε·log σ(-h), which has a
     finite optimum again (cDPO, Mitchell 2023).  `--loss robust` takes (1 - ε) and -ε, over 1 - 2ε: with labels wrong
     that often its mean is the loss on the right labels (Chowdhury et al. 2024, arXiv 2403.00409, Eq. 8; [TRL]).
  6. The pairs are those that a reward model learns from (reward_model.py, detail 7): same prompts, same annotators.
  7. The chosen reward, β·Δ_chosen, may fall while the margin grows: the loss sees the difference alone.
  8. No dropout: it would make Δ noisy.
Left out: other divergences (f-DPO), a loss on the chosen response beside (RPO), new pairs from the policy (online DPO).

    python -m learn_llm.minimal_impls.dpo                                           # tiny world; --full: every loss
    python -m learn_llm.minimal_impls.dpo --model smollm2 --data pairs.jsonl --out dpo
"""

import copy
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from learn_llm.errors import UserError
from learn_llm.evaluation import compare_with_start, curves, share_interval
from learn_llm.events import Event, Metrics, Note, Stage, Table, Verdict
from learn_llm.examples import File, Pair, Split, World, batch_indices, collate, parts
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import reward_model
from learn_llm.minimal_impls.lora_rank import LoRAConfig, with_lora
from learn_llm.minimal_impls.variants import full
from learn_llm.parallel import own
from learn_llm.running import main
from learn_llm.tinyworld import annotators
from learn_llm.training import Optimiser, Progress, Setup, generator, prepare, token_logprobs


@dataclass(frozen=True)
class Config(LoRAConfig):
    """How DPO runs.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The policy at its start, and the reference: a bundled name, a folder, or a hub name of the Llama family."""
    steps: int = 50
    """Optimiser steps."""
    batch_size: int = 64
    """Pairs a step."""
    micro_batch_size: int = 16
    """Pairs that go through the model at once, those of like length together; changes no number."""
    learning_rate: float = 5e-4
    """Peak of the schedule, AdamW."""
    beta: float = 0.3
    """β, the price of a nat of KL: the smaller, the further the policy goes from the reference."""
    loss: Literal["sigmoid", "robust", "ipo"] = "sigmoid"
    """DPO's own loss, the one that corrects for wrong labels (5), or IPO's (4)."""
    label_smoothing: float = 0.0
    """ε, the share of the labels that is taken to be wrong (5)."""
    log_ratio: Literal["auto", "sum", "mean"] = "auto"
    """Over the tokens of a response; "auto": the mean for IPO (4), else the sum (1)."""
    pairs: int = 3_200
    """How many pairs the tiny world's annotators label."""
    pairs_from: Literal["mixed", "edits", "people", "model"] = "mixed"
    """Who wrote the responses of the tiny world's pairs (6)."""
    noise: float = annotators.NOISE
    """How noisy the annotators are: P(a preferred) = σ((gold_a - gold_b) / noise)."""
    held_out_pairs: int = 512
    """Pairs to measure the implicit reward on."""
    max_new_tokens: int = 40
    """The longest response when a model is asked."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "pairs", "held_out_pairs", "max_new_tokens")
        self.need(0, "noise", "label_smoothing")
        self.need_above_0("beta")
        if self.label_smoothing >= 0.5:
            raise UserError(f"--label-smoothing is a share below 0.5: at {self.label_smoothing} labels say nothing")
        if self.loss == "ipo" and self.label_smoothing:
            raise UserError("--loss ipo takes no --label-smoothing")


def sequence_logprobs(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    """Log-probability of each response under the model, summed over its tokens: (B,) in nats.

    Args:
        logits: (B, T, V), the model's output at every position.
        tokens: (B, T), the same batch that went in.
        mask: (B, T), 1 on response tokens and their EOS, 0 on prompt and padding.

    Position t predicts token t + 1, so the response of 2 tokens had probability 1/2 times 1/10:

    >>> logits = torch.tensor([[[0.5, 0.5], [0.9, 0.1], [0.5, 0.5]]]).log()
    >>> sequence_logprobs(logits, torch.tensor([[0, 1, 1]]), torch.tensor([[0, 1, 1]])).exp()
    tensor([0.0500])
    """
    return (token_logprobs(logits, tokens) * mask[:, 1:]).sum(1)


def averaged(config: Config) -> bool:
    """Whether log-probabilities are divided by the length of their response (details 1, 4)."""
    return config.log_ratio == "mean" or (config.log_ratio == "auto" and config.loss == "ipo")


def response_logprobs(config: Config, logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    """log π of each response, (B,), over its tokens as `--log-ratio` says: arguments as in `sequence_logprobs`.

    Two tokens of probability 1/2 and 1/10: summed for DPO, their mean for IPO (detail 4).

    >>> logits = torch.tensor([[[0.5, 0.5], [0.9, 0.1], [0.5, 0.5]]]).log()
    >>> tokens, mask = torch.tensor([[0, 1, 1]]), torch.tensor([[0, 1, 1]])
    >>> [response_logprobs(Config(loss=loss), logits, tokens, mask) for loss in ("sigmoid", "ipo")]
    [tensor([-2.9957]), tensor([-1.4979])]
    """
    logprobs = sequence_logprobs(logits, tokens, mask)
    return logprobs / mask.sum(1) if averaged(config) else logprobs


def dpo_loss(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    """-(1 - ε)·log σ(h) - ε·log σ(-h),  h = β·(Δ_chosen - Δ_rejected): arguments (B,) in nats, returns the mean.

    At the start policy and reference are the same, so the loss is log 2:

    >>> same = torch.tensor([-20.0])
    >>> dpo_loss(same, same, same, same, beta=0.1)
    tensor(0.6931)
    """
    h = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
    return (-(1 - label_smoothing) * F.logsigmoid(h) - label_smoothing * F.logsigmoid(-h)).mean()


def robust_loss(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    label_smoothing: float = 0.0,
) -> Tensor:
    """(-(1 - ε)·log σ(h) + ε·log σ(-h)) / (1 - 2ε): right in the mean where a share ε of the labels is wrong (5).

    Of four labels one is the wrong way round: the mean is DPO's loss on four right ones.

    >>> good, bad, none = torch.tensor([2.0, 2.0, 2.0, 0.0]), torch.tensor([0.0, 0.0, 0.0, 2.0]), torch.zeros(4)
    >>> robust_loss(good, bad, none, none, beta=1.0, label_smoothing=0.25)
    tensor(0.1269)
    >>> dpo_loss(good[:1], bad[:1], none[:1], none[:1], beta=1.0)
    tensor(0.1269)
    """
    h = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
    weighed = -(1 - label_smoothing) * F.logsigmoid(h) + label_smoothing * F.logsigmoid(-h)
    return weighed.mean() / (1 - 2 * label_smoothing)


def ipo_loss(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float) -> Tensor:
    """(Δ_chosen - Δ_rejected - 1/(2β))²: arguments (B,) in nats, returns the mean.  0 where the margin is 1/(2β).

    >>> zero = torch.zeros(1)
    >>> ipo_loss(torch.tensor([5.0]), zero, zero, zero, beta=0.1), ipo_loss(zero, zero, zero, zero, beta=0.1)
    (tensor(0.), tensor(25.))
    """
    return (((chosen - ref_chosen) - (rejected - ref_rejected)) - 1 / (2 * beta)).square().mean()


def pair_logprobs(setup: Setup, config: Config, model: GPT, pairs: Sequence[Pair]) -> tuple[Tensor, Tensor]:
    """log π of the chosen and of the rejected responses, (B,) each, in one pass (detail 3)."""
    responses = [pair.chosen for pair in pairs] + [pair.rejected for pair in pairs]
    batch = collate([pair.prompt.ids for pair in pairs] * 2, responses, setup.device)
    with setup.autocast():
        logits = model(batch.tokens)  # padded on the right, where a causal model cannot look
    chosen, rejected = response_logprobs(config, logits, batch.tokens, batch.mask).chunk(2)
    return chosen, rejected


def reference_logprobs(setup: Setup, config: Config, model: GPT, pairs: Mapping[int, Pair]) -> dict[int, Tensor]:
    """log π of both responses of each pair, (2,), chosen first, without gradient (detail 2)."""
    found: dict[int, Tensor] = {}
    for part in parts(by_length(pairs, pairs), config.micro_batch_size or config.batch_size):
        with torch.no_grad():
            both = torch.stack(pair_logprobs(setup, config, model, [pairs[i] for i in part]), dim=1)
        found |= dict(zip(part, both, strict=True))
    return found


def by_length(rows: Iterable[int], pairs: Mapping[int, Pair]) -> list[int]:
    """These rows, pairs of like length beside each other, which saves padding."""
    return sorted(rows, key=lambda i: len(pairs[i].prompt.ids) + max(len(pairs[i].chosen), len(pairs[i].rejected)))


def losses(config: Config, policy: tuple[Tensor, Tensor], reference: Tensor) -> dict[str, Tensor]:
    """The loss of some pairs and what is to be told of them: policy (B,) and (B,), reference (B, 2)."""
    (chosen, rejected), (ref_chosen, ref_rejected) = policy, reference.unbind(1)
    if config.loss == "ipo":
        loss = ipo_loss(chosen, rejected, ref_chosen, ref_rejected, config.beta)
    else:
        objective = robust_loss if config.loss == "robust" else dpo_loss
        loss = objective(chosen, rejected, ref_chosen, ref_rejected, config.beta, config.label_smoothing)
    rewards = config.beta * (torch.stack(policy, dim=1).detach() - reference)
    margins = rewards[:, 0] - rewards[:, 1]
    return {
        "loss": loss,
        "accuracy": (margins > 0).float().mean() + 0.5 * (margins == 0).float().mean(),
        "margin": margins.mean(),
        "chosen_reward": rewards[:, 0].mean(),
        "rejected_reward": rewards[:, 1].mean(),
    }


def preference_pairs(setup: Setup, config: Config) -> Split[Pair]:
    """The pairs of --data, or those that a reward model learns from (detail 6)."""
    if config.data:
        return File(setup.encoder, config.data, config.max_length).pairs()
    asked = reward_model.Config(pairs_from=config.pairs_from, max_new_tokens=config.max_new_tokens, seed=config.seed)
    writer = reward_model.writer(setup, asked)
    return World(setup.encoder, config.seed).pairs(config.pairs, config.held_out_pairs, config.noise, writer)


def run(config: Config) -> Iterator[Event]:
    """Train on preference pairs; the verdict compares responses to held-out prompts with those of the start."""
    if config.full:
        yield from full("dpo", run, config)
        return
    setup = with_lora(prepare(config), config.lora_rank)
    start = copy.deepcopy(setup.model).requires_grad_(False)  # π_ref
    yield Stage("pairs", 1, 3)
    data = preference_pairs(setup, config)
    yield Note(f"{len(data.train):,} pairs, {len(data.held_out):,} held out, {data.too_long} too long and left out")
    if len(data.train) < config.steps * config.batch_size:
        yield Note(f"fewer than the {config.steps * config.batch_size:,} that the steps take: they are read again")
    batches = [batch_indices(config.seed, len(data.train), config.batch_size, s) for s in range(1, config.steps + 1)]
    pairs = {i: data.train[i] for i in sorted({i for rows in batches for i in rows})}
    if config.break_:  # a coin labels the pairs
        coin = generator(config, "break")
        pairs = {i: _swapped(pair) if coin.random() < 0.5 else pair for i, pair in pairs.items()}
    reference = reference_logprobs(setup, config, start, pairs)

    yield Stage("DPO", 2, 3)
    optimiser = Optimiser([setup.model], config)
    with Progress(config, {"model": setup.model}, optimiser, setup.save) as progress:
        for step in progress.steps():
            rows, told = batches[step - 1], Counter[str]()
            for part in parts(own(by_length(rows, pairs)), config.micro_batch_size):
                policy = pair_logprobs(setup, config, setup.model, [pairs[i] for i in part])
                found = losses(config, policy, torch.stack([reference[i] for i in part]))
                share = len(part) / len(rows)
                (found["loss"] * share).backward()
                told.update({name: (value * share).item() for name, value in found.items()})
            values = optimiser.step(step, told)
            progress.done(step, values)
            yield Metrics(step, config.steps, values)
    yield curves("Loss and implicit accuracy", progress.history, ["loss", "accuracy"], "nats, share")
    yield curves("Implicit rewards", progress.history, ["chosen_reward", "rejected_reward", "margin"], "β·Δ")

    yield Stage("held out", 3, 3)
    table, verdict = on_held_out_pairs(setup, config, start, data.held_out)
    yield table
    if config.data:
        yield verdict
        return
    prompts = World(setup.encoder, config.seed).prompts(1, config.max_new_tokens).held_out
    claim = (
        "DPO raises the gold score over SFT, at every temperature of SFT, without a reward model, and correctness does "
        "not fall"
    )
    yield from compare_with_start(setup, "DPO", start, prompts, config.max_new_tokens, claim)


def _swapped(pair: Pair) -> Pair:
    gap = pair.gold_difference
    return replace(pair, chosen=pair.rejected, rejected=pair.chosen, gold_difference=None if gap is None else -gap)


def on_held_out_pairs(setup: Setup, config: Config, start: GPT, pairs: Sequence[Pair]) -> tuple[Table, Verdict]:
    """How often the implicit reward agrees with the annotators; the verdict of a run on a file."""
    numbered = dict(enumerate(pairs))
    policy, reference = (reference_logprobs(setup, config, model, numbered) for model in (setup.model, start))
    margins = [config.beta * float((policy[i] - reference[i]).diff().neg()) for i in numbered]
    accuracy = share_interval([(margin > 0) + 0.5 * (margin == 0) for margin in margins])
    measured = {
        "accuracy": accuracy.mean,
        "ci_low": accuracy.low,
        "ci_high": accuracy.high,
        "margin": statistics.fmean(margins),
        "pairs": float(len(pairs)),
    }
    rows: list[tuple[str, float]] = [("accuracy", round(accuracy.mean, 3)), ("margin", round(measured["margin"], 3))]
    known = [pair.gold_difference for pair in pairs if pair.gold_difference is not None]
    if known:
        rows.insert(1, ("ceiling of the annotators' noise", round(annotators.ceiling(known, config.noise), 3)))
    table = Table("The policy as a reward model, on held-out pairs", ("implicit reward β·Δ", "value"), tuple(rows))
    claim = "The implicit reward of DPO orders held-out pairs better than chance"
    return table, Verdict(claim, accuracy.low > 0.5, measured)


if __name__ == "__main__":
    main(run, Config)
