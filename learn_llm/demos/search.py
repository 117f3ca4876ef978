"""Search: depth-first, breadth-first, uniform-cost, greedy and A* are one loop with five orders; a genetic algorithm is
not.

A frontier holds the cells seen and not yet visited.  Take the first of the frontier, visit it, put its neighbours in,
until the goal is taken out.  Which one is first decides everything (g: cost so far, h: estimate of the cost still to
come):

    depth-first     the newest          little memory, any path
    breadth-first   fewest steps        optimal in steps, blind to costs
    uniform-cost    lowest g            optimal (Dijkstra)
    greedy          lowest h            fast, any path
    A*              lowest g + h        optimal if h never overestimates; then it never visits more than uniform-cost
                                        (Hart, Nilsson and Raphael 1968); h: steps left without walls and mud

The genetic algorithm keeps a population of whole paths, crosses two where they meet, re-draws a stretch at random,
and keeps the cheapest.  It promises nothing, needs no h, and works where there is no step-by-step structure to
search.

Claim: over many mazes A* and uniform-cost search pay exactly the optimum (found apart from both by relaxing every
edge until nothing changes), A* never visits more cells, and breadth-first takes the fewest steps but mostly pays
more.  `--break` multiplies h by 10.  It then overestimates, and the proof of optimality is gone with it, and so is
the optimum.

    python -m learn_llm.demos.search [--weight 2] [--break]
"""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

Cell = tuple[int, int]
"""Row and column."""
Maze = dict[Cell, int]
"""Open cells and what it costs to enter each; what is not in it is a wall."""
MUD = 5
"""Cost of entering a muddy cell; a dry one costs 1."""


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    rows: int = 15
    """Height of the mazes in cells, walls included."""
    columns: int = 37
    """Width of the mazes in cells, walls included."""
    mud: float = 0.15
    """Share of the open cells that are muddy: entering one costs 5 instead of 1."""
    loops: float = 0.6
    """Share of the inner walls knocked out, so that there is more than one way."""
    weight: float = 1.0
    """A* orders by g + weight·h; above 1 it may miss the optimum."""
    mazes: int = 20
    """Mazes searched; the first one is drawn."""

    def __post_init__(self) -> None:
        catalogue.check("search", self)


class Node(NamedTuple):
    """One entry of the frontier: a way to reach a cell."""

    cell: Cell
    came_from: Cell | None
    cost: int
    """g: cost of the way so far."""
    steps: int
    left: int
    """h: steps to the goal if there were no walls; never more than the true cost, as every step costs at least 1."""
    tick: int
    """How many nodes were made before this one."""


class Route(NamedTuple):
    """What a search found, and how many cells it visited for it."""

    path: list[Cell]
    cost: int
    visited: int


Order = Callable[[Node], float]


def depth_first(node: Node) -> float:
    return -node.tick


def breadth_first(node: Node) -> float:
    return node.steps


def uniform_cost(node: Node) -> float:
    return node.cost


def greedy(node: Node) -> float:
    return node.left


def a_star(weight: float = 1.0) -> Order:
    return lambda node: node.cost + weight * node.left


def neighbours(maze: Maze, cell: Cell) -> list[Cell]:
    """Open cells above, below, left and right."""
    row, column = cell
    around = ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
    return [near for near in around if near in maze]


def search(maze: Maze, start: Cell, goal: Cell, order: Order) -> Route:
    """Best-first search from start to goal, always visiting the node with the lowest `order`.

    ValueError where there is no way.

    >>> corridor = {(0, 0): 1, (0, 1): 9, (0, 2): 1}
    >>> search(corridor, (0, 0), (0, 2), uniform_cost)
    Route(path=[(0, 0), (0, 1), (0, 2)], cost=10, visited=3)
    """
    tick = count()
    frontier = [(0.0, next(tick), Node(start, None, 0, 0, 0, 0))]
    parent: dict[Cell, Cell | None] = {}
    while frontier:
        node = heapq.heappop(frontier)[-1]
        if node.cell in parent:  # visited already, by a way that came first in the order
            continue
        parent[node.cell] = node.came_from
        if node.cell == goal:
            return Route(trace(parent, goal), node.cost, visited=len(parent))
        for cell in neighbours(maze, node.cell):
            if cell not in parent:
                left = abs(cell[0] - goal[0]) + abs(cell[1] - goal[1])
                new = Node(cell, node.cell, node.cost + maze[cell], node.steps + 1, left, next(tick))
                heapq.heappush(frontier, (order(new), new.tick, new))  # equal orders: the older one first
    raise ValueError(f"no way from {start} to {goal}")


