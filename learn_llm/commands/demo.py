"""`learn-llm demo`: run a question's demo, or list the demos."""

from pathlib import Path

import click

from learn_llm.errors import MissingError, UserError


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("slug", required=False)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; without SLUG the list as one array.")
@click.option("--check", is_flag=True, help="End with 1 unless the claim comes out as it should.")
@click.option("--break", "break_", is_flag=True, help="Remove the cause: the claim must then fail.")
@click.option("--all", "all_", is_flag=True, help="Run every demo, as it is and broken, and print one table.")
@click.option("--seeds", type=click.IntRange(1), help="With --all: for seeds 0 to N - 1.  [default: 1]")
@click.option("--write", type=click.Path(path_type=Path), help="With --all: write the table to a Markdown file, too.")
@click.option("--resume", is_flag=True, help="With --all: do not run again what an earlier --all finished.")
@click.pass_context
def demo(
    ctx: click.Context,
    slug: str | None,
    options: tuple[str, ...],
    as_json: bool,
    check: bool,
    break_: bool,
    all_: bool,
    seeds: int | None,
    write: Path | None,
    resume: bool,
) -> None:
    """Run the demo of the question SLUG; without SLUG, list the demos.

    OPTIONS are those of the demo itself: `learn-llm demo SLUG --help` shows them.
    """
    if slug in ("-h", "--help"):
        click.echo(ctx.get_help())
        return
    if all_:
        if slug is not None or break_:
            raise UserError("--all runs every demo, as it is and broken: it takes no name and no --break")
        ctx.exit(_all(range(seeds or 1), as_json, check, write, resume))
    if seeds or write or resume:
        raise UserError("--seeds, --write and --resume go with --all")
    if slug is None:
        if check or break_:
            raise UserError("--check and --break need a demo: learn-llm demo SLUG --check")
        _list(as_json)
        return
    from importlib import import_module

    from learn_llm.demos.catalogue import DEMOS, SLUGS
    from learn_llm.running import main

    if slug.startswith("-"):
        raise UserError(f"there is no option {slug!r} here; a demo's own options come after its name")
    if slug not in SLUGS:
        raise UserError(f"there is no demo {slug!r}; {_hint(slug, SLUGS)}")
    if slug not in DEMOS:
        raise MissingError(f"the demo {slug!r} is not built yet; `learn-llm demo` lists those that are")
    module = import_module(f"learn_llm.demos.{DEMOS[slug].module}")
    flags = {"--json": as_json, "--check": check, "--break": break_}
    main(module.run, module.Config, [*options, *(flag for flag, given in flags.items() if given)], name=slug)


def _all(seeds: range, as_json: bool, check: bool, write: Path | None, resume: bool) -> int:
    """Every demo in one table, a row as soon as it is known; returns an exit code."""
    import json

    from learn_llm.commands.questions import page_width
    from learn_llm.demos import checking
    from learn_llm.quizzes.plain import wrap

    checked = []
    for one in checking.check_all(seeds, resume=resume):
        checked.append(one)
        if as_json:
            click.echo(json.dumps(checking.as_json(one), ensure_ascii=False))
            continue
        said = "well" if not one.faults else "; ".join(one.faults)
        click.echo(
            f"{one.demo.question:>3}  {one.demo.slug:<28} {one.seconds:5.1f} s of {one.demo.seconds:<3g} "
            f"held: {one.held(False):<7} broken held: {one.held(True):<7} {said}"
        )
        if one.verdict:
            for text in (one.verdict.claim, checking.measured(one.verdict)):
                for line in wrap(text, page_width(), " " * 5, " " * 5):
                    click.echo(line)
    wrong = sum(bool(one.faults) for one in checked)
    total = sum(run.seconds for one in checked for run in one.runs)
    click.echo(f"{len(checked)} demos, {total / 60:.0f} minutes, {wrong} not as they should be", err=True)
    if write:
        checking.write_table(write, checked, seeds)
    return int(check and wrong > 0)


def _list(as_json: bool) -> None:
    from learn_llm.demos.catalogue import DEMOS, SLUGS

    titles = {slug: DEMOS[slug].title if slug in DEMOS else None for slug in SLUGS}
    if as_json:
        import json

        rows = [{"slug": slug, "title": title, "built": title is not None} for slug, title in titles.items()]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    from learn_llm.commands.questions import page_width
    from learn_llm.quizzes.plain import wrap

    size = max(len(slug) for slug in SLUGS)
    for number, (slug, title) in enumerate(titles.items(), 1):
        lead = f"{number:>3}  {slug:<{size}}  "
        for line in wrap(title or "(not built yet)", page_width(), lead, " " * len(lead)):
            click.echo(line)
    click.echo(f"{len(DEMOS)} of {len(SLUGS)} demos are built; run one with `learn-llm demo SLUG`", err=True)


def _hint(slug: str, slugs: tuple[str, ...]) -> str:
    import difflib

    near = difflib.get_close_matches(slug.lower().replace("_", "-"), slugs, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else "`learn-llm demo` lists them"
