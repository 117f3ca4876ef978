"""Which tokens of a chain carry loss."""

from collections.abc import Iterator, Sequence
from random import Random

TARGET = "learn_llm.minimal_impls.coh_rows:loss_mask"


def cases(rng: Random) -> Iterator[dict[str, object]]:
    for scope in ("all", "last"):
        for answers in (1, 2, 2, 1):
            roles = [0] * rng.randint(1, 4)
            for number in range(1, answers + 1):
                roles += [0] * rng.randint(1, 3) + [number] * rng.randint(1, 5)
            yield {"roles": roles, "scope": scope}


def wrong_everything(roles: Sequence[int], scope: str) -> list[int]:
    return [1] * len(roles)


def wrong_always_all(roles: Sequence[int], scope: str) -> list[int]:
    return [int(role > 0) for role in roles]


def wrong_second_only(roles: Sequence[int], scope: str) -> list[int]:
    return [int(role >= (1 if scope == "all" else 2)) for role in roles]


def wrong_first(roles: Sequence[int], scope: str) -> list[int]:
    return [int(role > 0 if scope == "all" else role == 1) for role in roles]


def wrong_inverted(roles: Sequence[int], scope: str) -> list[int]:
    least = 1 if scope == "all" else max(1, *roles)
    return [int(role < least) for role in roles]


def wrong_roles_kept(roles: Sequence[int], scope: str) -> list[int]:
    least = 1 if scope == "all" else max(1, *roles)
    return [role if role >= least else 0 for role in roles]


def wrong_from_there_on(roles: Sequence[int], scope: str) -> list[int]:
    start = list(roles).index(1 if scope == "all" else max(1, *roles))
    return [int(place >= start) for place in range(len(roles))]