def trace(parent: dict[Cell, Cell | None], cell: Cell) -> list[Cell]:
    """The way back from a cell along its parents, turned round."""
    path = [cell]
    while (before := parent[path[-1]]) is not None:
        path.append(before)
    return path[::-1]


def path_cost(maze: Maze, path: list[Cell]) -> int:
    """What a path costs: every cell that it enters; it stands on the first one already."""
    return sum(maze[cell] for cell in path[1:])


def relax(maze: Maze, start: Cell, goal: Cell) -> float:
    """Cost of the cheapest way, in no order of visiting: lower each cell's cost until none changes (Bellman-Ford).

    Straight on through the mud costs 5 + 1, around it four times 1:

    >>> relax({(0, 0): 1, (0, 1): 5, (0, 2): 1, (1, 0): 1, (1, 1): 1, (1, 2): 1}, (0, 0), (0, 2))
    4.0
    """
    best = dict.fromkeys(maze, float("inf")) | {start: 0.0}
    changed = True
    while changed:
        changed = False
        for cell in [*maze, *reversed(maze)]:
            cost = min((best[near] for near in neighbours(maze, cell)), default=float("inf")) + maze[cell]
            if cost < best[cell]:
                best[cell], changed = cost, True
    return best[goal]


def without_loops(path: list[Cell]) -> list[Cell]:
    """The path with every detour cut out that comes back to a cell already visited.

    >>> without_loops([(0, 0), (0, 1), (1, 1), (0, 1), (0, 2)])
    [(0, 0), (0, 1), (0, 2)]
    """
    kept: list[Cell] = []
    for cell in path:
        if cell in kept:
            del kept[kept.index(cell) :]
        kept.append(cell)
    return kept


