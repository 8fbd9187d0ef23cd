"""The tasks that copy a database: one for the command line, and one for each copy that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from doit.dependency import UptodateCalculator

from framefox_tasks.settings import Chain, copy_chains, database_names, using
from framefox_tasks.tasks.actions import action
from framefox_tasks.tasks.freshness import UptodateCheck
from framefox_tasks.tasks.freshness.copies import copy_at_head, copy_unchanged, nothing_to_lose
from framefox_tasks.tasks.named import Named
from framefox_tasks.tasks.params import LIVE, Help, choice, definition, flag, option, several
from framefox_tasks.tasks.reporter import EXPLAINED

ValuesOf = Callable[[str], dict[str, Any]]


def _mask_help() -> str:
    from framefox_tasks.copies.mask import usages

    return f"hide a column, as user.email=email ({', '.join(usages())}); again for another"


_DRY_RUN = flag("dry_run", "show what would be copied, and stop")
_FORCE = option("force", "the name of the target, where it is protected", default=None)
_VERBOSE = flag("verbose", "say how the large tables are copied")
_CLUSTER = (
    option("cluster", "the address of a scheduler of Dask, whose workers copy the large tables", default=None),
    flag("insecure", "take a cluster beyond this machine whose address is tcp://"),
)
_COPY = (
    option("to", "the URL of the copy [default: DATABASE_COPY_URL]", default=None),
    {**option("source", "the URL of another source", default=None), "long": "from"},
    option("tables", "tables to copy, as order,user_* [default: all]", default=None),
    option("exclude", "tables that stay empty in the copy, as log_*", default=None),
    flag("schema_only", "no rows"),
    flag("data_only", "rows only, into the tables that the target has"),
    flag("tables_from_entities", "no copy: the tables that the entities declare"),
    flag("overwrite", "replace all that the target holds, tables that are not copied too"),
    flag("yes", "with --overwrite on a terminal: do not ask", short="y"),
    option("jobs", "how many tables, or ranges of one, at the same time", default=None),
    option("range_rows", "rows of a range of a large table; 0: one stream [default: 2500000]", default=None),
    several("where", 'rows of a table, as "order=total > 9"; again for another'),
    option("only_related", "no rows but those of --where, what they need, and what refers to them so far, or all"),
    option("sample", "rows by chance: a share of each table, or so many of one as order=1000; with what they need"),
    several("mask", Help(_mask_help)),
    {
        **several("types", 'another type in another kind of database, as order.code=text or "tinyint(1)=smallint"'),
        "long": "type",
    },
    flag("lock_writes", "let nobody write to a MySQL or MariaDB source until its rows are read"),
    flag("strict_masks", "refuse columns that look personal and have no mask"),
    flag("verify", "compare every value, not only the number of rows"),
    choice("zero_dates", "what dates with a zero become in another kind of database", "error", "null", "text"),
    choice("on_bad_row", "a row that the copy cannot hold ends it, or is left out", "stop", "skip"),
    option("rejects", "the file of rows that are left out [default: rejected-rows.jsonl]", default=None),
    flag("no_scan", "with --dry-run: look neither at the rows nor at what the target takes"),
    flag("force_disconnect", "end the sessions of others on the target"),
    _FORCE,
    option("lock_wait", "seconds to wait for another run that changes the target", default=None),
    _DRY_RUN,
    _VERBOSE,
    *_CLUSTER,
)


@definition
def task_database_copy() -> Iterator[dict[str, Any]]:
    """Copy the database to another place"""
    yield _typed("database_copy", "Copy the database to another place")
    for database in database_names():
        with using(database):
            yield _typed(f"database_copy:{database}", f"Copy the database {database} to another place")
    for name, chain in copy_chains().items():
        yield from _named(name, chain)


def _typed(task: str, doc: str) -> dict[str, Any]:
    """The task of the copy that the command line says; no part of a group, as that would run with a plain one."""
    copy = {"actions": [action("copies:copy")], "params": list(_COPY), "uptodate": [Named()], **LIVE}
    return {"basename": task, "doc": doc, **copy}


def copies_before_upgrade() -> list[str]:
    """The tasks that make a copy before an upgrade."""
    return [_before(name) for name, chain in copy_chains().items() if chain.before_upgrade]


def _before(name: str) -> str:
    return f"_database_copy_before:{name}"


def _named(name: str, chain: Chain) -> Iterator[dict[str, Any]]:
    typed = f"database_copy:{name}"
    # The names have no "name" of doit's: a part of the group would run with every plain database_copy.
    if chain.then_upgrade:
        yield _copying(name, f"{typed}:copy", typed, chain)
        yield _upgrading(name, f"{typed}:copy", typed, chain)
        yield {
            "basename": typed,
            "doc": f"Make the copy {name} of the settings, and upgrade it",
            "actions": [],
            "task_dep": [f"{typed}:copy", f"{typed}:upgrade"],
            "params": [_DRY_RUN, _FORCE, _VERBOSE, *_CLUSTER],
        }
    else:
        yield _copying(name, typed, typed, chain)
    if chain.before_upgrade:
        yield {
            "basename": _before(name),
            "doc": f"Make the copy {name} if the upgrade has something to do",
            "actions": [],
            "setup": [typed],
            "uptodate": [UptodateCheck(nothing_to_lose)],
        }


def _named_or_needed(chain: Chain) -> Named:
    # The upgrade must not go without its backup, also where doit runs it by default.
    return Named(always=chain.before_upgrade)


def _copying(name: str, task_name: str, typed: str, chain: Chain) -> dict[str, Any]:
    def unchanged(task: Any, values: dict[str, Any], values_of: ValuesOf) -> tuple[bool, str]:
        if task.options["dry_run"]:
            return False, ""
        return copy_unchanged(name, values, values_of(f"{typed}:upgrade"))

    return {
        "basename": task_name,
        "doc": f"Make the copy {name} of the settings",
        "actions": [(action("copies:named"), [], {"name": name})],
        "params": [_DRY_RUN, _FORCE, _VERBOSE, *_CLUSTER],
        "uptodate": [ChainCheck(unchanged, typed), _named_or_needed(chain)],
        "meta": {EXPLAINED: True},
        **LIVE,
    }


def _upgrading(name: str, copy_task: str, typed: str, chain: Chain) -> dict[str, Any]:
    def upgraded(task: Any, values: dict[str, Any], values_of: ValuesOf) -> tuple[bool, str]:
        copied = values_of(copy_task)
        # Now and not when the action runs: that may be in a process of its own, which knows no values.
        task.options["stamp"] = copied.get("stamp", "")
        if task.options.get("dry_run"):
            return False, ""
        return copy_at_head(name, task, values, copied)

    return {
        "basename": f"{typed}:upgrade",
        "doc": f"Apply the pending migrations to the copy {name}",
        "actions": [(action("copies:upgrade"), [], {"name": name})],
        "task_dep": [copy_task],
        "uptodate": [ChainCheck(upgraded, typed), _named_or_needed(chain)],
        **LIVE,
    }


class ChainCheck(UptodateCheck, UptodateCalculator):  # type: ignore[misc]  # doit ships no type information
    """An `uptodate` that gets the values of the other tasks of the chain.

    A dry run that is asked of the task that the user types is one of every task of the chain, and so are
    its other options.

    Args:
        predicate: Gets doit's task, the values that its last run left, and a function that gives those of another task.
        typed: The name of the task that the user types.
    """

    def __init__(self, predicate: Callable[[Any, dict[str, Any], ValuesOf], tuple[bool, str]], typed: str) -> None:
        UptodateCalculator.__init__(self)
        UptodateCheck.__init__(self, self._asked)
        self._with_others = predicate
        self._typed = typed
        self._values_of: ValuesOf = lambda _: {}

    def setup(self, dep_manager: Any, tasks_dict: dict[str, Any]) -> None:
        """Called by doit before it asks."""
        super().setup(dep_manager, tasks_dict)
        self._values_of = dep_manager.get_values

    def _asked(self, task: Any, values: dict[str, Any]) -> tuple[bool, str]:
        task.init_options()
        typed = self.tasks_dict[self._typed].options or {}
        if typed.get("dry_run"):
            task.options["dry_run"] = True
        for name in ("force", "verbose", "cluster", "insecure"):
            if typed.get(name) and name in task.options:
                task.options[name] = typed[name]
        if task.options.get("dry_run"):
            task.value_savers.append(lambda: values)  # what the last real run left is still true
        return self._with_others(task, values, self._values_of)
