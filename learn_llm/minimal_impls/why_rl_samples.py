"""Reason 4 of `why_rl.py`, experience: the same number of responses, imitated or weighed.

More demonstrations make a model more like the people who wrote them.  Its own samples, judged, can make it better than
they are.  That needs a reward, not always RL: cross-entropy on the best samples (`best_of_n.py`) is set beside PPO
(`ppo.py`), from the same start, with as many samples and the same reward model.

Implementation details
  1. What is equal between the arms is the number of responses: demonstrations that are read, or samples that are drawn
     and scored.  The best of 4 throws three of four away; PPO uses each, the bad ones with a negative weight.
  2. Each arm has the settings of its own file; updates and seconds differ.
"""

import statistics
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

from learn_llm.checkpoints import load
from learn_llm.evaluation import difference
from learn_llm.events import Chart, Event, Metrics, Series, Table
from learn_llm.examples import Prompt, World
from learn_llm.minimal_impls import best_of_n, ppo, sft, why_rl_settings
from learn_llm.minimal_impls.reward_model import reward_of
from learn_llm.minimal_impls.why_rl_settings import Config
from learn_llm.rollouts import Response, respond
from learn_llm.running import steps_of
from learn_llm.training import Setup

ARMS = {"people": "more demonstrations", "best": "SFT on the best of 4", "ppo": "PPO"}
CLAIM = (
    "From the same start, own samples that a reward model has scored gain more gold than as many of people's "
    "demonstrations, with PPO and with cross-entropy on the best of them"
)


def imitate_people(config: Config, model: str, count: int, out: Path) -> Iterator[Event]:
    """SFT on so many demonstrations, each read once."""
    return sft.run(
        sft.Config(
            seed=config.seed, device=config.device, out=str(out), model=model, max_new_tokens=config.max_new_tokens,
            steps=-(-count // 32), batch_size=32, demonstrations=count,
        )
    )  # fmt: skip


def weigh_samples(config: Config, model: str, count: int, out: Path) -> Iterator[Event]:
    """PPO on so many own samples."""
    size = why_rl_settings.ROUND
    return ppo.run(
        ppo.Config(
            seed=config.seed, device=config.device, out=str(out), model=model, max_new_tokens=config.max_new_tokens,
            reward_model=config.reward_model, break_=config.break_, steps=count // size, batch_size=size,
        )
    )  # fmt: skip


def imitate_the_best(config: Config, model: str, count: int, out: Path) -> Iterator[Event]:
    """Cross-entropy on the best 4th of so many own samples."""
    budget = best_of_n.only_fine_tuning(count, rounds=count // (2 * why_rl_settings.ROUND))
    return best_of_n.run(
        best_of_n.Config(
            seed=config.seed, device=config.device, out=str(out), model=model, max_new_tokens=config.max_new_tokens,
            reward_model=config.reward_model, break_=config.break_, **budget,
        )
    )  # fmt: skip


def told(name: str, events: Iterator[Event]) -> Generator[Event, None, list[float]]:
    """The steps of a training run under the name of its arm; returns the gold score of what it sampled in each."""
    gold: list[float] = []
    for event in steps_of(events):
        shown = ("gold", "reward", "kl", "loss")
        yield Metrics(event.step, event.steps, {f"{name}/{k}": event.values[k] for k in shown if k in event.values})
        gold += [event.values["gold"]] if "gold" in event.values else []
    return gold


def held_out(config: Config, setup: Setup) -> list[Prompt]:
    """The prompts that arms are compared on."""
    return list(World(setup.encoder, config.seed).prompts(1, config.max_new_tokens).held_out[: config.prompts])


def answers_of(config: Config, setup: Setup, folder: Path, prompts: list[Prompt]) -> list[Response]:
    """What a trained model answers."""
    model, _ = load(str(folder), setup.device)
    return respond(setup, model.float(), prompts, config.max_new_tokens)


def measure(config: Config, setup: Setup) -> Generator[Event, None, tuple[bool, dict[str, float]]]:
    """Train the arms, then ask them and the start the same held-out prompts; returns whether the claim holds."""
    prompts = held_out(config, setup)
    answers = {"start": respond(setup, setup.model, prompts, config.max_new_tokens)}
    lines = []
    ways = {"people": imitate_people, "best": imitate_the_best, "ppo": weigh_samples}
    with tempfile.TemporaryDirectory() as scratch:
        for arm, title in ARMS.items():
            folder = Path(scratch, arm)
            gold = yield from told(arm, ways[arm](config, config.model, config.samples, folder))
            drawn = tuple(config.samples * i / len(gold) for i in range(len(gold)))
            lines += [Series(title, drawn, tuple(gold))] if gold else []
            answers[arm] = answers_of(config, setup, folder, prompts)
    yield Chart("line", "Gold score of what is sampled", "samples used so far", "gold", tuple(lines))

    judge, titles = reward_of(config.reward_model, setup), {"start": "start", **ARMS}
    gold_of = {name: [r.gold for r in some] for name, some in answers.items()}
    rewards = {name: judge(some) for name, some in answers.items()}
    rows = tuple(
        (titles[name], round(statistics.fmean(rewards[name]), 3), round(statistics.fmean(gold_of[name]), 3))
        for name in answers
    )
    yield Table(f"{config.samples} responses each; {len(prompts)} held-out prompts", ("arm", "reward", "gold"), rows)
    heights = tuple(statistics.fmean(some) for some in gold_of.values())
    yield Chart("bar", "Gold score", "", "gold", (Series("gold", tuple(titles.values()), heights),))
    imitated = difference(gold_of["people"], gold_of["start"])
    best, weighed = (difference(gold_of[arm], gold_of["people"]) for arm in ("best", "ppo"))
    ahead = difference(gold_of["ppo"], gold_of["best"])
    measured = {
        "gold_start": statistics.fmean(gold_of["start"]),
        "gain_people": imitated.mean,
        "best_over_people": best.mean,
        "best_over_people_low": best.low,
        "ppo_over_people": weighed.mean,
        "ppo_over_people_low": weighed.low,
        "ppo_over_best": ahead.mean,
        "ppo_over_best_low": ahead.low,
        "ppo_over_best_high": ahead.high,
    }
    return best.low > 0 and weighed.low > 0, measured
