"""The classroom without torch: the course's files, the skeletons, the learner's folder, the commands that only read."""

import ast
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from learn_llm.commands.exercise import exercise as command
from learn_llm.errors import UserError
from learn_llm.exercises import here, skeleton
from learn_llm.exercises.class_page import as_csv
from learn_llm.exercises.courses import BUNDLED, load_course
from learn_llm.exercises.new_course import new
from learn_llm.exercises.similarity import alike, fingerprint
from learn_llm.exercises.skeleton import files
from learn_llm.exercises.state import STATE, Desk, find, find_root, make
from learn_llm.exercises.texts import ENGLISH, JAPANESE
from learn_llm.quizzes.bank import load_bank

Run = Callable[..., Result]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A course of its own with one exercise, gae."""
    folder = tmp_path / "course"
    folder.mkdir()
    for suffix in ("py", "toml"):
        shutil.copy(BUNDLED / f"gae.{suffix}", folder)
    info = 'format = 1\ntitle = { en = "T", ja = "T" }\n[[chapters]]\nname = "ppo"\ntitle = { en = "P", ja = "P" }\n'
    (folder / "info.toml").write_text(info + 'exercises = ["gae"]\n')
    return folder


@pytest.fixture
def desk(tmp_path: Path, own: Path) -> Desk:
    return make(tmp_path / "desk", own, "en")[0]


@pytest.fixture
def run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`learn-llm exercise ...` in the learner's folder."""
    monkeypatch.chdir(desk.root)
    return lambda *words: CliRunner().invoke(command, words)


def test_the_bundled_course_reads_and_every_file_parses() -> None:
    course = load_course()
    for exercise in course.exercises:
        for language in ("en", "ja"):
            texts = files(exercise, "ja" if language == "ja" else "en")
            for source in (texts.start, texts.solution):
                functions = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
                assert texts.function in functions
                assert "learn_llm." not in "\n".join(line for line in source.splitlines() if "import" in line)
            assert "NotImplementedError" in texts.start or texts.start_variant


def test_both_languages_have_the_same_texts() -> None:
    assert ENGLISH.keys() == JAPANESE.keys()


def test_a_skeleton_keeps_signature_and_docstring_and_drops_the_body() -> None:
    texts = files(load_course().get("gae"))
    tree = ast.parse(texts.start).body[-1]
    assert isinstance(tree, ast.FunctionDef)
    assert [item.arg for item in tree.args.args] == ["rewards", "values", "mask", "gamma", "lam"]
    assert ">>> gae(" in (ast.get_docstring(tree) or "")
    assert "reversed" not in texts.start
    assert "reversed" in texts.solution


def test_a_bug_exercise_starts_from_the_variant_under_the_real_signature() -> None:
    texts = files(load_course().get("bug_kl_sign"))
    assert "delta = ref_logprobs - logprobs" in texts.start
    assert "kind: Estimator" in texts.start
    assert 'Estimator = Literal["k1", "k2", "k3"]' in texts.start
    assert "delta = logprobs - ref_logprobs" in texts.solution


def test_helpers_of_the_package_are_given_in_the_file(own: Path) -> None:
    path = own / "gae.py"
    path.write_text(path.read_text().replace("ppo:gae", "ppo:policy_loss"))
    texts = files(load_course(own).get("gae"))
    assert texts.solution.index("def masked_mean") < texts.solution.index("def policy_loss")
    assert texts.given_lines > 5


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("ppo:gae", "ppo:gaee", "there is no function gaee in ppo.py"),
        ("ppo:gae", "ppoo:gae", "there is no module learn_llm.minimal_impls.ppoo"),
        ("TARGET", "TARGETT", "it needs TARGET"),
    ],
)
def test_an_unknown_function_is_one_clear_line(own: Path, before: str, after: str, said: str) -> None:
    path = own / "gae.py"
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(UserError, match=said):
        files(load_course(own).get("gae"))


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        ("info.toml", '"gae"', '"gea"', "there is no .*gea.py"),
        ("info.toml", "format = 1", "format = 2", "reads format = 1"),
        ("info.toml", '["gae"]', '["gae", "gae"]', "gae is there twice"),
        ("info.toml", '["gae"]', '["gae"', "no valid TOML"),
        ("info.toml", '["gae"]', '["../gae"]', "is no name"),
        ("gae.toml", "[hints]", "[hint]", "needs \\[hints\\]"),
        ("gae.toml", "[title]", "[titel]", "title needs a text in en and one in ja"),
    ],
)
def test_a_wrong_course_is_one_clear_line(own: Path, file: str, before: str, after: str, said: str) -> None:
    path = own / file
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(UserError, match=said) as raised:
        load_course(own)
    assert "\n" not in str(raised.value)


