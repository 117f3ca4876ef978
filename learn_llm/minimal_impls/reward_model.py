"""Reward model: learn from pairs which of two responses people prefer, and score any response with one number.

The language model's trunk reads prompt and response; a linear head on the last token, the EOS, gives the score r(x, y).

    P(chosen ≻ rejected) = σ(r_chosen - r_rejected)          (Bradley and Terry 1952)
    L = -mean log σ(r_chosen - r_rejected - m)               (Ouyang et al. 2022, arXiv 2203.02155, Eq. 1, with m = 0)

It is step 2 of RLHF.  The tiny world's annotators are noisy by a known amount, so the best accuracy that any model can
expect on given pairs is known exactly: the verdict measures the distance to that ceiling.

Implementation details
  1. The trunk starts from the SFT model: it already reads prompts and responses.  The head is drawn from
     N(0, 1/√(D + 1)), without a bias (Stiennon et al. 2020, arXiv 2009.01325; their text lost the root).
  2. The score is read at the last token, which is EOS where the response ended: it has seen everything before it.
  3. Chosen and rejected go through one forward pass, padded on the right, where a causal model cannot look.
  4. Only differences are learnt, so level and scale of the scores are arbitrary.  After training they are normalised to
     mean 0 and standard deviation 1 over responses of the SFT model (Ziegler et al. 2019, arXiv 1909.08593, 2.2): the
     gain 1/σ is folded into the head, the shift -μ/σ kept beside it in config.json, since the format has no bias.
     TRL does not normalise; InstructGPT moves the mean of demonstrations to 0.
  5. Calibration is measured before normalising: the gain changes σ(r_a - r_b), though never an order.
  6. One pass over the pairs: more memorises the noise of the labels (arXiv 2203.02155).
  7. Half of the pairs are edits: a flawless response beside the same one with a single flaw, which shows what that flaw
     alone costs.  A quarter are people's, a quarter the SFT model's own samples, which PPO's will resemble at first.
     `--pairs-from` takes one kind alone: without edits a model of this size learns many times slower.
  8. What the trunk cannot judge, these pairs do not teach.  The tiny world's base has read marks behind EOS
     (`pretrain.py`, detail 3).  From a base that had not, the same training told the styles apart, but right from wrong
     in 78 of 100 pairs that differ in nothing else, not in 94.
  9. `--margin` lets m grow with the annotator's grade, so that the scores of clear pairs are pushed further apart
     (Touvron et al. 2023, Llama 2, arXiv 2307.09288, 3.2.2 and Table 27).  A file gives it as "grade", from 0 to 3.
Left out: several responses to one prompt in one batch element (K = 4 to 9 in InstructGPT).

    python -m learn_llm.minimal_impls.reward_model                                  # tiny world, a quarter of an hour
    python -m learn_llm.minimal_impls.reward_model --model smollm2 --data pairs.jsonl --out reward
"""

import itertools
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learn_llm.checkpoints import open_checkpoint, save
from learn_llm.errors import UserError
from learn_llm.evaluation import curves, share_interval
from learn_llm.events import Chart, Event, Metrics, Note, Series, Stage, Verdict
from learn_llm.examples import File, Pair, Prompt, World, batch_indices, collate, parts
from learn_llm.gpt import GPT
from learn_llm.minimal_impls.lora import merged
from learn_llm.minimal_impls.lora_rank import LoRAConfig, with_lora
from learn_llm.parallel import gathered, is_first, own
from learn_llm.rollouts import Response, Reward, respond
from learn_llm.running import main
from learn_llm.tinyworld import annotators, writers
from learn_llm.tinyworld.lexicon import pick
from learn_llm.training import Optimiser, Progress, Setup, generator, prepare, torch_generator

MARGINS = {"small": (0.0, 1 / 3, 2 / 3, 1.0), "large": (0.0, 1.0, 2.0, 3.0)}
"""m by grade, an index of `annotators.GRADES` (detail 9)."""


