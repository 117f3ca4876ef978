"""Chain of Hindsight: good and bad answers side by side, each behind words that say which it is, and plain imitation.

    x = prompt · "this one is bad:" · y- · "this one is good:" · y+            (`minimal_impls/coh.py`, run here)
    L = -1/N Σ 1[x_t belongs to an answer]·log p(x_t | x_<t)

The bundled SFT model is trained on pairs, a good answer and one with a flaw, with the annotators' feedback, as chains
and one by one.  Then it is asked for good and for bad answers to prompts that were kept back.  Beside it stands
conditional SFT: the same pairs and feedback, and never a chain.  A chain also shows the mask: which tokens carry loss.
So short a run does without the pretraining text that the paper mixes in; `--lam 1.5` has it, too.

Claim: no gradient reaches the logits that predict prompt or feedback; and the gold score of answers is higher when good
ones are asked for than when bad ones are, by at least 0.02 (lower end of the 95 % interval, paired over prompts).  Not
claimed is that chains widen that gap: in the paper (Liu et al. 2023, arXiv 2302.02676) they help at 6 billion
parameters; here both gaps are shown, with the interval of their difference.

`--break` deals all feedback to other answers: words that say nothing about the answer behind them.

    python -m learn_llm.demos.chain_of_hindsight [--lam 1.5] [--break]
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Note, Series, TokenRow, Tokens, Verdict
from learn_llm.minimal_impls import coh
from learn_llm.minimal_impls.coh_rows import ARMS, C_SFT, COH, Kind, Row, Writer, judged, loss_mask
from learn_llm.running import RunConfig, main
from learn_llm.training import Setup, generator, prepare, token_logprobs

LEAST = 0.02
PAIRS, BATCH = 1_600, 16
SHOWN = (
    "gap", "ci_low", "ci_high", "gap_difference", "gap_difference_low", "gap_difference_high", "gold", "kl",
)  # fmt: skip


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    steps: int = 100
    """Training steps of each arm, 16 pairs each."""
    lam: float = 0.0
    """λ, the weight of the loss on pretraining text, which is mixed in above 0."""
    noise: float = 0.25
    """How noisy the annotators are; 0: they never err."""
    feedback: Kind = "mixed"
    """What is said of an answer: good or bad, a remark in words, either of them, or a number."""

    def __post_init__(self) -> None:
        catalogue.check("chain-of-hindsight", self)


def a_chain(setup: Setup, config: coh.Config) -> Row:
    """A prompt with two answers, each behind its feedback."""
    pairs = coh.preference_pairs(setup, dataclasses.replace(config, pairs=1))
    writer = Writer(setup.encoder, config.feedback, chains=1.0)
    [row] = writer.rows(judged(pairs.train, generator(config, "shown"))[0], ARMS[COH], generator(config, "shown"))
    return row


def carried(setup: Setup, config: coh.Config, row: Row) -> tuple[list[float], list[float]]:
    """What each token of a row costs in nats, and the largest gradient of the loss on a logit that predicts it.

    Nothing predicts the first token: it has 0 in both.
    """
    seen: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], logits: Tensor) -> None:
        seen.append(logits)

    hook = setup.model.lm_head.register_forward_hook(keep)
    loss = coh.feedback_loss(setup, config, [row], None, sum(loss_mask(row.roles, config.scope)))
    hook.remove()
    [gradient] = torch.autograd.grad(loss, seen)  # (1, T, V): position t predicts token t + 1
    nats = -token_logprobs(seen[0].detach(), torch.tensor([row.ids]))  # (1, T-1)
    return [0.0, *nats[0].tolist()], [0.0, *gradient[0, :-1].abs().amax(-1).tolist()]


def run(config: Config) -> Iterator[Event]:
    """Show where a chain carries loss; then CoH and conditional SFT as their own file runs them."""
    settings = coh.Config(
        seed=config.seed,
        break_=config.break_,
        arms=(C_SFT,),
        pairs=PAIRS,
        pairs_from="edits",
        batch_size=BATCH,
        steps=config.steps,
        lam=config.lam,
        noise=config.noise,
        feedback=config.feedback,
        device="cpu",
    )
    setup = prepare(settings)
    row = a_chain(setup, settings)
    nats, gradients = carried(setup, settings, row)
    words = tuple(str(setup.encoder.tokenizer.backend.id_to_token(i)) for i in row.ids)
    rows = (TokenRow("cross-entropy", tuple(nats)), TokenRow("gradient", tuple(gradients)))
    yield Tokens(words, rows, "A chain: what each token costs, and where the loss pulls")
    yield Note("Prompt and feedback get no gradient: only answers and their ends are learnt.")
    given = max(size for size, role in zip(gradients, row.roles, strict=True) if not role)
    answers = max(size for size, role in zip(gradients, row.roles, strict=True) if role)
    for event in coh.run(settings):
        if not isinstance(event, Verdict):
            yield event
            continue
        yield bars(event.measured)
        yield Verdict(
            "Prompt and feedback get no gradient, and on unseen prompts CoH answers better when asked for a good "
            f"answer than when asked for a bad one, by at least {LEAST:g} in gold",
            given == 0 < answers and event.measured["ci_low"] > LEAST,
            {
                **{name: event.measured[name] for name in SHOWN},
                "gap_without_chains": event.measured["gap"] - event.measured["gap_difference"],
                "gradient_at_prompt": given,
                "gradient_at_response": answers,
            },
        )


def bars(measured: Mapping[str, float]) -> Chart:
    """Gold scores of both arms when they are asked for good and for bad answers."""
    good = (measured["gold"], measured["gold"] - measured["gold_difference"])
    gaps = (measured["gap"], measured["gap"] - measured["gap_difference"])
    bad = tuple(gold - gap for gold, gap in zip(good, gaps, strict=True))
    arms = ("CoH", "conditional SFT")
    series = (Series("asked for good", arms, good), Series("asked for bad", arms, bad))
    return Chart("bar", "Gold score on prompts kept back", "", "gold", series)


if __name__ == "__main__":
    main(run, Config)
