"""The classes of the public face are frozen dataclasses to whoever uses them, beside real ones with the same fields."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
from functools import cached_property
from typing import Any

import pytest
from hypothesis import given, strategies as st

from framefox_tasks import CopyOptions, DiagramOptions, Mask, Project, Settings, Target
from framefox_tasks.frozen import Frozen, field, replace
from framefox_tasks.model import Group, NamedCopy, RevisionOptions
from framefox_tasks.url import DatabaseURL


class Ours(Frozen):
    """Declared as this package does it."""

    first: int
    second: str = "two"
    third: tuple[int, ...] = field(default=(), repr=False)
    fourth: list[int] = field(default_factory=list)

    @cached_property
    def half(self) -> float:
        return self.first / 2


@dataclasses.dataclass(frozen=True)
class Theirs:
    """Declared as dataclasses do it."""

    first: int
    second: str = "two"
    third: tuple[int, ...] = dataclasses.field(default=(), repr=False)
    fourth: list[int] = dataclasses.field(default_factory=list)


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "first": st.integers(0, 2),
    "second": st.sampled_from(["two", "three"]),
    "third": st.tuples(st.integers(0, 1)),
    "fourth": st.lists(st.integers(0, 1), max_size=2),
    "fifth": st.none(),
}
GIVEN = st.tuples(
    st.lists(st.integers(0, 1), max_size=5),
    st.dictionaries(st.sampled_from(list(VALUES)), st.integers(0, 1), max_size=3),
)


def outcome(make: Any, *arguments: Any, **named: Any) -> Any:
    try:
        return make(*arguments, **named)
    except (TypeError, AttributeError) as exc:
        return type(exc), str(exc).replace("Theirs", "Ours")


def shown(value: Any) -> str:
    return repr(value).replace("Theirs", "Ours")


@given(GIVEN, GIVEN)
def test_they_are_made_compared_and_shown_as_dataclasses(one: Any, other: Any) -> None:
    ours = [outcome(Ours, *positional, **named) for positional, named in (one, other)]
    theirs = [outcome(Theirs, *positional, **named) for positional, named in (one, other)]
    assert list(map(shown, ours)) == list(map(shown, theirs))
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])
    for mine, their in zip(ours, theirs, strict=True):
        if isinstance(mine, Ours):
            assert dataclasses.asdict(mine) == dataclasses.asdict(their)
            assert outcome(dataclasses.replace, mine, **other[1]) == outcome(replace, mine, **other[1])
            assert shown(outcome(replace, mine, **other[1])) == shown(outcome(dataclasses.replace, their, **other[1]))


def test_they_are_equal_by_value_and_have_a_hash() -> None:
    assert hash(Mask("a.b", "email")) == hash(Mask("a.b", "email", ""))
    assert Mask("a.b", "email") != Mask("a.b", "null")
    assert Mask("a.b", "email") != ("a.b", "email", "")
    with pytest.raises(TypeError, match="unhashable"):
        hash(Ours(1))


def test_they_cannot_be_changed() -> None:
    ours: Any = Ours(1)
    for name in ("first", "other"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(ours, name, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        del ours.first
    assert ours.half == 0.5
    assert dataclasses.replace(ours, first=3).half == 1.5


def test_they_survive_copies_and_other_processes() -> None:
    target = Target("postgresql://me:secret@h/shop", Project())
    assert pickle.loads(pickle.dumps(target)) == target  # noqa: S301 - our own
    assert "secret" not in repr(target)
    assert target.__replace__(echo=True) == replace(target, echo=True)


def test_a_pattern_matches_them() -> None:
    match Mask("a.b", "fixed", "x"):
        case Mask(column, "fixed", value=value):
            assert (column, value) == ("a.b", "x")
        case _:
            pytest.fail("it does not match")


@pytest.mark.parametrize(
    "kind",
    [CopyOptions, DatabaseURL, DiagramOptions, Group, Mask, NamedCopy, Project, RevisionOptions, Settings, Target],
)
def test_the_public_ones_are_dataclasses_to_others(kind: Any) -> None:
    names = [found.name for found in dataclasses.fields(kind)]
    assert names == list(inspect.signature(kind).parameters) == list(kind.__match_args__)
    assert kind.__doc__


def test_a_project_may_derive_from_them() -> None:
    class Plain(Project):
        """With an attribute of its own."""

    plain: Any = Plain()
    plain.note = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        plain.version_table = "other"

    @dataclasses.dataclass(frozen=True)
    class Extended(Project):
        note: str = ""

    assert Extended(note="x").versions == Project().versions
    assert dataclasses.replace(Extended(), note="y").note == "y"