@dataclass(frozen=True)
class Config(LoRAConfig):
    """How the reward model is trained."""

    model: str = "tiny-sft"
    """The checkpoint to start from (detail 1): a bundled name, a folder, or a hub name of the Llama family."""
    steps: int = 3200
    """Optimiser steps."""
    batch_size: int = 24
    """Pairs a step."""
    learning_rate: float = 1.5e-3
    """Peak of the schedule, AdamW."""
    warmup: float = 0.1
    """Share of the steps in which the learning rate rises to its peak."""
    pairs: int = 76_800
    """How many pairs the tiny world's annotators label."""
    pairs_from: Literal["mixed", "edits", "people", "model"] = "mixed"
    """Who wrote the responses of the tiny world's pairs (detail 7)."""
    noise: float = annotators.NOISE
    """How noisy the annotators are: P(a preferred) = σ((gold_a - gold_b) / noise)."""
    margin: Literal["none", "small", "large"] = "none"
    """m, by the grade of each pair (detail 9)."""
    held_out_pairs: int = 8192
    """Pairs to measure on."""
    max_new_tokens: int = 40
    """The longest response when the SFT model writes one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "pairs", "held_out_pairs", "max_new_tokens")
        self.need(0, "noise")


class RewardModel(nn.Module):
    """A trunk and a head that gives one number."""

    shift: Tensor

    def __init__(self, gpt: GPT, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.gpt = gpt
        self.score = nn.Linear(gpt.config.hidden_size, 1, bias=False)
        nn.init.normal_(
            self.score.weight, std=1 / math.sqrt(gpt.config.hidden_size + 1), generator=generator
        )  # detail 1
        self.register_buffer("shift", torch.zeros(()))

    def forward(self, tokens: Tensor, attention: Tensor) -> Tensor:
        """The scores (B,) of tokens (B, T), padded on the right; attention is 1 on real tokens (details 2, 3)."""
        last = attention.sum(1) - 1
        hidden = self.gpt.hidden(tokens)[torch.arange(len(tokens), device=tokens.device), last]  # (B, D)
        scores: Tensor = self.score(hidden).squeeze(-1).float() + self.shift
        return scores

    @torch.no_grad()
    def normalise(self, scores: Tensor) -> None:
        """Rescale so that what now scores `scores` (N,) will have mean 0 and standard deviation 1 (detail 4)."""
        mean, std = scores.mean(), scores.std().clamp(min=1e-6)
        self.score.weight /= std
        self.shift.copy_((self.shift - mean) / std)


def bradley_terry_loss(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    """-mean log σ(r_chosen - r_rejected - margin): arguments (B,), returns a scalar in nats; log 2 for equal scores.

    >>> bradley_terry_loss(torch.tensor([1.0]), torch.tensor([1.0]))
    tensor(0.6931)
    """
    return -F.logsigmoid(chosen - rejected - margin).mean()


def margins(pairs: Sequence[Pair], size: str, device: torch.device) -> Tensor | float:
    """m of each pair, (B,), by its grade; 0 for "none".  Raises UserError where a pair has no grade (detail 9)."""
    if size == "none":
        return 0.0
    steps = MARGINS[size]
    for pair in pairs:
        if pair.grade not in range(len(steps)):
            raise UserError(f'--margin needs a "grade" from 0 to {len(steps) - 1} in every row, not {pair.grade!r}')
    return torch.tensor([steps[pair.grade] for pair in pairs if pair.grade is not None], device=device)


def calibration(differences: Sequence[float], bins: int = 10) -> list[tuple[float, float, int]]:
    """How sure against how often right: per bin (mean confidence, share right, pairs), empty bins left out.

    Args:
        differences: r_chosen - r_rejected.  The confidence is σ(|difference|), from 1/2 to 1; right is a positive one.

    >>> calibration([2.2, 2.2, 2.2, -2.2])
    [(0.9002..., 0.75, 4)]
    """
    groups: dict[int, list[tuple[float, bool]]] = {}
    for difference in differences:
        sure = 1 / (1 + math.exp(-abs(difference)))
        groups.setdefault(min(int((sure - 0.5) * 2 * bins), bins - 1), []).append((sure, difference > 0))
    return [
        (statistics.fmean(sure for sure, _ in group), statistics.fmean(right for _, right in group), len(group))
        for _, group in sorted(groups.items())
    ]


def calibration_error(reliability: Sequence[tuple[float, float, int]]) -> float:
    """The mean gap between confidence and share right, weighted by pairs (Guo et al. 2017, arXiv 1706.04599, Eq. 3).

    >>> round(calibration_error([(0.9, 0.8, 30), (0.6, 0.6, 10)]), 6)
    0.075
    """
    return sum(abs(sure - right) * count for sure, right, count in reliability) / sum(n for *_, n in reliability)


def run(config: Config) -> Iterator[Event]:
    """Train on labelled pairs; the verdict compares the accuracy on held-out pairs with the annotators' ceiling."""
    setup = with_lora(prepare(config), config.lora_rank)
    yield Stage("pairs", 1, 3)
    if config.data:
        data = File(setup.encoder, config.data, config.max_length).pairs()
        reference = [(pair.prompt.ids, pair.chosen) for pair in data.train[:512]]
    else:
        world = World(setup.encoder, config.seed)
        data = world.pairs(config.pairs, config.held_out_pairs, config.noise, writer(setup, config))
        prompts = world.prompts(512, config.max_new_tokens).train
        reference = [
            (p.ids, setup.encoder.response(text))
            for p, text in zip(prompts, sample(setup, config, prompts), strict=True)
        ]
    yield Note(f"{len(data.train):,} pairs, {len(data.held_out):,} held out, {data.too_long} too long and left out")
    coin = generator(config, "break")
    flipped = [config.break_ and coin.random() < 0.5 for _ in data.train]  # --break: a coin labels the pairs

    yield Stage("reward model", 2, 3)
    reward = RewardModel(setup.model, torch_generator(config, "head")).to(setup.device)
    optimiser = Optimiser([reward], config)
    with Progress(config, {"reward": reward}, optimiser, lambda folder: save_reward(reward, setup, folder)) as progress:
        for step in progress.steps():
            rows = batch_indices(config.seed, len(data.train), config.batch_size, step)
            loss, right = 0.0, 0
            for part in parts(own(rows), config.micro_batch_size):
                pairs = [data.train[i] for i in part]
                first, second = score_pairs(reward, setup, pairs)
                swap = torch.tensor([flipped[i] for i in part], device=setup.device)
                chosen, rejected = torch.where(swap, second, first), torch.where(swap, first, second)
                margin = margins(pairs, config.margin, setup.device)
                share = bradley_terry_loss(chosen, rejected, margin) * len(part) / len(rows)
                share.backward()
                loss += share.item()
                right += int((chosen > rejected).sum())
            values = optimiser.step(step, {"loss": loss, "accuracy": right / len(rows)})
            progress.done(step, values)
            yield Metrics(step, config.steps, values)
    yield curves("Loss and accuracy on the pairs of each step", progress.history, ["loss", "accuracy"], "nats, share")

    yield Stage("held-out pairs", 3, 3)
    with torch.no_grad():
        differences = [
            float(difference)
            for part in parts(data.held_out, 2 * config.batch_size)
            for difference in torch.sub(*score_pairs(reward, setup, part))
        ]
    reliability = calibration(differences)
    yield reliability_chart(reliability)
    with torch.no_grad():  # detail 4
        reward.normalise(torch.cat([score(reward, setup, part) for part in parts(reference, 2 * config.batch_size)]))
    if config.out and is_first():
        save_reward(reward, setup, Path(config.out))
    yield verdict(config, differences, [pair.gold_difference for pair in data.held_out], calibration_error(reliability))


