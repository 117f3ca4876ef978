"""`learn-llm compare`: the methods side by side on one budget."""

from pathlib import Path

import click


@click.command()
@click.argument("arms", nargs=-1)
@click.option("--seeds", default=1, show_default=True, help="How many seeds; intervals are over them.")
@click.option("--seed", default=0, show_default=True, help="The first one.")
@click.option("--responses", default=2880, show_default=True, help="How many each arm may read or sample.")
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML report there.")
@click.option("--store", type=click.Path(path_type=Path), help="Where finished runs are kept.")
@click.option("--json", "as_json", is_flag=True, help="One event a line.")
@click.option("--check", is_flag=True, help="End with 1 unless the claim comes out as it should.")
@click.option("--break", "break_", is_flag=True, help="Break every method: the claim must then fail.")
@click.pass_context
def compare(
    ctx: click.Context,
    arms: tuple[str, ...],
    seeds: int,
    seed: int,
    responses: int,
    report: Path | None,
    store: Path | None,
    as_json: bool,
    check: bool,
    break_: bool,
) -> None:
    """Train methods from one start on one budget and compare what they reach.

    ARMS are some of sft, best-of-n, rejection-sampling, dpo, coh, reinforce, grpo, ppo; without any: sft, best-of-n,
    dpo, coh and ppo.  A run that is kept already is not computed again, and the same command goes on after Ctrl-C.
    """
    from learn_llm import comparing
    from learn_llm.running import execute

    config = comparing.Config(
        seed=seed,
        break_=break_,
        arms=arms or comparing.DEFAULT,
        seeds=seeds,
        responses=responses,
        report=str(report or ""),
        store=str(store or ""),
    )
    ctx.exit(execute(comparing.run, config, name="compare", json_output=as_json, check=check))
