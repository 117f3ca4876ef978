"""What there is to know about a demo before it runs: title, parameters with their ranges, what to look at, what to try.

The app and the command line read this table without importing NumPy or torch.  The ranges here are the only ones: each
demo's Config checks itself with `check`, and a test holds names, defaults and meanings equal to the Config's fields.
The texts are English; `find` gives them in Japanese, too, and `told` does so with what a run says.
Every demo also has `--seed`, and `--break`, which removes the cause of what is shown: then the claim must fail.
"""

import functools
from collections.abc import Mapping

from learn_llm.demos.entries_advanced import ADVANCED
from learn_llm.demos.entries_basic import BASIC
from learn_llm.demos.entries_intermediate import INTERMEDIATE
from learn_llm.demos.entry import Demo, Parameter, Sentence, Words
from learn_llm.errors import UserError

__all__ = ["DEMOS", "SLUGS", "Demo", "Parameter", "check", "find", "is_built", "told"]

SLUGS: tuple[str, ...] = (
    "what-is-ai",
    "preprocessing",
    "activations",
    "learning-paradigms",
    "curse-of-dimensionality",
    "search",
    "bias-variance",
    "regularisation",
    "gradient-descent",
    "backpropagation",
    "loss-functions",
    "imbalanced-metrics",
    "cross-validation",
    "ensembles",
    "clustering-pca",
    "bayesian-networks",
    "explainability-fairness",
    "cnn-vs-mlp",
    "vanishing-gradients",
    "optimisers",
    "normalisation",
    "q-learning",
    "bandits",
    "policy-gradient",
    "generative-vs-discriminative",
    "transfer-learning",
    "tokenisation",
    "embeddings",
    "attention",
    "transformer-masks-positions",
    "perplexity",
    "decoding",
    "kv-cache",
    "scaling-laws",
    "ways-of-training",
    "sft",
    "in-context-learning",
    "icil",
    "lora",
    "adapters-prompt-tuning",
    "quantisation",
    "reward-model",
    "ppo",
    "why-rl",
    "chain-of-hindsight",
    "over-optimisation",
    "kl-dpo",
    "flask",
    "self-instruct",
    "llama2",
)
"""The slugs of all 50 questions in their order: question n is `SLUGS[n - 1]`."""

DEMOS: dict[str, Demo] = {demo.slug: demo for demo in (*BASIC, *INTERMEDIATE, *ADVANCED)}
"""The demos that exist, by slug."""


def find(slug: str, language: str = "en") -> Demo | None:
    """The demo of this slug with its texts in English or, for "ja", in Japanese; None where there is none."""
    demo = DEMOS.get(slug)
    return demo.said_in(_japanese()[slug]) if demo is not None and language == "ja" else demo


def told(slug: str, text: str, language: str) -> str:
    """What a run of this demo claims, notes or writes above a chart or a table.

    As it says it or, for "ja", in Japanese, where that is translated.
    """
    if language != "ja":
        return text
    translated = (one.translated(text) for one in _japanese_sentences() if one.demo == slug)
    return next(filter(None, translated), text)


@functools.cache
def _japanese() -> Mapping[str, Words]:
    from learn_llm.demos import japanese_advanced, japanese_basic, japanese_intermediate

    return {**japanese_basic.WORDS, **japanese_intermediate.WORDS, **japanese_advanced.WORDS}


@functools.cache
def _japanese_sentences() -> tuple[Sentence, ...]:
    from learn_llm.demos import japanese_claims_advanced, japanese_claims_basic, japanese_claims_intermediate
    from learn_llm.demos.japanese_notes import NOTES
    from learn_llm.demos.japanese_titles import TITLES

    claims = (japanese_claims_basic.CLAIMS, japanese_claims_intermediate.CLAIMS, japanese_claims_advanced.CLAIMS)
    return (*claims[0], *claims[1], *claims[2], *NOTES, *TITLES)


def is_built(slug: str) -> bool:
    """Whether this question's demo exists.  UserError where no question has this slug."""
    if slug not in SLUGS:
        raise UserError(f"no question is called {slug!r}; `learn-llm questions` lists all {len(SLUGS)}")
    return slug in DEMOS


def check(slug: str, config: object) -> None:
    """Hold a demo's Config to the ranges of its catalogue entry: UserError naming the option and its range."""
    for parameter in DEMOS[slug].parameters:
        fault = parameter.fault(getattr(config, parameter.name))
        if fault:
            raise UserError(f"{fault} ({parameter.meaning})")
