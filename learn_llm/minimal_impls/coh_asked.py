"""What the arms of coh.py answer when they are asked for good and for bad answers: one table, and the verdict.

Its last columns are the paper's own, for the same arms at 6 billion parameters (Liu et al. 2023, arXiv 2302.02676).
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from learn_llm.evaluation import difference, interval
from learn_llm.events import Table, Verdict
from learn_llm.examples import Prompt, parts
from learn_llm.gpt import GPT
from learn_llm.minimal_impls.coh_rows import C_SFT, COH, Writer
from learn_llm.rollouts import Response, action_logits, as_actions, respond
from learn_llm.training import Setup


@dataclass(frozen=True)
class Asked:
    """What an arm answered to the same held-out prompts, and what it cost."""

    good: Sequence[Response]
    """Asked for a good answer; asked plainly where the arm knows no feedback."""
    bad: Sequence[Response]
    """Asked for a bad answer; empty where the arm knows no feedback."""
    kl: float
    """Of the good answers from the start, in nats an answer."""

    @property
    def gold(self) -> list[float]:
        """Of the answers when asked for good ones."""
        return [response.gold for response in self.good]

    @property
    def distinct(self) -> float:
        """The share of different answers among them."""
        return len({response.ids for response in self.good}) / len(self.good)

    @property
    def gaps(self) -> list[float]:
        """gold(asked for good) - gold(asked for bad), prompt by prompt."""
        return [g.gold - b.gold for g, b in zip(self.good, self.bad, strict=True)]


def ask(
    setup: Setup, writer: Writer, marked: bool, start: GPT, prompts: Sequence[Prompt], max_new_tokens: int
) -> Asked:
    """Ask an arm for good and for bad answers, or plainly where it never read feedback."""
    good = [writer.ask(prompt, True) if marked else prompt for prompt in prompts]
    bad = [writer.ask(prompt, False) for prompt in prompts] if marked else []
    answers, worse = (respond(setup, setup.model, asked, max_new_tokens) for asked in (good, bad))
    return Asked(answers, worse, kl_to_start(setup.model, start, answers, prompts))


@torch.no_grad()
def kl_to_start(model: GPT, start: GPT, responses: Sequence[Response], plain: Sequence[Prompt]) -> float:
    """KL(model, asked as it was ‖ start, asked plainly) in nats a response, exact per token."""
    total = 0.0
    for some in parts(range(len(responses)), 64):
        asked = [responses[i] for i in some]
        without = [replace(responses[i], prompt=plain[i]) for i in some]
        actions = as_actions(asked, model.device)
        ours, theirs = (
            action_logits(m, as_actions(rows, model.device))[0].log_softmax(-1)
            for m, rows in ((model, asked), (start, without))
        )
        total += float(((ours.exp() * (ours - theirs)).sum(-1) * actions.mask).sum())
    return total / len(responses)


# Liu et al. 2023, Table 4 and section 4: mean ROUGE on summaries, and accuracy on dialogues in %.
PAPER: Mapping[str, tuple[float, float]] = {
    COH: (27.45, 81.2), C_SFT: (25.35, 78.8), "sft": (24.87, 64.8), "sft-on-both": (21.44, 50.6),
    "unlikelihood": (19.56, 42.3), "coh-without-lambda": (22.45, 60.8), "coh-without-masking": (26.65, 79.6),
    "ppo": (25.45, 68.8), "start": (20.23, 43.8),
}  # fmt: skip


def table(asked: Mapping[str, Asked], tokens: Mapping[str, tuple[float, float]], start: float) -> Table:
    """Every arm with its tokens, read and with loss, and the paper's figures for the same arm; PPO reads none."""
    rows: list[tuple[str | float | None, ...]] = [("start", round(start, 3), *[None] * 6, *PAPER["start"])]
    for name, arm in asked.items():
        gold = round(statistics.fmean(arm.gold), 3)
        bad = round(statistics.fmean(response.gold for response in arm.bad), 3) if arm.bad else None
        gap = round(statistics.fmean(arm.gaps), 3) if arm.bad else None
        read = tokens.get(name, (None, None))
        rows.append((name, gold, bad, gap, round(arm.kl, 2), round(arm.distinct, 3), *read, *PAPER[name]))
    title = "Gold score when asked for good and for bad answers, held-out prompts"
    columns = ("arm", "good", "bad", "gap", "KL to start", "distinct", "tokens", "with loss")
    paper = ("paper: ROUGE", "paper: dialogue %")
    return Table(title, (*columns, *paper), tuple(rows))


def verdict(asked: Mapping[str, Asked]) -> Verdict:
    """Do the words that ask make a difference?  And a larger one than without a chain?"""
    coh = asked[COH]
    gap = interval(coh.gaps)
    measured = {
        "gap": gap.mean,
        "ci_low": gap.low,
        "ci_high": gap.high,
        "gold": statistics.fmean(coh.gold),
        "kl": coh.kl,
        "distinct": coh.distinct,
        "prompts": float(len(coh.good)),
    }
    measured |= {f"{name}/gold": statistics.fmean(some.gold) for name, some in asked.items() if name != COH}
    if C_SFT in asked:
        gaps, gold = difference(coh.gaps, asked[C_SFT].gaps), difference(coh.gold, asked[C_SFT].gold)
        for name, found in (("gap_difference", gaps), ("gold_difference", gold)):
            measured |= {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
    claim = "Asked for a good answer, CoH answers unseen prompts better than asked for a bad one"
    return Verdict(claim, gap.low > 0, measured)