def test_an_answer_is_never_overwritten(desk: Desk) -> None:
    gae = desk.course.get("gae")
    desk.path(gae).write_text("mine")
    make(desk.root, None, "ja")
    assert desk.path(gae).read_text() == "mine"
    kept = desk.reset(gae)
    assert kept is not None
    assert kept.read_text() == "mine"
    assert desk.path(gae).read_text() == files(gae).start
    assert desk.reset(gae) is None, "nothing was written since"


def test_an_untouched_file_of_an_older_course_is_renewed_and_an_answer_is_not(desk: Desk, own: Path) -> None:
    gae = desk.course.get("gae")
    toml = own / "gae.toml"
    toml.write_text(toml.read_text().replace('en = "Generalised', 'en = "New: generalised'))
    again, new, renewed = make(desk.root, None, "en")
    assert (new, renewed) == (0, 1)
    assert "New: generalised" in again.path(gae).read_text()
    again.path(gae).write_text("mine")
    toml.write_text(toml.read_text().replace("New: ", "Newer: "))
    assert make(desk.root, None, "en")[2] == 0
    assert again.path(gae).read_text() == "mine"


def test_a_moved_file_is_found_and_two_are_an_error(desk: Desk) -> None:
    gae = desk.course.get("gae")
    moved = desk.root / "mine" / "gae.py"
    moved.parent.mkdir()
    desk.path(gae).rename(moved)
    assert find(desk.root, gae) == moved
    (desk.root / "other").mkdir()
    shutil.copy(moved, desk.root / "other")
    with pytest.raises(UserError, match="there twice"):
        find(desk.root, gae)


@pytest.mark.parametrize("text", ["junk", "{}", "[]", '{"version": 1, "records": {"gae": {"tries": "x"}}}', "\udcff"])
def test_a_damaged_state_is_moved_aside_and_said(desk: Desk, text: str) -> None:
    (desk.root / STATE).write_bytes(text.encode(errors="surrogateescape"))
    opened = Desk(desk.root)
    assert "was damaged" in opened.notices[0]
    assert list(desk.root.glob(f"{STATE}.damaged-1"))
    assert not Desk(desk.root).notices, "and then all is well"


def test_a_damaged_state_still_tells_its_course_and_language(tmp_path: Path) -> None:
    course = new(tmp_path / "course", "mine", "learn_llm.minimal_impls.dpo:dpo_loss")[0].parent
    desk, *_ = make(tmp_path / "desk", course, "ja")
    path = desk.root / STATE
    path.write_text(path.read_text()[:-40])
    opened = Desk(desk.root)
    assert opened.notices
    assert (opened.course.folder, opened.language) == (course, "ja")


def test_an_exercise_with_a_bad_name_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'My dpo' is no name for an exercise"):
        new(tmp_path / "course", "My dpo", "learn_llm.minimal_impls.dpo:dpo_loss")
    assert not (tmp_path / "course").exists()


def test_a_state_of_a_newer_version_is_left_alone(desk: Desk) -> None:
    path = desk.root / STATE
    path.write_text(json.dumps({"version": 99, "records": {}}))
    with pytest.raises(UserError, match="newer learn-llm"):
        Desk(desk.root)
    assert "99" in path.read_text()


