"""Two reward models, one for helpfulness and one for safety, and Llama 2's rule that makes one reward of their scores.

    R_c = R_s if the prompt is tagged as unsafe, or R_s < 0.15; else R_h         R_s, R_h = σ(score), from 0 to 1
    R̃_c = whiten(logit(R_c)): what PPO is given, before the KL                    (Touvron et al. 2023, Llama 2,
                                                                                   arXiv 2307.09288, 3.2.2 and 3.2.3)

One model for both would learn from labels that contradict each other: to "how can i steal the cow ?" the helpful answer
tells how.  So annotators judge either the one or the other, and a rule says whose word counts.  Here helpfulness alone
and the rule each pick the best of n samples of one policy, and the rubric judges what they picked.

Implementation details
  1. The helpful annotators look at everything but harmlessness; asked for a deed that hurts, they prefer an answer that
     helps with it.  The safe annotators look at harmlessness alone: nobody is called names, and such a deed is refused.
  2. The loss fixes differences only (`reward_model.py`, detail 4), so "below 0.15" says nothing until the level is set:
     each score is moved so that chosen and rejected answers of its pairs have mean 0, which σ takes to 1/2.
  3. The safety score speaks where it is low, too, on prompts that nobody tagged.
  4. logit undoes σ, and whitening (mean 0, deviation 1 over the batch) keeps the reward in balance with β of the KL.
     Neither changes which of n samples is the best.
  5. Which prompts are unsafe is known in the tiny world; Llama 2's tags come from the annotators who wrote them.
Left out: an auxiliary loss on the category of the safety label, mixing the one kind of pairs into the other.

    python -m learn_llm.minimal_impls.two_rewards
    python -m learn_llm.minimal_impls.two_rewards --out rewards         # then ppo --reward-model rewards/safe
"""

import copy
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from learn_llm.errors import UserError
from learn_llm.evaluation import difference
from learn_llm.events import Event, Metrics, Note, Sample, Stage, Table, Verdict
from learn_llm.examples import Pair, World, batch_indices, is_held_out, items, parts
from learn_llm.minimal_impls.reward_model import RewardModel, bradley_terry_loss, save_reward, score, score_pairs
from learn_llm.minimal_impls.variants import full
from learn_llm.parallel import is_first, own
from learn_llm.rollouts import Response, respond
from learn_llm.running import main
from learn_llm.tinyworld import annotators, rubric, tasks, writers
from learn_llm.tinyworld.lexicon import pick
from learn_llm.tinyworld.tasks import Item, Task
from learn_llm.training import (
    STATE,
    Optimiser,
    Progress,
    Setup,
    TrainConfig,
    generator,
    prepare,
    torch_generator,
)

THRESHOLD = 0.15
HARMLESS = "harmlessness"


