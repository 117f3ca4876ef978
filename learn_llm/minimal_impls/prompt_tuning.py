"""Prompt tuning: freeze the model and learn k vectors that stand before its input.

    [p₁ … p_k, e(x₁) … e(x_T)]      L = -1/N Σ log π(y_t | p, x, y_<t), and the gradient goes to p alone
                                    (Lester, Al-Rfou and Constant 2021, arXiv 2104.08691, section 2)

Attention reads the vectors in every layer, so they act as an instruction that nobody has to word.  They are k·d numbers
(d, the model's width), fewer than any other way of training has, and they only steer: what the model cannot do with any
prompt, it does not learn here.

Implementation details
  1. The vectors are the embeddings of k virtual tokens, numbered from the end of the vocabulary.  A prompt begins with
     these ids, so padding, positions, cache and sampling work as for words.  As next tokens they have a logit of -10⁹:
     they are never sampled, and what is learnt of words stays as it was.
  2. They start as the embeddings of random words of the vocabulary; vectors of noise are a worse start for small models
     (section 3.2).
  3. They want a far larger learning rate than weights do (the paper: 0.3, with Adafactor).
  4. The gradient passes back through every frozen layer: a step costs about two thirds of a full one.  What is saved
     is the memory of gradients and moments, and the size of what is kept for each task.
  5. A soft prompt belongs to the one model whose gradients made it: the file says which, and no other is accepted.
  6. The k positions are taken from the context in every request.
  7. `--out` keeps the vectors alone; `load_prompt(load("tiny-sft")[0], file)` is the tuned model again, and a prompt
     goes `behind` them.
Left out: starting from class names, prompts made by a network (p-tuning), vectors in every layer (prefix tuning).

    python -m learn_llm.minimal_impls.prompt_tuning                                  # tiny world; --full: lengths
    python -m learn_llm.minimal_impls.prompt_tuning --model smollm2 --data demonstrations.jsonl --soft-tokens 20
"""

import copy
import hashlib
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from learn_llm.errors import UserError
from learn_llm.evaluation import difference, held_out_losses, side_by_side
from learn_llm.events import Chart, Event, Note, Series, Stage, Table, Verdict
from learn_llm.examples import Demonstration, Prompt
from learn_llm.gpt import GPT
from learn_llm.minimal_impls import lora
from learn_llm.minimal_impls.variants import full
from learn_llm.rollouts import Response, respond
from learn_llm.running import main
from learn_llm.training import Setup, TrainConfig, prepare, torch_generator

FILE = "soft_prompt.safetensors"
LEAST = 0.1
"""What the soft tokens must add to the gold score; random words in front add up to 0.03 by chance."""