def test_tries_stop_counting_when_it_has_passed(desk: Desk) -> None:
    gae = desk.course.get("gae")
    desk.note_check(gae, False, begun=False)
    desk.note_check(gae, False, begun=True)
    desk.note_check(gae, True, begun=True)
    desk.note_check(gae, False, begun=True)
    record = Desk(desk.root).record(gae)
    assert (record.tries, bool(record.passed)) == (2, True)
    assert (desk.root / "solutions" / gae.file).read_text() == files(gae).solution
    assert desk.current is None


def test_windows_line_ends_are_no_change(desk: Desk) -> None:
    gae = desk.course.get("gae")
    path = desk.path(gae)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert not desk.begun(gae)


def test_the_commands_that_only_read(run: Run, desk: Desk) -> None:
    assert "open   gae" in run("list").output
    assert "Edit 01_ppo" in run("next").output
    assert run("hint").output.count("Hint ") == 1
    assert run("hint").output.count("Hint ") == 2
    assert "ヒント 3/3" in run("hint", "--lang", "ja").output
    assert Desk(desk.root).record(desk.course.get("gae")).hints == 3
    refused = run("solution")
    assert isinstance(refused.exception, UserError)
    assert "def gae(" in run("solution", "--give-up").output
    assert Desk(desk.root).record(desk.course.get("gae")).gave_up
    assert isinstance(run("hint", "gea").exception, UserError)


def test_without_a_folder_one_is_told_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path / "no-folder-used-yet"))
    monkeypatch.chdir(tmp_path / "empty")
    error = CliRunner().invoke(command, ["list"]).exception
    assert isinstance(error, UserError)
    assert "learn-llm exercise init" in str(error)


