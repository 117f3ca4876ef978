"""The examples in the docstrings of the light modules are true.  Other rooms run theirs in their own tests."""

import doctest
import importlib

import pytest

LIGHT = ("canvas", "charts", "errors", "events", "glossary", "running", "terminal")


@pytest.mark.parametrize("name", LIGHT)
def test_the_examples_in_docstrings_are_true(name: str) -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testmod(importlib.import_module(f"learn_llm.{name}"), optionflags=flags)
    assert result.failed == 0