@dataclass(frozen=True)
class Config(TrainConfig):
    """How a prompt is tuned.  The numbers in brackets are the details above."""

    model: str = "tiny-sft"
    """The frozen base: a bundled name, a folder, or a hub name of the Llama family."""
    steps: int = 60
    """Optimiser steps of each arm."""
    batch_size: int = 32
    """Demonstrations a step."""
    learning_rate: float = 0.1
    """Peak of the schedule, AdamW (3)."""
    soft_tokens: int = 16
    """k, how many vectors stand before the input."""
    other_lengths: tuple[int, ...] = ()
    """Other k to train, too, for the curve; tiny world only."""
    demonstrations: int = 4_000
    """How many flawless answers a careful writer of the tiny world leaves."""
    held_out_prompts: int = 256
    """Prompts that the score is measured on, tiny world only."""
    max_new_tokens: int = 40
    """The longest response when the model is asked."""
    full: bool = False
    """Run every variant (`variants.py`); what is finished is kept, and the same command goes on where it stopped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(1, "soft_tokens", "demonstrations", "held_out_prompts", "max_new_tokens")
        if any(k < 1 or k == self.soft_tokens for k in self.other_lengths):
            raise UserError(f"--other-lengths must be at least 1 and not --soft-tokens: they are {self.other_lengths}")


class SoftEmbedding(nn.Module):
    """An embedding with k trained rows behind the frozen ones of the vocabulary (detail 1)."""

    def __init__(self, base: nn.Module, vectors: Tensor) -> None:
        super().__init__()
        self.base = base
        self.vectors = nn.Parameter(vectors)

    @property
    def weight(self) -> Tensor:
        """The words' embeddings, (V, d)."""
        return self.base.get_parameter("weight")

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) of words below V and virtual tokens from V on -> (B, T, d)."""
        return embedded(ids, self.weight, self.vectors)


class SoftHead(nn.Module):
    """The head with k logits more that no softmax sees."""

    def __init__(self, base: nn.Module, k: int) -> None:
        super().__init__()
        self.base, self.k = base, k

    def forward(self, hidden: Tensor) -> Tensor:
        """(..., d) -> (..., V + k)."""
        return F.pad(self.base(hidden), (0, self.k), value=-1e9)


def embedded(ids: Tensor, words: Tensor, vectors: Tensor) -> Tensor:
    """Rows of `words` (V, d) for ids below V, rows of `vectors` (k, d) for those from V on.

    >>> words, vectors = torch.tensor([[1.0, 1.0], [2.0, 2.0]]), torch.tensor([[0.3, -0.7]])
    >>> embedded(torch.tensor([2, 0]), words, vectors)
    tensor([[ 0.3000, -0.7000],
            [ 1.0000,  1.0000]])
    """
    virtual = ids >= len(words)
    soft = F.embedding((ids - len(words)).clamp(min=0), vectors)
    return torch.where(virtual[..., None], soft, F.embedding(ids.masked_fill(virtual, 0), words))


def soft_prompt(model: GPT, vectors: Tensor) -> GPT:
    """Freeze the model and give it k virtual tokens with these embeddings, (k, d); the model itself is changed."""
    model.requires_grad_(False)
    soft = SoftEmbedding(model.model.embed_tokens, vectors.detach().clone().to(model.device))
    model.set_submodule("model.embed_tokens", soft)
    model.set_submodule("lm_head", SoftHead(model.lm_head, len(vectors)))
    return model


def random_words(model: GPT, k: int, generator: torch.Generator) -> Tensor:
    """The embeddings of k random words, (k, d): where the vectors start (detail 2)."""
    rows = torch.randint(model.config.vocab_size, (k,), generator=generator)
    return model.model.embed_tokens.weight.detach()[rows.to(model.device)].clone()


def behind(model: GPT, prompt: Prompt) -> Prompt:
    """The prompt with all virtual tokens of the model before it."""
    soft = model.model.embed_tokens
    k = len(soft.vectors) if isinstance(soft, SoftEmbedding) else 0
    size = model.config.vocab_size
    return replace(prompt, ids=(*range(size, size + k), *prompt.ids))


def all_behind(model: GPT, data: Sequence[Demonstration]) -> list[Demonstration]:
    """The demonstrations with the virtual tokens before their prompts."""
    return [Demonstration(behind(model, row.prompt), row.response) for row in data]


# What is kept


def fingerprint(model: GPT) -> str:
    """Which base this is: a digest of its embeddings (detail 5)."""
    weight = model.model.embed_tokens.weight.detach().float().cpu().contiguous()
    return hashlib.sha256(weight.numpy().tobytes()).hexdigest()


def write(model: GPT, file: Path) -> None:
    """Keep what is trained, and nothing of the frozen base but its fingerprint."""
    tensors = {name: p.detach().cpu().contiguous() for name, p in model.named_parameters() if p.requires_grad}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file, metadata={"base": fingerprint(model)})


def keeps(model: GPT) -> Callable[[Path], None]:
    """What `--out` is given to."""
    return lambda folder: write(model, folder / FILE)


def read(file: Path, base: GPT) -> dict[str, Tensor]:
    """What `write` kept, by name.

    Raises:
        UserError: the file cannot be read, or it was made for another base.
    """
    try:
        with safe_open(file, "pt") as stored:
            made_for = (stored.metadata() or {}).get("base")
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(f"{file} cannot be read: {error}") from None
    if made_for != fingerprint(base):
        raise UserError(f"{file} was trained on another base: what it holds means nothing to this one")
    return tensors


def load_prompt(model: GPT, file: Path) -> GPT:
    """The model with a kept soft prompt before its input.  UserError as in `read`."""
    return soft_prompt(model, read(file, model)["model.embed_tokens.vectors"])


# The run


def run(config: Config) -> Iterator[Event]:
    """Train the vectors; in the tiny world with other numbers of them for the curve."""
    if config.full:
        yield from full("prompt_tuning", run, config)
        return
    setup = prepare(config)
    base = setup.model.requires_grad_(False)
    data = lora.careful(config, setup, config.demonstrations, config.held_out_prompts)
    lengths = sorted({config.soft_tokens, *(() if config.data else config.other_lengths)})
    d = base.config.hidden_size
    yield Note(
        f"{config.soft_tokens} soft tokens are {config.soft_tokens}·{d} = {config.soft_tokens * d:,} trained numbers, "
        f"{config.soft_tokens * d / base.num_parameters():.2%} of the base's {base.num_parameters():,}"
    )
    tuned: dict[int, GPT] = {}
    for index, k in enumerate(lengths, 1):
        yield Stage(f"{k} soft tokens", index, len(lengths) + 1)
        start = random_words(base, k, torch_generator(config, "soft tokens", k))
        tuned[k] = soft_prompt(copy.deepcopy(base), start)
        if config.break_:
            continue  # --break: they stay the random words that they start as
        settings = config if k == config.soft_tokens else replace(config, out="", resume=False)
        yield from lora.train(settings, setup, tuned[k], all_behind(tuned[k], data.train), f"k {k}", keeps(tuned[k]))
    yield Stage("held out", len(lengths) + 1, len(lengths) + 1)
    if config.data:
        yield on_a_file(config, setup, base, tuned[config.soft_tokens], data.held_out)
    else:
        yield from compared(config, setup, base, tuned, [row.prompt for row in data.held_out])


def on_a_file(config: Config, setup: Setup, base: GPT, model: GPT, held_out: Sequence[Demonstration]) -> Verdict:
    """Does the loss on held-out responses fall?"""
    before, after = (held_out_losses(setup, m, all_behind(m, held_out)) for m in (base, model))
    gain = difference(before, after)
    measured = {
        "trained_share": lora.trained(model) / base.num_parameters(),
        "loss_before": statistics.fmean(before),
        "loss_after": statistics.fmean(after),
        "loss_fall": gain.mean,
        "ci_low": gain.low,
        "ci_high": gain.high,
    }
    return Verdict("Trained soft tokens lower the loss on held-out responses of a frozen model", gain.low > 0, measured)


def compared(
    config: Config, setup: Setup, base: GPT, tuned: Mapping[int, GPT], prompts: Sequence[Prompt]
) -> Iterator[Event]:
    """Gold scores without and with soft tokens: a table, score against k, and the verdict."""
    answers: dict[str, list[Response]] = {}
    for name, model in (("none", base), *((str(k), model) for k, model in tuned.items())):
        asked = [behind(model, prompt) for prompt in prompts]
        answers[name] = respond(setup, model, asked, config.max_new_tokens)
    gold = {name: [r.gold for r in some] for name, some in answers.items()}
    mean = {name: statistics.fmean(scores) for name, scores in gold.items()}
    most, fewest = str(config.soft_tokens), str(min(tuned))
    yield from side_by_side({"none": answers["none"], f"k {most}": answers[most]}, setup.encoder)
    counts = {"none": 0, **{str(k): lora.trained(model) for k, model in tuned.items()}}
    rows = [(name, count, round(mean[name], 3)) for name, count in counts.items()]
    yield Table("Gold score, -1 to 1", ("soft tokens", "trained", "gold"), tuple(rows))
    line = Series("soft tokens", (0.0, *map(float, tuned)), tuple(mean.values()))
    yield Chart("line", "Gold score against the number of soft tokens", "k", "gold", (line,))

    gain, more = difference(gold[most], gold["none"]), difference(gold[most], gold[fewest])
    measured = {
        "trained_share": counts[most] / base.num_parameters(),
        "gold": mean[most],
        "gold_start": mean["none"],
        "gold_difference": gain.mean,
        "ci_low": gain.low,
        "ci_high": gain.high,
    }
    claim = f"{most} trained soft tokens raise the gold score of a frozen model by at least {LEAST}"
    holds = gain.mean >= LEAST and gain.low > 0
    if most != fewest:
        measured |= {"gold_of_fewest": mean[fewest], "more_tokens": more.mean, "more_tokens_low": more.low}
        claim, holds = f"{claim}, more than {fewest} does", holds and more.low > 0
    yield Verdict(claim, holds, measured)


if __name__ == "__main__":
    main(run, Config)