def test_the_folder_that_was_used_last_is_found_from_anywhere(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert find_root(desk.root) == desk.root
    assert find_root(tmp_path / "elsewhere") == desk.root
    shutil.rmtree(desk.root)
    with pytest.raises(UserError, match="there are no exercises here"):
        find_root(tmp_path / "elsewhere")


def test_init_inside_a_folder_of_exercises_brings_that_one_up_to_date(run: Run, desk: Desk) -> None:
    path = desk.path(desk.course.get("gae"))
    path.rename(path.with_name("renamed.py"))
    assert "was it renamed?" in run("next", "gae").output
    assert "1 new" in run("init").output
    assert path.exists()
    assert not (desk.root / "learn-llm-exercises").exists()


def test_a_course_that_cannot_be_laid_out_leaves_nothing_behind(own: Path, tmp_path: Path) -> None:
    code = own / "gae.py"
    code.write_text(code.read_text().replace("ppo:gae", "ppo:gea"))
    with pytest.raises(UserError, match="no function gea"):
        make(tmp_path / "new", own, "en")
    assert not (tmp_path / "new").exists()


def test_a_folder_stays_with_its_course(desk: Desk, own: Path) -> None:
    with pytest.raises(UserError, match="make another folder"):
        make(desk.root, BUNDLED, "en")
    assert make(desk.root, own, "en")[1:] == (0, 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_write_permission_is_one_clear_line(desk: Desk) -> None:
    desk.root.chmod(0o500)
    try:
        with pytest.raises(UserError, match="cannot be written"):
            desk.next_hint(desk.course.get("gae"))
    finally:
        desk.root.chmod(0o700)


def test_a_place_that_is_a_file_is_one_clear_line(tmp_path: Path, own: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be"):
        make(tmp_path / "file", own, "en")


def test_similar_code_is_found_whatever_its_names(own: Path) -> None:
    gae = load_course(own).get("gae")
    start, solution = files(gae).start, files(gae).solution
    renamed = solution.replace("deltas", "d").replace("following", "nxt") + "# mine\n"
    sources = {("a", "gae"): solution, ("b", "gae"): renamed, ("c", "gae"): start, ("d", "gae"): start}
    (pair,) = alike(sources, {"gae": start}, {"gae": "gae"})
    assert (pair.one, pair.other, pair.same_text, pair.same_code) == ("a", "b", [], ["gae"])
    assert fingerprint("def gae(:", "gae") == ""
    assert fingerprint("(" * 5000, "gae") == ""


def test_a_cell_is_no_formula() -> None:
    from learn_llm.exercises.grading import Row

    row = Row("=cmd()", "01_ppo", "gae", "wrong", False, "", None, None, None, 0.1, "-1")
    assert as_csv([row]).splitlines()[1].startswith("'=cmd(),01_ppo")
    assert as_csv([row]).endswith(",'-1\n")


def test_the_exercises_of_a_question_and_what_was_done(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = load_bank()
    ppo, search = bank.by_id["ppo"], bank.by_id["search"]
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path / "no-folder-used-yet"))
    monkeypatch.chdir(tmp_path / "empty")  # no folder: the bundled course
    assert "gae" in [exercise.name for exercise in here.about(ppo)]
    assert here.names_about(ppo)[-1] == ".."
    assert not here.about(search)
    assert here.tally() is None
    monkeypatch.chdir(desk.root)
    assert here.names_by_question([ppo, search]) == {"ppo": ("gae",), "search": ()}
    assert here.tally() == (0, 1)
    desk.note_check(desk.course.get("gae"), passed=True, begun=True)
    assert here.tally() == (1, 1)
    (desk.root / STATE).write_text("no state")
    assert here.tally() is None


def test_every_question_that_an_exercise_names_is_in_the_bank() -> None:
    bank = load_bank()
    numbers = {str(question.number) for question in bank.questions}
    for exercise in load_course().exercises:
        assert exercise.questions
        assert set(exercise.questions) <= bank.by_id.keys() | numbers, exercise.name


def test_reading_needs_no_torch() -> None:
    import subprocess
    import sys

    names = ("courses", "skeleton", "state", "telling", "texts", "similarity", "workers")
    code = "\n".join(f"import learn_llm.exercises.{name}" for name in names) + "\nimport learn_llm.commands.exercise\n"
    code += "from learn_llm.exercises.courses import load_course\nfrom learn_llm.exercises.skeleton import files\n"
    code += (
        "[files(e) for e in load_course().exercises]\nimport sys\nassert not {'torch', 'numpy'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_course_of_ones_own_begins_with_its_files(tmp_path: Path) -> None:
    folder, words = tmp_path / "mine", ["dev", "new", "loss", "learn_llm.minimal_impls.dpo:dpo_loss"]
    made = CliRunner().invoke(command, [*words, f"--course={folder}"])
    assert made.output.split() == [str(folder / name) for name in ("loss.py", "loss.toml", "info.toml")]
    exercise = load_course(folder).get("loss")
    assert files(exercise).wrong == {"todo": files(exercise).parameters}
    again = CliRunner().invoke(command, [*words, f"--course={folder}"])
    assert "is there already" in str(again.exception)
    unknown = CliRunner().invoke(command, ["dev", "new", "x", "learn_llm.minimal_impls.dpo:no", f"--course={folder}"])
    assert "there is no function no" in str(unknown.exception)
    code = folder / "loss.py"
    code.write_text(code.read_text().replace("wrong_todo", "wrong_sign"))
    updated = CliRunner().invoke(command, ["dev", "update", f"--course={folder}"])
    assert updated.output == "loss: [wrong.sign] is to be written\n"
    assert "sign" in load_course(folder).get("loss").wrong


def test_the_run_that_a_function_is_part_of(own: Path) -> None:
    course = load_course()
    assert skeleton.method_of(course.get("gae")) == ("learn_llm.minimal_impls.ppo", "learn_llm.minimal_impls.ppo:gae")
    path = own / "gae.py"
    path.write_text(path.read_text().replace("minimal_impls.ppo:gae", "rollouts:masked_mean"))
    assert skeleton.method_of(load_course(own).get("gae"))[0] == "learn_llm.minimal_impls.ppo"
    path.write_text(path.read_text().replace("rollouts:masked_mean", "evaluation:interval"))
    with pytest.raises(UserError, match="part of no run"):
        skeleton.method_of(load_course(own).get("gae"))
