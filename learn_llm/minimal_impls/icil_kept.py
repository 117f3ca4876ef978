"""What `icil.py --full` keeps: the answers of each arm behind each prefix, so that it goes on where it was stopped."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from learn_llm import kept, kept_runs
from learn_llm.kept_runs import KeptRun
from learn_llm.minimal_impls.icil_scores import Judged
from learn_llm.running import RunConfig


@dataclass(frozen=True)
class Found:
    """The answers so far, as JSON, by arm and draw."""

    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class Answers:
    """The answers of one configuration; with None nothing is looked up and nothing is kept."""

    def __init__(self, config: RunConfig | None) -> None:
        self._found, self._folder = Found(), None
        if config is not None:
            run = KeptRun("minimal_impls.icil", config, kept_runs.store() / "icil")
            self._folder, key = run.folder, run.key()
            self._found = kept.kept(run.folder, key, Found) or self._found
            if run.outdated():
                shutil.rmtree(run.folder)
            kept.begin(run.folder, key)

    def kept(self, arm: str, draw: int) -> list[Judged] | None:
        """The answers of an arm behind the prefix of this draw, if they are kept."""
        found = self._found.answers.get(f"{arm} {draw}")
        return None if found is None else [Judged(**one) for one in found]

    def keep(self, arm: str, draw: int, answers: Sequence[Judged]) -> None:
        """Keep them."""
        if self._folder is not None:
            self._found.answers[f"{arm} {draw}"] = [asdict(one) for one in answers]
            kept.keep(self._folder, self._found)
