"""The PPO arm of coh.py: as many samples of its own as the other arms read answers, scored by the bundled reward model.

It is `ppo.py` as it stands, from the same start, and needs what the other arms do without: a reward model, and samples.
"""

import tempfile
from collections.abc import Generator
from dataclasses import replace

from learn_llm import parallel
from learn_llm.checkpoints import load
from learn_llm.errors import UserError
from learn_llm.events import Event, Metrics
from learn_llm.minimal_impls import ppo
from learn_llm.minimal_impls.coh_rows import PPO
from learn_llm.running import steps_of
from learn_llm.training import Setup


def by_ppo(setup: Setup, answers: int, max_new_tokens: int, at: int, of: int) -> Generator[Event, None, Setup]:
    """Train with so many samples, the `at`-th arm of `of`; returns the setup with what it has trained."""
    if parallel.processes() > 1:
        raise UserError(f"the arm {PPO} runs in one process: start it without accelerate launch, or run ppo.py")
    config = setup.config
    with tempfile.TemporaryDirectory() as scratch:
        out = config.out or scratch
        own = ppo.Config(
            seed=config.seed, device=config.device, dtype=config.dtype, model=config.model, break_=config.break_,
            out=out, resume=config.resume, save_every=config.save_every, max_new_tokens=max_new_tokens,
            steps=max(1, answers // ppo.Config.batch_size),
        )  # fmt: skip
        for event in steps_of(ppo.run(own)):
            step = at * config.steps + event.step * config.steps // event.steps
            yield Metrics(step, of * config.steps, {f"{PPO}/{name}": value for name, value in event.values.items()})
        model, _ = load(out, setup.device)
    return replace(setup, model=model.float())
