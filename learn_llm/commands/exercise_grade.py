"""`learn-llm exercise grade`: a class's submissions, judged in one go."""

import contextlib
import os
import time
from pathlib import Path

import click

from learn_llm.commands.exercise_dev import COURSE

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--csv", "csv_file", type=_FILE, help="Write one row a student and exercise.")
@click.option("--json", "json_file", type=_FILE, help="Write all as JSON.")
@click.option("--html", "html_file", type=_FILE, help="Write one page for the class.")
@click.option("--seconds", type=click.FloatRange(0.1), default=5.0, show_default=True, help="Time limit of a check.")
@click.option("--jobs", type=click.IntRange(1), help="Checks at a time; by default one a CPU core.")
@click.option("--seed", type=int, help="Draw the same inputs again; by default new ones each time.")
@click.option("--i-trust-these", "trusted", is_flag=True, help="Go on as root where it cannot be dropped.")
@COURSE
@click.option("--lang", type=click.Choice(["en", "ja"]), help="Language; by default LEARN_LLM_LANG, then the locale.")
def grade(
    folder: Path,
    csv_file: Path | None,
    json_file: Path | None,
    html_file: Path | None,
    seconds: float,
    jobs: int | None,
    seed: int | None,
    trusted: bool,
    course: Path | None,
    lang: str | None,
) -> None:
    """Grade FOLDER, which holds one folder a student.  A bad submission is a row, and never ends the batch.

    Submissions run in processes of their own; what isolation was in force is printed.
    """
    from learn_llm.exercises.courses import load_course
    from learn_llm.exercises.texts import say
    from learn_llm.exercises.workers import Worker
    from learn_llm.quizzes.texts import choose

    language = choose(lang, os.environ)
    opened = load_course(course)
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        count = jobs or os.cpu_count() or 1
        workers = [stack.enter_context(Worker([opened.folder, folder])) for _ in range(count)]
        from learn_llm.exercises import class_page, grading
        from learn_llm.exercises.similarity import alike
        from learn_llm.exercises.skeleton import files
        from learn_llm.exercises.telling import isolation

        class_ = grading.students(folder)
        for worker in workers:
            worker.wait_ready()
            grading.allowed(worker, trusted)
        batch = grading.Batch(opened, class_, seconds, seed, language)
        try:
            batch.run(workers, lambda student: click.echo(f"  {student.name}", err=True))
        finally:  # after Ctrl-C, too: what was judged is written
            texts = {exercise.name: files(exercise, language) for exercise in opened.exercises}
            starts = {name: text.start for name, text in texts.items()}
            functions = {name: text.function for name, text in texts.items()}
            pairs = alike(batch.sources, starts, functions)
            summary = say(
                language,
                "grade.summary",
                students=len(class_),
                exercises=len(opened.exercises),
                passed=sum(row.passed for row in batch.rows),
                rows=len(batch.rows),
                seconds=f"{time.monotonic() - begun:.0f}",
                seed=batch.seed,
            )
            notes = [summary, isolation(workers[0], language)]
            about = {"seed": batch.seed, "seconds_per_check": seconds, "isolation": notes[1]}
            if csv_file:
                class_page.write(csv_file, class_page.as_csv(batch.rows))
            if json_file:
                class_page.write(json_file, class_page.as_json(batch.rows, pairs, about))
            if html_file:
                class_page.write(html_file, class_page.page(opened, batch.rows, pairs, notes, language))
            click.echo("\n".join(class_page.table(batch.rows, language)))
            if pairs:
                click.echo("\n".join(["", say(language, "grade.similar"), *class_page.similar(pairs, language)]))
            for note in notes:
                click.echo(note, err=True)
