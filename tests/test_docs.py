"""Every command, file and output that the pages show is tried here, page by page, in copies of the repository."""

from __future__ import annotations

import re
import shlex
import shutil
import sqlite3
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

import pytest
import yaml
from support.commands import run_module
from support.databases import MakeDatabase
from support.projects import ROOT, MiniProject, Run

from framefox_tasks import Target, load_settings
from framefox_tasks.cli.loader import spelled
from framefox_tasks.cli.usage import tasks

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
TRIED = [page for page in PAGES if page.name != "CHANGELOG.md"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TASKS = (ROOT / "docs/tasks.md").read_text(encoding="utf-8")
STEP = re.compile(r"^(?:<!-- (?P<note>.*?) -->|```(?P<language>\w*)\n(?P<text>.*?)^```)$", re.MULTILINE | re.DOTALL)
# What differs from run to run, and what stands for it in the comparison.
CHANGING = (
    (re.compile(r"\b[0-9a-f]{12}\b"), "REVISION"),
    (re.compile(r"\b\d{8}_\d{6}_"), "TIME_"),
    (re.compile(r"\b\d{8}T\d{6}Z"), "TIME"),
    (re.compile(r"\b\d+\.\d\d\b"), "SECONDS"),
    (re.compile(r"SQLite \d+\.\d+\.\d+"), "SQLite VERSION"),
    (re.compile(r"\d+\.\d KB"), "SIZE"),
    (re.compile(r"[━─]+"), "-"),
    (re.compile(r" +"), " "),
)
# What a copy tells only where it takes long, as on a busy machine.
PROGRESS = re.compile(r" (?:[a-z ]+\.\.\.|\w+: [\d,]+ rows? in [\d.]+ s|[\d,]+ of [\d,]+, .* left)")
# A command that needs no shell to start it, and what its output is given to.
_PLAIN = r"[^\s$`*?;&|<>()\\'\"]+"
_WORD = rf"(?:{_PLAIN}|'[^']*'|\"[^\"$`\\]*\")+"
FORKED = re.compile(
    rf"(?P<variables>(?:\w+={_WORD} )*)(?P<program>doit|framefox-tasks)(?P<arguments>(?: {_WORD})*)"
    rf"(?: (?P<stream>2?)> (?P<file>{_PLAIN}))?(?: \| (?P<filter>.*))?"
)
CUSTOMERS = """
INSERT INTO customer (id, email, name, created_at)
    VALUES (1, 'ada@shop.test', 'Ada', '2026-01-10 09:00:00'), (2, 'bob@shop.test', 'Bob', '2025-06-01 12:00:00');
INSERT INTO "order" (id, customer_id, status, created_at)
    VALUES (1, 2, 'shipped', '2025-06-01 12:00:00'), (2, 1, 'new', '2026-01-10 09:00:00'),
        (3, 2, 'paid', '2026-01-11 10:30:00');
"""


@dataclass(frozen=True)
class Step:
    """A block of a page, or a comment that readers do not see: what to do before, or with, the block that follows."""

    note: str
    language: str
    text: str


def steps(page: Path) -> list[Step]:
    text = page.read_text(encoding="utf-8")
    return [Step(match["note"] or "", match["language"] or "", match["text"] or "") for match in STEP.finditer(text)]


def normal(text: str) -> list[str]:
    for pattern, replacement in CHANGING:
        text = pattern.sub(replacement, text)
    return [line.strip() for line in text.strip().splitlines() if not PROGRESS.fullmatch(line)]


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output shown for it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def copy_tracked(path: Path, *, package: bool) -> MiniProject:
    """What git tracks of the repository, in a folder of its own; with the package, as it is compiled, or without code.

    A copy without the package has no tests either, which are most of the files.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and (package or not name.startswith(("framefox_tasks/", "tests/"))):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path / name)
            if name.startswith("framefox_tasks/") and name.endswith(".py"):
                with suppress(FileNotFoundError):
                    compiled = Path(cache_from_source(path / name))
                    compiled.parent.mkdir(exist_ok=True)
                    shutil.copy2(cache_from_source(ROOT / name), compiled)
    return MiniProject(path)


@pytest.fixture
def clone(tmp_path: Path) -> MiniProject:
    return copy_tracked(tmp_path / "clone", package=False)


class Reader:
    """Does what a page shows, from its top to its end.

    Notes act at once, or say what is done with the next block: `write FILE`, `append to FILE`, `insert into FILE before
    LINE`, `run` (Python), `check the settings`, `install PACKAGE`. A console block needs none.
    """

    def __init__(self, project: MiniProject, label: str) -> None:
        self.project = project
        self.label = label
        self.pending = ""
        self.page = ""
        self.commands = 0

    def read(self, page: Path) -> None:
        self.page = page.name
        for step in steps(page):
            if step.note:
                assert not self.pending, f"{page.name}: no block follows the note {self.pending!r}"
                self._note(step.note)
            else:
                getattr(self, f"_{step.language}")(step.text)

    def _note(self, note: str) -> None:
        actions: list[tuple[str, Callable[..., None]]] = [
            (r"add customers", self._add_customers),
            (r"edit (\S+): after `(.+?)` insert `(.+)`", self._insert_after),
            (r"in an empty folder", self._empty_folder),
            (r"in a copy with the package", self._whole_copy),
            (r"run `(.+)`", self._run_quietly),
            (r"write (\S+): (.+)", lambda path, text: self._write(path, f"{text}\n")),
            (r"write a migration beside the newest one", self._migration_beside),
        ]
        for pattern, action in actions:
            if match := re.fullmatch(pattern, note):
                return action(*match.groups())
        self.pending = note
        return None

    # Blocks, by their language

    def _text(self, text: str) -> None:
        """Nothing to try."""

    _mermaid = _text

    def _sh(self, text: str) -> None:
        """A set-up command, which .ci/run runs as it stands here."""
        assert text.strip() in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()

    def _console(self, text: str) -> None:
        for command, output in commands(text):
            said = self._said(command)
            assert normal(said.replace(self.label, "shop on localhost:5432")) == normal(output), command
            self.commands += 1

    def _said(self, command: str) -> str:
        return self._ran(command, together=f"{command} 2>&1" if ">" not in command else command).all

    def _ran(self, command: str, together: str) -> Run:
        """Run a command; on most pages it is not typed into a shell where that makes no difference.

        Args:
            command: As it is typed.
            together: What a shell is given instead, so that both streams of the last program are one.
        """
        staging = f'"{self.project.env.get("STAGING_URL")}"'
        match = FORKED.fullmatch(command.replace('"$STAGING_URL"', staging))
        if match is None or self.page == "README.md" or any(name.startswith("PYTHON") for name in self.project.env):
            return self.project.run("sh", "-c", together)
        variables = dict(word.split("=", 1) for word in shlex.split(match["variables"]))
        one = match["filter"] is None and match["file"] is None
        code, out, err = run_module(
            {"doit": "doit", "framefox-tasks": "framefox_tasks"}[match["program"]],
            tuple(shlex.split(match["arguments"])),
            folder=self.project.path,
            env={**self.project._environment(), **variables},
            together=one,
        )
        if match["file"] is not None:
            file = self.project.path / match["file"]
            file.write_text(err if match["stream"] else out, encoding="utf-8")
            out, err = (out, "") if match["stream"] else ("", err)
        if match["filter"] is not None:
            filtered = self.project.run("sh", "-c", f"{match['filter']} 2>&1", stdin=out)
            return Run(filtered.code, filtered.out, err)
        return Run(code, out, "" if one else err)

    def _dockerfile(self, text: str) -> None:
        check_commands(text)

    def _python(self, text: str) -> None:
        if self.pending == "run":
            self.pending = ""
            result = self.project.module("-c", text)
            assert result.code == 0, result.err
        else:
            self._file(text)

    def _yaml(self, text: str) -> None:
        if self.pending == "a manifest":
            self.pending = ""
            assert list(yaml.safe_load_all(text))
            check_commands(text)
        elif self.pending == "check the settings":
            self.pending = ""
            check_settings(self.project, text)
        else:
            self._file(text)

    def _toml(self, text: str) -> None:
        """The metadata of a package: it is installed as far as Python asks, without its build."""
        match = re.fullmatch(r"install (\w+)", self.pending)
        assert match, self.pending
        self.pending = ""
        name, project = match[1], tomllib.loads(text)["project"]
        assert name == project["name"]
        groups = "\n".join(
            "\n".join([f"[{group}]", *(f"{key} = {place}" for key, place in entries.items())])
            for group, entries in project["entry-points"].items()
        )
        info = self.project.path / f"{name}-{project['version']}.dist-info"
        self.project.write(f"{info.name}/entry_points.txt", groups)
        self.project.write(
            f"{info.name}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {project['version']}\n"
        )

    def _file(self, text: str) -> None:
        match = re.fullmatch(r"(write|append to|insert into) (\S+)(?: before `(.+)`)?", self.pending)
        assert match, f"what is done with this block? {self.pending!r}\n{text}"
        self.pending = ""
        how, path, line = match.groups()
        if how == "write":
            self._write(path, text)
        elif how == "append to":
            self._write(path, f"{self.project.read(path)}\n\n{text}")
        else:
            self.project.replace(path, line, f"{text}\n\n{line}")

    # What notes do

    def _add_customers(self) -> None:
        with closing(sqlite3.connect(self.project.path / "app.db")) as connection:
            connection.executescript(CUSTOMERS)

    def _insert_after(self, path: str, after: str, text: str) -> None:
        lines = self.project.read(path).splitlines(keepends=True)
        index = next(index for index, line in enumerate(lines) if after in line)
        self.project.write(path, "".join([*lines[: index + 1], f"{text}\n", *lines[index + 1 :]]))

    def _write(self, path: str, text: str) -> None:
        self.project.write(path, text)

    def _empty_folder(self) -> None:
        self.project = MiniProject(self.project.path.parent / "empty", self.project.env)
        self.project.path.mkdir()

    def _whole_copy(self) -> None:
        folder = tempfile.mkdtemp(dir=self.project.path.parent)
        self.project = copy_tracked(Path(folder) / "copy", package=True)
        self.project.ok("database_upgrade")  # as a fork: what the copy is for comes after it
        self.project.env["PYTHONPATH"] = str(self.project.path)

    def _run_quietly(self, command: str) -> None:
        result = self._ran(command, together=command)
        assert result.code == 0, result.all

    def _migration_beside(self) -> None:
        newest = self.project.read(f"migrations/versions/{self.project.versions()[-1]}")
        match = re.search(r"^down_revision.*= '(\w+)'", newest, re.MULTILINE)
        assert match
        self.project.migration("9e1b44d2c8f7", match[1])
        self.project.replace(
            "migrations/versions/9e1b44d2c8f7_by_hand.py", "migration 9e1b44d2c8f7", "of another branch"
        )


def check_commands(text: str) -> None:
    """The commands in a file of another tool's are tasks, and have the options that they are given."""
    for found in re.findall(r"\b(?:doit|framefox-tasks) ([^\"\n]+)", text):
        name = ""
        for word in found.split():
            if word.startswith("--"):
                section = TASKS.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
                assert f"`{word.partition('=')[0]}" in section, (name, word)
            else:
                name = spelled(word, tasks()) or word
                assert name in tasks(), found


def check_settings(clone: MiniProject, text: str) -> None:
    """The settings as they are shown, and with each line that is a comment there, are valid."""
    clone.write("config/orm.yaml", text)
    assert load_settings(clone.path, environ={}).target.name == "app.db"
    uncommented = re.sub(r"^( *)# (?=\w+:)", r"\1", text, flags=re.MULTILINE)
    uncommented = uncommented.replace('  url: "${DATABASE_URL:-sqlite:///app.db}"\n', "")
    # The next line is the other way to write it.
    uncommented = re.sub(r"^  groups: packages .*\n", "", uncommented, flags=re.MULTILINE)
    clone.write("config/orm.yaml", uncommented)
    settings = load_settings(clone.path, environ={"DATABASE_PASSWORD": "p@ss"})
    assert settings.target.label == "shop on localhost:5432"
    assert settings.target.address.password == "p@ss"  # noqa: S105 - an example


def shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.server
@pytest.mark.parametrize("page", TRIED, ids=shown)
def test_what_a_page_shows_is_what_happens(page: Path, clone: MiniProject, make_database: MakeDatabase) -> None:
    text = page.read_text(encoding="utf-8")
    label = "no server"
    if "$STAGING_URL" in text:
        clone.env["STAGING_URL"] = make_database("postgresql").url
        label = Target(clone.env["STAGING_URL"]).label
    if steps(page):
        clone.ok("database_upgrade")
    reader = Reader(clone, label)
    reader.read(page)
    assert not reader.pending
    assert reader.commands == len(re.findall(r"^\$ ", text, re.MULTILINE))


def test_the_pages_show_many_commands() -> None:
    assert sum(len(re.findall(r"^\$ ", page.read_text(encoding="utf-8"), re.MULTILINE)) for page in TRIED) > 40


def test_the_set_up_is_two_commands() -> None:
    assert len([step for step in steps(ROOT / "README.md") if step.language == "sh"]) == 2


def test_the_dodo_of_the_page_is_that_of_the_repository(clone: MiniProject) -> None:
    block = next(step for step in steps(ROOT / "docs/projects.md") if step.language == "python")
    assert block.text.strip() in clone.read("dodo.py")


@pytest.mark.slow
def test_the_reference_lists_every_task_and_option(clone: MiniProject) -> None:
    listed = {line.split()[0] for line in clone.ok("list").splitlines()}
    assert set(re.findall(r"^\| `((?:create|database|debug|fleet)_\w+)` \|", README, re.MULTILINE)) == listed
    sections = dict(
        re.findall(r"^## ((?:create|database|debug|fleet)_\w+)\n(.*?)(?=^## |\Z)", TASKS, re.MULTILINE | re.DOTALL)
    )
    assert set(sections) == listed
    for name, section in sections.items():
        options = set(re.findall(r"--([\w-]+)", clone.ok("help", name)))
        assert {f"`{option}`" for option in options if f"--{option}" not in section} == set(), name
        assert set(re.findall(r"^\| `--([\w-]+)", section, re.MULTILINE)) <= options, name


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 250


def test_the_rows_of_tables_are_short() -> None:
    rows = [(page.name, line) for page in PAGES for line in page.read_text(encoding="utf-8").splitlines()]
    assert not [(name, line) for name, line in rows if line.startswith("|") and len(line) > 200]


def test_each_recipe_is_short() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipes = dict(re.findall(r"^## Add (a \w+.*?)\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL))
    assert set(recipes) == {"a task", "a mask", "a diagram format", "a database"}
    for name, text in recipes.items():
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("<!--", "```"))]
        assert len(lines) < 30, (name, len(lines))


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links to it."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_the_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target
    assert set(re.findall(r"\]\[(\w+)\]", text)) == set(re.findall(r"^\[(\w+)\]: ", text, re.MULTILINE))


def test_the_links_of_the_readme_are_absolute_and_of_this_repository() -> None:
    """PyPI shows the README alone."""
    assert not re.findall(r"\]\((?!https?:)", README)
    home = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]
    raw = home.replace("https://github.com/", "https://raw.githubusercontent.com/")
    for url in re.findall(r"^\[\w+\]: (.*)$", README, re.MULTILINE):
        base = f"{raw}/main/" if url.endswith(".svg") else f"{home}/blob/main/"
        assert url.startswith(base), url
        assert (ROOT / url.removeprefix(base)).is_file(), url


def test_the_example_of_env_names_the_variables_in_use() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    config = (ROOT / "config/orm.yaml").read_text(encoding="utf-8")
    for name in {"DATABASE_URL", *re.findall(r"\$\{(\w+)", config)}:
        assert re.search(rf"^# {name}=", example, re.MULTILINE), name


def test_the_committed_diagrams_and_record_are_those_of_the_sample_shop(clone: MiniProject) -> None:
    clone.ok("database_upgrade")
    assert "9 tables drawn, every file is as it was." in clone.ok("database_diagram")
    assert "-- database_create_migration  no changes since" in clone.ok("database_create_migration")
