"""`learn-llm compare`: the methods side by side on one budget; `compare ways`: the ways of training, what each costs.

`compare models`: several models on the same prompts.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


class _MethodsUnlessNamed(click.Group):
    """`compare models ...`, `compare ways ...`; whatever else stands behind `compare` belongs to `compare methods`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args if args[:1] and args[0] in self.commands else ["methods", *args])


@click.group(cls=_MethodsUnlessNamed)
def compare() -> None:
    """Compare methods, ways of training, or models."""


def _trains(command: Callable[..., int]) -> Callable[..., int]:
    """Adds the options of a comparison that trains; but for `as_json` and `check` they are fields of its Config."""
    for option in (
        click.option("--break", "break_", is_flag=True, help="Break what trains or chooses: the claim must then fail."),
        click.option("--check", is_flag=True, help="End with 1 unless the claim comes out as it should."),
        click.option("--json", "as_json", is_flag=True, help="One event a line."),
        click.option("--store", type=click.Path(), default="", help="Where finished runs are kept."),
        click.option("--report", type=click.Path(), default="", help="Write an HTML report there."),
        click.option("--responses", default=2880, show_default=True, help="How many answers each may read or sample."),
        click.option("--seed", default=0, show_default=True, help="The first one."),
        click.option("--seeds", default=1, show_default=True, help="How many seeds; intervals are over them."),
    ):
        command = option(command)
    return command


@compare.command()
@click.argument("arms", nargs=-1)
@_trains
def methods(arms: tuple[str, ...], as_json: bool, check: bool, **options: Any) -> int:
    """Train methods from one start on one budget and compare what they reach.

    ARMS are some of sft, best-of-n, rejection-sampling, dpo, coh, reinforce, grpo, ppo, rejection-then-ppo; without
    any: sft, best-of-n, dpo, coh and ppo.  A run that is kept already is not computed again, and the same command goes
    on after Ctrl-C.

    `learn-llm compare ways --help`: the ways of training instead, and what each of them costs.

    `learn-llm compare models --help`: models on the same prompts instead.
    """
    from learn_llm import comparing
    from learn_llm.running import execute

    config = comparing.Config(arms=arms or comparing.DEFAULT, **options)
    return execute(comparing.run, config, name="compare", json_output=as_json, check=check)


@compare.command()
@click.argument("names", nargs=-1, metavar="[WAY]...")
@_trains
def ways(names: tuple[str, ...], as_json: bool, check: bool, **options: Any) -> int:
    """Fill the table of the ways of training: what changes, trained parameters, memory, time, score.

    WAY is one of prompting, icil, prompt-tuning, adapters, lora, qlora, full, rlhf; without any: all of them.  A way
    that is kept already is not gone again, and the same command goes on after Ctrl-C.
    """
    from learn_llm import comparing_ways
    from learn_llm.running import execute

    config = comparing_ways.Config(ways=names or tuple(comparing_ways.WAYS), **options)
    return execute(comparing_ways.run, config, name="compare ways", json_output=as_json, check=check)


@compare.command()
@click.argument("names", nargs=-1, metavar="MODEL MODEL...")
@click.option(
    "--prompts", required=True, type=click.Path(path_type=Path), help='JSON lines, such as {"prompt": "..."}.'
)
@click.option("--temperature", default=0.0, show_default=True, help="0 always takes the likeliest token.")
@click.option("--max-new-tokens", default=128, show_default=True, help="The longest answer.")
@click.option("--device", type=click.Choice(["auto", "cuda", "mps", "cpu"]), default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One object a line: messages, answers by model, problems.")
def models(
    names: tuple[str, ...], prompts: Path, temperature: float, max_new_tokens: int, device: str, as_json: bool
) -> None:
    """Ask several models the same prompts and show their answers side by side.

    MODEL is what `learn-llm chat` takes: a bundled or added name, a folder, a .gguf file, or OWNER/NAME on the hub.
    """
    import json

    from learn_llm.commands.questions import page_width
    from learn_llm.comparing_models import conversations, side_by_side
    from learn_llm.quizzes.plain import wrap
    from learn_llm.sampling import Sampling
    from learn_llm.training import choose_device

    sampling, width = Sampling(temperature), page_width()
    lead = max(map(len, names), default=0) + 2
    asked = conversations(prompts)
    for number, found in enumerate(side_by_side(names, asked, sampling, max_new_tokens, str(choose_device(device))), 1):
        if as_json:
            click.echo(json.dumps(vars(found), ensure_ascii=False))
            continue
        told = {f"{number}.": found.messages[-1]["content"], **found.answers}
        for name, text in (told | {name: f"({problem})" for name, problem in found.problems.items()}).items():
            for place, line in enumerate(text.splitlines() or [""]):
                for row in wrap(line, width, (name if place == 0 else "").ljust(lead), " " * lead):
                    click.echo(row)
        click.echo()
