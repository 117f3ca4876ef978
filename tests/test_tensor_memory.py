"""Memory of tensors, counted by hand."""

import doctest

import torch

from learn_llm import tensor_memory
from learn_llm.tensor_memory import Peak


def test_the_examples_in_docstrings_are_true() -> None:
    result = doctest.testmod(tensor_memory)
    assert result.attempted > 0
    assert result.failed == 0


def test_a_training_step() -> None:
    """What was there before counts when it is used; the way back counts; a second look does not count twice."""
    weight, x = torch.randn(100, 100, requires_grad=True), torch.randn(50, 100)
    peak, found = Peak(), []
    for _ in range(2):
        with peak:
            (x @ weight).square().sum().backward()
        assert weight.grad is not None
        weight.grad = None
        found.append(peak.bytes)
    both, product = 40_000 + 20_000, 20_000
    assert found[0] == found[1]
    assert both + 2 * product + 40_000 <= found[0] <= both + 4 * product + 40_000 + 100


def test_what_is_not_kept_for_the_way_back_is_not_held() -> None:
    def held(chain: int, grad: bool) -> int:
        x, peak = torch.randn(1000, requires_grad=grad), Peak()
        with peak:
            y = x
            for _ in range(chain):
                y = y.exp()
        return peak.bytes

    assert held(8, grad=False) == held(2, grad=False) == 3 * 4000
    assert held(8, grad=True) == 9 * 4000