def score(reward: RewardModel, setup: Setup, answered: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Tensor:
    """The scores (B,) of responses, given as (prompt tokens, response tokens)."""
    batch = collate([prompt for prompt, _ in answered], [response for _, response in answered], setup.device)
    with setup.autocast():
        scores: Tensor = reward(batch.tokens, batch.attention)
    return scores


def score_pairs(reward: RewardModel, setup: Setup, pairs: Sequence[Pair]) -> tuple[Tensor, Tensor]:
    """The scores (B,) of the chosen and of the rejected responses, in one pass (detail 3)."""
    chosen = [(pair.prompt.ids, pair.chosen) for pair in pairs]
    first, second = score(reward, setup, chosen + [(pair.prompt.ids, pair.rejected) for pair in pairs]).chunk(2)
    return first, second


def save_reward(reward: RewardModel, setup: Setup, folder: Path) -> None:
    """Write it as Hugging Face's LlamaForSequenceClassification, the shift in config.json (detail 4).

    That class reads the score at the last token that is not PAD, so PAD must not be EOS.
    """
    encoder = setup.encoder
    pad = encoder.tokenizer.pad_id
    extra = {
        "architectures": ["LlamaForSequenceClassification"],
        "id2label": {"0": "reward"},
        "label2id": {"reward": 0},
        "pad_token_id": pad if pad is not None and pad not in encoder.eos_ids else int(encoder.eos_id == 0),
        "reward_shift": float(reward.shift),
    }
    save(merged(reward.gpt), encoder.tokenizer, folder, heads={"score.weight": reward.score.weight}, extra_config=extra)


def load_reward(name: str, setup: Setup) -> RewardModel:
    """A saved reward model.  Raises UserError where it has no score head, or was made for other tokens."""
    saved = open_checkpoint(name, setup.device)
    if "score.weight" not in saved.heads:
        raise UserError(f"{name} is no reward model: it has no score head (reward_model.py makes one with --out)")
    if saved.tokenizer is not None and saved.tokenizer.vocab_size != setup.encoder.tokenizer.vocab_size:
        raise UserError(f"the reward model {name} was made for other tokens than {setup.config.model}")
    reward = RewardModel(saved.model).to(setup.device)
    with torch.no_grad():
        reward.score.weight.copy_(saved.heads["score.weight"])
        reward.shift.fill_(saved.config.get("reward_shift", 0.0))
    return reward.requires_grad_(False)


def reward_of(name: str, setup: Setup) -> Reward:
    """A saved reward model as a function of responses."""
    reward = load_reward(name, setup)

    def scores(responses: Sequence[Response]) -> list[float]:
        with torch.no_grad():
            rows = [score(reward, setup, [(r.prompt.ids, r.ids) for r in part]) for part in parts(own(responses), 64)]
        return gathered([float(number) for scored in rows for number in scored])

    return scores


def sample(setup: Setup, config: Config, prompts: Sequence[Prompt], draw: int = 0) -> list[str]:
    """What the SFT model answers at temperature 1, in the tiny world's spelling."""
    responses = respond(setup, setup.model, prompts, config.max_new_tokens, purpose="samples", step=draw)
    return [response.spelled for response in responses]


def writer(setup: Setup, config: Config) -> Callable[[Sequence[Prompt]], list[str]]:
    """Who answers the prompts of the pairs, once for each of the two responses (detail 7)."""
    kinds = ("edits", "people", "edits", "model") if config.pairs_from == "mixed" else (config.pairs_from,)
    draws = itertools.count(1)

    def respond_to(prompts: Sequence[Prompt]) -> list[str]:
        draw = next(draws)
        rng = generator(config, "people", draw)
        asked = {i for i in range(len(prompts)) if kinds[i % len(kinds)] == "model"}
        sampled = iter(sample(setup, config, [prompts[i] for i in sorted(asked)], draw))
        texts = []
        for i, prompt in enumerate(prompts):
            if prompt.item is None or i in asked:
                texts.append(next(sampled))
            elif kinds[i % len(kinds)] == "people":
                texts.append(writers.demonstration(prompt.item, rng))
            else:  # the first time without a flaw, the second time with one in a skill that will be judged
                texts.append(writers.write(prompt.item, "good" if draw % 2 else pick(rng, prompt.item.skills), rng))
        return texts

    return respond_to


def reliability_chart(reliability: Sequence[tuple[float, float, int]]) -> Chart:
    """How sure the model was against how often it was right; on the diagonal its probabilities can be believed."""
    sure, right, _ = zip(*reliability, strict=True)
    series = (Series("measured", sure, right), Series("perfect", (0.5, 1.0), (0.5, 1.0)))
    return Chart("scatter", "Calibration on held-out pairs", "confidence", "share right", series)


def verdict(config: Config, differences: Sequence[float], gold: Sequence[float | None], error: float) -> Verdict:
    """Accuracy against the ceiling of the noisy annotators in the tiny world, against chance on a file."""
    accuracy = share_interval([(d > 0) + 0.5 * (d == 0) for d in differences])
    measured = {
        "accuracy": accuracy.mean,
        "ci_low": accuracy.low,
        "ci_high": accuracy.high,
        "calibration_error": error,
        "pairs": float(len(differences)),
    }
    known = [g for g in gold if g is not None]
    if not known:
        return Verdict("The reward model orders held-out pairs better than chance", accuracy.low > 0.5, measured)
    ceiling = annotators.ceiling(known, config.noise)
    measured |= {"ceiling": ceiling, "accuracy_gap": ceiling - accuracy.mean}
    claim = "The reward model comes within 3 points of the best accuracy that the annotators' noise allows"
    return Verdict(claim, ceiling - accuracy.mean <= 0.03, measured)


if __name__ == "__main__":
    main(run, Config)
