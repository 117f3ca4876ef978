"""What a claim of docs/results.md is, and the run that measures it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

METHODS = "minimal_impls"
NO_FIGURE = "a direction, no figure"
COH = "Liu et al. 2023, arXiv 2302.02676"


@dataclass(frozen=True)
class Claim:
    """One claim about one number."""

    text: str
    number: str
    """A name in the verdict, its size as "|name|", or two of either with " - " or " / " between them."""
    source: str
    """The source's figure and its place."""
    side: Literal["above", "below"] = "above"
    """On which side of the bound the source says that it lies."""
    bound: float = 0.0
    not_comparable: str = ""
    """Why nothing follows for the source, if so."""


@dataclass(frozen=True)
class Run:
    """A file of the package with its settings."""

    module: str
    about: str
    claims: tuple[Claim, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    """Modules that it imports by name."""
    command: str = ""
    """Where it is not run as a module."""
    tables: tuple[str, ...] = ()
    """How the titles of its tables begin that are worth a mean over the seeds."""
