"""By what a question is listed and found; apart from the rest of its header so that the app starts fast."""

import re
from dataclasses import dataclass

LEVELS = ("basic", "intermediate", "advanced")
TOPICS = (
    "foundations",
    "data",
    "classical-ml",
    "evaluation",
    "search",
    "probability",
    "neural-networks",
    "optimisation",
    "reinforcement-learning",
    "language-models",
    "transformers",
    "fine-tuning",
    "alignment",
    "efficiency",
    "responsible-ai",
)
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Problem:
    """What is wrong in a file of the bank, where (`line` is counted from 1), and what to do."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.message}"


@dataclass(frozen=True)
class Index:
    """The fields by which a question is listed and found; each stands on one line of the header."""

    id: str
    number: int
    level: str
    topics: tuple[str, ...]
    question: str
    demo: str
