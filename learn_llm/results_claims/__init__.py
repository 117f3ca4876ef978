"""The claims of docs/results.md: what is run, which number of its verdict is looked at, and what the source says."""

import difflib
from collections.abc import Mapping

from learn_llm.errors import UserError
from learn_llm.results_claims import feedback, language, ways
from learn_llm.results_claims.claim import Run

RUNS: Mapping[str, Run] = {**feedback.RUNS, **language.RUNS, **ways.RUNS}


def known(name: str) -> None:
    """Raises UserError where there is no run of this name, with those that are near."""
    if name not in RUNS:
        near = difflib.get_close_matches(name, RUNS, 3, cutoff=0.4)
        raise UserError(f"there is no run {name!r}; there are {', '.join(near or RUNS)}")