def genetic(maze: Maze, start: Cell, goal: Cell, rng: random.Random, population: int, generations: int) -> Route:
    """Evolve paths: the cheaper half survives; a child is two parents joined where they meet, one stretch re-drawn."""
    visited = 0

    def draw(a: Cell, b: Cell) -> list[Cell]:
        nonlocal visited
        route = search(maze, a, b, lambda node: rng.random())  # visiting in random order gives a random path
        visited += route.visited
        return route.path

    def crossover(a: list[Cell], b: list[Cell]) -> list[Cell]:
        meet = rng.choice([cell for cell in a if cell in b])  # start and goal at least
        return without_loops(a[: a.index(meet)] + b[b.index(meet) :])

    def mutate(path: list[Cell]) -> list[Cell]:
        i, j = sorted(rng.sample(range(len(path)), 2))
        return without_loops(path[:i] + draw(path[i], path[j]) + path[j + 1 :])

    paths = [draw(start, goal) for _ in range(population)]
    for _ in range(generations):
        parents = sorted(paths, key=lambda path: path_cost(maze, path))[: population // 2]
        paths = parents + [mutate(crossover(*rng.sample(parents, 2))) for _ in range(population - len(parents))]
    best = min(paths, key=lambda path: path_cost(maze, path))
    return Route(best, path_cost(maze, best), visited)


def make_maze(rng: random.Random, rows: int, columns: int, mud: float, loops: float) -> Maze:
    """A random maze: rooms at odd rows and columns, joined into a tree, then some inner walls removed, then mud.

    The tree is drawn by walking to unvisited rooms and backtracking when stuck, so there is a way between any two.
    """
    rooms = {(row, column) for row in range(1, rows - 1, 2) for column in range(1, columns - 1, 2)}
    around = {
        room: [(room[0] + i, room[1] + j) for i, j in ((-2, 0), (2, 0), (0, -2), (0, 2))] for room in sorted(rooms)
    }
    opened: set[Cell] = {(1, 1)}
    walk = [(1, 1)]
    while walk:
        ways = [room for room in around[walk[-1]] if room in rooms and room not in opened]
        if not ways:
            walk.pop()
            continue
        room = rng.choice(ways)
        opened |= {room, between(walk[-1], room)}
        walk.append(room)
    for room, ways in around.items():
        opened |= {between(room, other) for other in ways if other in rooms and rng.random() < loops / 2}  # seen twice
    return {cell: MUD if rng.random() < mud else 1 for cell in sorted(opened)}


def between(a: Cell, b: Cell) -> Cell:
    """The cell in the middle of two rooms."""
    return (a[0] + b[0]) // 2, (a[1] + b[1]) // 2


def drawing(maze: Maze, path: list[Cell], rows: int, columns: int) -> tuple[Series, ...]:
    """The maze without its outer wall as a heat-map: 0 open, 1 mud, 3 wall, 6 path."""
    shade = {cell: float(cost == MUD) for cell, cost in maze.items()} | dict.fromkeys(path, 6.0)
    inside = range(1, columns - 1)
    labels = tuple(str(column) for column in inside)
    return tuple(Series(str(i), labels, tuple(shade.get((i, j), 3.0) for j in inside)) for i in range(1, rows - 1))


def run(config: Config) -> Iterator[Event]:
    """Search every maze in every order, compare with the optimum, draw the first."""
    rng = random.Random(config.seed)
    weight = 10.0 if config.break_ else config.weight
    orders = {
        "depth-first": depth_first,
        "breadth-first": breadth_first,
        "uniform-cost": uniform_cost,
        "greedy": greedy,
        "A*": a_star(weight),
    }
    start, goal = (1, 1), ((config.rows - 1) // 2 * 2 - 1, (config.columns - 1) // 2 * 2 - 1)  # first and last room
    over: dict[str, list[float]] = {name: [] for name in orders}  # cost above the optimum, as a share of it
    visited: dict[str, list[int]] = {name: [] for name in orders}
    fewest_steps = 0
    for index in range(1, config.mazes + 1):
        maze = make_maze(rng, config.rows, config.columns, config.mud, config.loops)
        optimum = relax(maze, start, goal)
        routes = {name: search(maze, start, goal, order) for name, order in orders.items()}
        for name, route in routes.items():
            over[name].append(path_cost(maze, route.path) / optimum - 1)
            visited[name].append(route.visited)
        fewest_steps += len(routes["breadth-first"].path) - 1 == relax(dict.fromkeys(maze, 1), start, goal)
        yield Metrics(index, config.mazes, {"visited_ratio": routes["A*"].visited / routes["uniform-cost"].visited})
        if index == 1:
            evolved = genetic(maze, start, goal, random.Random(config.seed), population=20, generations=20)
            for name in ("breadth-first", "A*"):
                title = f"{name}: {len(routes[name].path) - 1} steps, cost {routes[name].cost} (optimum {optimum:g})"
                yield Chart("heatmap", title, "", "", drawing(maze, routes[name].path, config.rows, config.columns))
            yield Note("In the maps the path is darkest, then walls, mud, open cells. From top left to bottom right.")
            yield Table(
                "The first maze",
                ("method", "steps", "cost", "cells visited"),
                tuple((n, len(r.path) - 1, r.cost, r.visited) for n, r in (routes | {"genetic": evolved}).items()),
            )

    means = {name: sum(counts) / config.mazes for name, counts in visited.items()}
    yield Chart(
        "bar",
        f"Cells visited, mean of {config.mazes} mazes",
        "method",
        "cells",
        (Series("visited", tuple(means), tuple(means.values())),),
    )
    if config.break_:
        yield Note(
            "--break: the heuristic of A* is ten times too high, so the first way it finds need not be the cheapest."
        )
    dearer = sum(share > 0 for share in over["breadth-first"])
    optimal = sum(a == b == 0 for a, b in zip(over["A*"], over["uniform-cost"], strict=True))
    fewer = sum(a <= b for a, b in zip(visited["A*"], visited["uniform-cost"], strict=True))
    yield Verdict(
        "A* and uniform-cost search pay exactly the optimum in every maze, A* never visits more cells, and "
        "breadth-first takes the fewest steps in every maze but pays more in most",
        holds=optimal == fewer == fewest_steps == config.mazes and dearer > config.mazes / 2,
        measured={
            "mazes": config.mazes,
            "optimal": optimal,
            "visits_no_more": fewer,
            "a_star_extra_cost": max(over["A*"]),
            "visited_ratio": means["A*"] / means["uniform-cost"],
            "bfs_fewest_steps": fewest_steps,
            "bfs_dearer": dearer,
            "bfs_extra_cost": sum(over["breadth-first"]) / config.mazes,
        },
    )


if __name__ == "__main__":
    main(run, Config)
