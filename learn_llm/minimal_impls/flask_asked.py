"""Who answers FLASK's questions, and who scores the answers: `minimal_impls/flask.py` says what for."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from learn_llm import rollouts
from learn_llm.errors import UserError
from learn_llm.examples import Prompt
from learn_llm.minimal_impls.best_of_n import best
from learn_llm.rollouts import Response, Reward
from learn_llm.training import Setup

ABILITIES = {
    "logical thinking": ("logical_robustness", "logical_correctness", "logical_efficiency"),
    "background knowledge": ("factuality", "commonsense_understanding"),
    "problem handling": ("comprehension", "insightfulness", "completeness", "metacognition"),
    "user alignment": ("readability", "conciseness", "harmlessness"),
}
Scores = Mapping[str, float]
"""The score of each of a question's skills, from 1 to 5."""


@dataclass(frozen=True)
class Candidate:
    """A model as it is used: its checkpoint, the temperature, and how its answer is chosen."""

    name: str
    setup: Setup
    temperature: float
    max_new_tokens: int
    best_of: int = 1
    reward: Reward | None = None
    judge: Reward | None = None
    flat: bool = False

    def __str__(self) -> str:
        chosen = f", the best of {self.best_of} by the reward model" if self.best_of > 1 else ""
        return f"{self.name} at temperature {self.temperature:.3g}{chosen}"

    def answers(self, prompts: Sequence[Prompt], purpose: str) -> list[Response]:
        """One response to each prompt."""
        asked = [prompt for prompt in prompts for _ in range(self.best_of)]
        sampled = rollouts.respond(self.setup, self.setup.model, asked, self.max_new_tokens, self.temperature, purpose)
        return sampled if self.reward is None else [sampled[i] for i in best(self.reward(sampled), self.best_of)]

    def scores(self, responses: Sequence[Response]) -> list[Scores]:
        """The scores of each response; --break: one overall score in place of the skills."""
        found = judged(self.judge, responses)
        return flattened(found) if self.flat else found


def tags(prompt: Prompt) -> tuple[tuple[str, ...], str, int]:
    """Skills, domain and difficulty of a question: the tiny world's own, or what the file's row says."""
    if prompt.item is not None:
        return prompt.item.skills, prompt.item.domain, prompt.item.difficulty
    row = prompt.row
    skills = row.get("skills") or ["overall"]
    return tuple(map(str, skills)), str(row.get("domain") or "none"), int(row.get("difficulty") or 0)


def judged(judge: Reward | None, responses: Sequence[Response]) -> list[Scores]:
    """The scores of each response's skills: by the rules, or by a judge that is asked skill by skill (detail 7)."""
    if judge is None:
        return [response.skills for response in responses]
    found: list[dict[str, float]] = [{} for _ in responses]
    for skill in dict.fromkeys(skill for response in responses for skill in tags(response.prompt)[0]):
        rows = [i for i, response in enumerate(responses) if skill in tags(response.prompt)[0]]
        asked = [replace(responses[i], prompt=with_skill(responses[i].prompt, skill)) for i in rows]
        for i, score in zip(rows, judge(asked), strict=True):
            if not 1 <= score <= 5:
                raise UserError(f"the judge gave {score} for {skill}; scores are from 1 to 5")
            found[i][skill] = score
    return list(found)


def with_skill(prompt: Prompt, skill: str) -> Prompt:
    """The prompt with the skill to be scored in its row, and in the tiny world with its reference answer."""
    row: dict[str, Any] = {**prompt.row, "skill": skill}
    return replace(prompt, row=row if prompt.item is None else {**row, "reference": prompt.item.reference})


def flattened(scores: Sequence[Scores]) -> list[Scores]:
    """One overall score in the place of every skill: what an evaluation without skills knows (--break).

    >>> flattened([{"factuality": 5, "readability": 3}])
    [{'factuality': 4.0, 'readability': 4.0}]
    """
    return [dict.fromkeys(some, statistics.fmean(some.values())) for some in scores]


def judge_of(name: str, setup: Setup) -> Reward:
    """Your own judge; what is wrong with it is said of --judge."""

    def as_judge(error: UserError) -> UserError:
        return UserError(str(error).replace("--reward", "--judge"))

    try:
        score = rollouts.own_reward(name, setup.encoder)
    except UserError as error:
        raise as_judge(error) from None

    def judge(responses: Sequence[Response]) -> list[float]:
        try:
            return score(responses)
        except UserError as error:
            raise as_judge(error) from None

    return judge