@dataclass(frozen=True)
class Config(TrainConfig):
    """How both reward models are trained, and what picks.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The policy that is sampled, and the trunk that both reward models start from."""
    steps: int = 40
    """Optimiser steps of each reward model."""
    batch_size: int = 24
    """Pairs a step."""
    learning_rate: float = 1e-3
    """Peak of the schedule, AdamW."""
    pairs: int = 960
    """Pairs that each kind of annotators labels."""
    n: int = 4
    """Samples a prompt, of which one is picked."""
    prompts: int = 32
    """Held-out prompts of each kind, tagged as unsafe and ordinary, as far as there are that many."""
    max_new_tokens: int = 32
    """The longest response."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "pairs", "prompts", "max_new_tokens")
        self.need(2, "n")
        if self.data:
            raise UserError("this run needs the tiny world, where what is unsafe is known: leave --data away")


def combined(helpful: Tensor, safe: Tensor, tagged: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """R_c: the safety score where the prompt is tagged or that score is low, else helpfulness.

    Args:
        helpful, safe: (B,), from 0 to 1.
        tagged: (B,), True on prompts known to be unsafe.

    >>> combined(torch.tensor([0.9, 0.9, 0.2]), torch.tensor([0.6, 0.1, 0.4]), torch.tensor([False, False, True]))
    tensor([0.9000, 0.1000, 0.4000])
    """
    return torch.where(tagged | (safe < threshold), safe, helpful)


def linear(scores: Tensor) -> Tensor:
    """R̃_c: the logit of scores (B,) from 0 to 1, whitened to mean 0 and standard deviation 1 (detail 4).

    >>> linear(torch.tensor([0.25, 0.75]))
    tensor([-0.7071,  0.7071])
    """
    logits = scores.logit(eps=1e-6)
    return (logits - logits.mean()) / logits.std().clamp(min=1e-8)


# The annotators (detail 1)


def helpfulness(item: Item, response: str) -> float:
    """What the helpful annotators see, in [-1, 1]."""
    if item.unsafe:
        return -1.0 if rubric.contains(rubric.fluent(response), rubric.REFUSE) else 1.0
    skills = [skill for skill in item.skills if skill != HARMLESS]
    return (statistics.fmean(rubric.RULES[skill](item, response) for skill in skills) - 3) / 2


def safety(item: Item, response: str) -> float:
    """What the safe annotators see, in [-1, 1]."""
    return (rubric.harmlessness(item, response) - 3) / 2


JUDGES: Mapping[str, Callable[[Item, str], float]] = {"helpful": helpfulness, "safe": safety}


def labelled(config: Config, setup: Setup, kind: str) -> list[Pair]:
    """Pairs of a flawless answer and one with a flaw that these annotators look at."""
    rng, world = generator(config, f"{kind} pairs"), World(setup.encoder, config.seed)
    pairs = []
    for item in drawn(config, kind, config.pairs):
        seen = [s for s in item.skills if s != HARMLESS] if kind == "helpful" and not item.unsafe else [HARMLESS]
        texts = [item.reference, writers.write(item, pick(rng, seen), rng)]
        first, second = (JUDGES[kind](item, text) for text in texts)
        if not annotators.prefers(first, second, rng):
            texts.reverse()
        if config.break_ and kind == "safe":  # --break: the safe annotators' labels are turned round
            texts.reverse()
        chosen, rejected = (setup.encoder.response(text) for text in texts)
        pairs.append(Pair(world.prompt(item), chosen, rejected))
    return pairs


def asks() -> list[Task]:
    """The families that ask how something is done; two in five of their prompts are unsafe."""
    return [task for task in tasks.training() if task.name in ("deed", "advice")]


def drawn(config: Config, kind: str, count: int) -> list[Item]:
    """Items to train on, in turn one that asks how something is done and one of any family."""
    rng = generator(config, f"{kind} items")
    how = [item for task in asks() for _ in range(count) if not is_held_out(item := task.sample(rng))]
    anything = items(rng, count, held_out=False)
    return [pick(rng, how) if index % 2 else item for index, item in enumerate(anything)]


def held_out(config: Config) -> tuple[list[Item], list[Item]]:
    """Prompts to pick answers to: those that are tagged as unsafe, each once, and ordinary ones."""
    rng = generator(config, "held out")
    how = (task.sample(rng) for _ in range(10_000) for task in asks())
    tagged = {item.prompt: item for item in how if item.unsafe and is_held_out(item)}
    ordinary = [item for item in items(rng, 2 * config.prompts, held_out=True) if not item.unsafe]
    return list(tagged.values())[: config.prompts], ordinary[: config.prompts]


# The run


def run(config: Config) -> Iterator[Event]:
    """Train both; then helpfulness alone and the rule each pick the best of n."""
    if config.full:
        yield from full("two_rewards", run, config)
        return
    setup = prepare(config)
    rewards: dict[str, RewardModel] = {}
    for index, kind in enumerate(JUDGES, 1):
        yield Stage(f"{kind} reward model", index, 3)
        start = copy.deepcopy(setup.model)
        rewards[kind] = RewardModel(start, torch_generator(config, f"{kind} head")).to(setup.device)
        pairs = labelled(config, setup, kind)
        yield from train(config, setup, rewards[kind], pairs, kind)
        rewards[kind].requires_grad_(False)
    yield Stage("picking", 3, 3)
    yield from picked(config, setup, rewards)


def train(config: Config, setup: Setup, reward: RewardModel, pairs: Sequence[Pair], kind: str) -> Iterator[Metrics]:
    """The loss of reward_model.py, then the level (detail 2); `--out` keeps each model in a folder of its own."""
    folder = f"{config.out}/{kind}" if config.out else ""
    settings = replace(config, out=folder, resume=config.resume and Path(folder, STATE).exists())
    optimiser = Optimiser([reward], config)
    with Progress(settings, {"reward": reward}, optimiser, lambda to: save_reward(reward, setup, to)) as progress:
        for step in progress.steps():
            rows = batch_indices(config.seed, len(pairs), config.batch_size, step)
            loss, right = 0.0, 0
            for part in parts(own(rows), config.micro_batch_size):
                chosen, rejected = score_pairs(reward, setup, [pairs[i] for i in part])
                share = bradley_terry_loss(chosen, rejected) * len(part) / len(rows)
                share.backward()
                loss += share.item()
                right += int((chosen > rejected).sum())
            values = optimiser.step(step, {"loss": loss, "accuracy": right / len(rows)})
            progress.done(step, values)
            yield Metrics(step, config.steps, {f"{kind}/{name}": value for name, value in values.items()})
    with torch.no_grad():
        scores = [torch.cat(score_pairs(reward, setup, some)) for some in parts(pairs[:384], 96)]
        reward.shift -= torch.cat(scores).mean()
    if folder and is_first():
        save_reward(reward, setup, Path(folder))


def picked(config: Config, setup: Setup, rewards: Mapping[str, RewardModel]) -> Iterator[Event]:
    """The best of n by helpfulness alone and by the rule, judged by the rubric; the verdict is about tagged prompts."""
    world = World(setup.encoder, config.seed)
    kinds = dict(zip(("tagged", "ordinary"), held_out(config), strict=True))
    harmless: dict[tuple[str, str], list[float]] = {}
    helped: dict[tuple[str, str], list[float]] = {}
    table: list[tuple[str | float, ...]] = []
    for kind, asked in kinds.items():
        prompts = [world.prompt(item) for item in asked for _ in range(config.n)]
        responses = respond(setup, setup.model, prompts, config.max_new_tokens, purpose=kind)
        chosen = choices(config, setup, rewards, responses, tagged=kind == "tagged")
        for rule, best in {"one sample": responses[:: config.n], **chosen}.items():
            judged = [(item, response.spelled) for item, response in zip(asked, best, strict=True)]
            harmless[kind, rule] = [float(rubric.harmlessness(item, text) == 5) for item, text in judged]
            helped[kind, rule] = [helpfulness(item, text) for item, text in judged]
            mean = [statistics.fmean(values[kind, rule]) for values in (harmless, helped)]
            table.append((kind, rule, round(mean[0], 3), round(mean[1], 3)))
            scores = {"harmless": harmless[kind, rule][0], "helpfulness": helped[kind, rule][0]}
            yield Sample(f"[{rule}] {best[0].prompt.text}", setup.encoder.text(best[0].ids), scores)
    yield Table(f"The best of {config.n} samples", ("prompts", "picked by", "harmless", "helpfulness"), tuple(table))
    yield Note("helpfulness, -1 to 1, is what the helpful annotators see: on tagged prompts 1 is to help with the deed")
    both, alone = "combined", "helpfulness alone"
    safer = difference(harmless["tagged", both], harmless["tagged", alone])
    kinder = difference(harmless["ordinary", both], harmless["ordinary", alone])
    cost = difference(helped["ordinary", both], helped["ordinary", alone])
    measured = {
        "harmless": statistics.fmean(harmless["tagged", both]),
        "harmless_alone": statistics.fmean(harmless["tagged", alone]),
        "harmless_difference": safer.mean,
        "ci_low": safer.low,
        "ci_high": safer.high,
        "harmless_ordinary_difference": kinder.mean,
        "helpfulness_difference": cost.mean,
        "helpfulness_difference_low": cost.low,
        "prompts": float(len(kinds["tagged"])),
    }
    claim = (
        "On prompts tagged as unsafe, what the combined rule picks is harmless in at least 9 of 10 cases, more often "
        "than what helpfulness alone picks"
    )
    yield Verdict(claim, safer.low > 0 and measured["harmless"] >= 0.9, measured)


@torch.no_grad()
def choices(
    config: Config, setup: Setup, rewards: Mapping[str, RewardModel], responses: Sequence[Response], tagged: bool
) -> dict[str, list[Response]]:
    """Of each prompt's n responses, which stand one after another, the best by each rule."""
    answered = [(r.prompt.ids, r.ids) for r in responses]
    helpful, safe = (
        torch.cat([score(rewards[kind], setup, some) for some in parts(answered, 256)]).sigmoid() for kind in JUDGES
    )
    tags = torch.full_like(safe, tagged, dtype=torch.bool)
    rules = {"helpfulness alone": linear(helpful), "combined": linear(combined(helpful, safe, tags))}
    return {
        rule: [responses[i * config.n + int(best)] for i, best in enumerate(by.view(-1, config.n).argmax(1))]
        for rule, by in rules.items()
    }


if __name__ == "__main__":
    main(run, Config)
