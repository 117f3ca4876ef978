"""Reason 5 of `why_rl.py`, both: SFT and then RL, against either of them alone.

All start from the base, which goes on with a text and has not learnt to answer.  Each may use the same number of
responses: demonstrations by people that it imitates, or samples of its own that a reward model scores for PPO.

    SFT             demonstrations, all of them
    RL              own samples, all of them
    SFT, then RL    half of either                (InstructGPT, Ouyang et al. 2022, arXiv 2203.02155, in this order)

RL can only weigh what is sampled.  Where good answers are rare among the samples, each round brings little; some
demonstrations change that, and more of them bring nothing that people do not do.

Implementation details
  1. The reward model is the same for all; it was trained on the answers of a model behind SFT.
  2. PPO keeps near its own start: the base in one arm, the model behind SFT in the other.
"""

import statistics
import tempfile
from collections.abc import Generator
from pathlib import Path

from learn_llm.evaluation import difference
from learn_llm.events import Chart, Event, Series, Table
from learn_llm.minimal_impls.reward_model import reward_of
from learn_llm.minimal_impls.why_rl_samples import answers_of, held_out, imitate_people, told, weigh_samples
from learn_llm.minimal_impls.why_rl_settings import Config
from learn_llm.rollouts import respond
from learn_llm.training import Setup

TITLES = {"base": "base", "sft": "SFT", "rl": "RL", "both": "SFT, then RL"}
CLAIM = (
    "From the base and with as many responses, half of them demonstrations and then half of them own samples with a "
    "reward reach a higher gold score than demonstrations alone, and than own samples alone"
)


def measure(config: Config, setup: Setup) -> Generator[Event, None, tuple[bool, dict[str, float]]]:
    """Train the three arms from the base and ask all four the same held-out prompts."""
    half, prompts = config.samples, held_out(config, setup)
    answers = {"base": respond(setup, setup.model, prompts, config.max_new_tokens)}
    with tempfile.TemporaryDirectory() as scratch:
        folders = {name: Path(scratch, name) for name in ("sft", "rl", "first", "both")}
        yield from told("sft", imitate_people(config, config.base, 2 * half, folders["sft"]))
        alone = yield from told("rl", weigh_samples(config, config.base, 2 * half, folders["rl"]))
        yield from told("both", imitate_people(config, config.base, half, folders["first"]))
        after = yield from told("both", weigh_samples(config, str(folders["first"]), half, folders["both"]))
        answers |= {arm: answers_of(config, setup, folders[arm], prompts) for arm in ("sft", "rl", "both")}
    lines = (
        Series(TITLES["rl"], tuple(2 * half * i / len(alone) for i in range(len(alone))), tuple(alone)),
        Series(TITLES["both"], tuple(half + half * i / len(after) for i in range(len(after))), tuple(after)),
    )
    yield Chart("line", "Gold score of what is sampled", "responses used so far", "gold", lines)

    judge = reward_of(config.reward_model, setup)
    gold = {name: [response.gold for response in some] for name, some in answers.items()}
    used = {"base": (0, 0), "sft": (2 * half, 0), "rl": (0, 2 * half), "both": (half, half)}
    rows = tuple(
        (
            TITLES[name],
            *used[name],
            round(statistics.fmean(response.ended for response in some), 3),
            round(statistics.fmean(judge(some)), 3),
            round(statistics.fmean(gold[name]), 3),
        )
        for name, some in answers.items()
    )
    columns = ("arm", "demonstrations", "samples", "ended", "reward", "gold")
    yield Table(f"{2 * half} responses each; {len(prompts)} held-out prompts", columns, rows)
    heights = tuple(statistics.fmean(some) for some in gold.values())
    yield Chart("bar", "Gold score", "", "gold", (Series("gold", tuple(TITLES.values()), heights),))
    over_sft, over_rl = (difference(gold["both"], gold[arm]) for arm in ("sft", "rl"))
    measured = {f"gold_{name}": statistics.fmean(some) for name, some in gold.items()}
    measured |= {"both_over_sft": over_sft.mean, "both_over_sft_low": over_sft.low}
    measured |= {"both_over_rl": over_rl.mean, "both_over_rl_low": over_rl.low}
    return over_sft.low > 0 and over_rl.low > 0, measured
