"""The settings that the reasons of `why_rl.py` share."""

from dataclasses import dataclass
from typing import Literal

from learn_llm.errors import UserError
from learn_llm.running import RunConfig

ROUND = 192
"""Samples a round of PPO; a round of imitating the best draws twice as many."""


@dataclass(frozen=True)
class Config(RunConfig):
    """What is measured."""

    reason: Literal[0, 1, 2, 3, 4, 5] = 0
    """Which one; 0: reasons 3 and 4, what either objective sees and what comes of it."""
    full: bool = False
    """All five; what is finished is kept, and the same command goes on where it stopped."""
    model: str = "tiny-sft"
    """The model that reason 3 asks and reason 4 goes on from: a bundled name or a folder."""
    base: str = "tiny-base"
    """The model that reasons 1 and 5 start from, which has not learnt to answer: a bundled name or a folder."""
    reward_model: str = "tiny-reward"
    """What scores samples: a bundled name or a folder made by reward_model.py."""
    pairs: int = 320
    """Pairs of reason 3."""
    samples: int = 1152
    """Demonstrations that an arm of reason 4 reads, or samples that it draws and has scored; reason 5: twice that."""
    prompts: int = 384
    """Held-out prompts that arms are compared on."""
    max_new_tokens: int = 40
    """The longest response."""
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    """Where the models run; "auto": CUDA, else MPS, else CPU."""

    def __post_init__(self) -> None:
        for name in ("pairs", "prompts"):
            if getattr(self, name) < 2:
                raise UserError(f"--{name} must be at least 2: it is {getattr(self, name)}")
        if self.samples < 1 or self.samples % (2 * ROUND):
            raise UserError(f"--samples comes in rounds: a multiple of {2 * ROUND}, not {self.samples}")
