"""`learn-llm results`: every claim beside its source's figure, over several seeds."""

from pathlib import Path

import click


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Measure this run only; may be given several times.")
@click.option("--seeds", default=5, show_default=True, help="How many seeds; intervals are over them.")
@click.option("--seed", default=0, show_default=True, help="The first one.")
@click.option("--write", type=click.Path(path_type=Path), help="Write all that is kept as Markdown there.")
@click.option("--store", type=click.Path(path_type=Path), help="Where finished runs are kept.")
@click.option("--json", "as_json", is_flag=True, help="One event a line.")
@click.option("--check", is_flag=True, help="End with 1 where a claim goes against its source.")
@click.pass_context
def results(
    ctx: click.Context,
    only: tuple[str, ...],
    seeds: int,
    seed: int,
    write: Path | None,
    store: Path | None,
    as_json: bool,
    check: bool,
) -> None:
    """Measure every claim of the method files over several seeds and set it beside the figure of its source.

    It takes hours; what is finished is kept, and the same command goes on after Ctrl-C.
    """
    from learn_llm import results as made
    from learn_llm.running import execute

    config = made.Config(seed=seed, only=only, seeds=seeds, write=str(write or ""), store=str(store or ""))
    ctx.exit(execute(made.run, config, name="results", json_output=as_json, check=check))
