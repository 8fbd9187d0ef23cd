"""Frozen dataclasses that are cheap to declare. Standard library only.

`dataclasses` writes and compiles the methods of each class at every start of Python; these are written here, once. For
its functions (fields, replace, asdict, is_dataclass), for inspect and for `match` such a class is a dataclass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from dataclasses import Field

Given = TypeVar("Given", bound="Frozen")

_MISSING: Any = object()


class _Declared:
    """What is said of a field. A plain class: a named tuple is compiled when it is declared."""

    __slots__ = ("default", "factory", "repr")

    def __init__(self, default: Any, factory: Callable[[], Any] | None = None, repr: bool = True) -> None:  # noqa: A002 - as above
        self.default = default
        self.factory = factory
        self.repr = repr


def field(
    *,
    default: Any = _MISSING,
    default_factory: Callable[[], Any] | None = None,
    repr: bool = True,  # noqa: A002 - as dataclasses call it
) -> Any:
    """A field, as of dataclasses."""
    return _Declared(default, default_factory, repr)


@cache
def _twin(owner: Any) -> type[Any]:
    """The class that dataclasses make of the same fields."""
    import dataclasses

    fields = []
    for name, found in owner._declared.items():
        default = dataclasses.MISSING if found.default is _MISSING else found.default
        given: dict[str, Any] = {"default_factory": found.factory} if found.factory else {"default": default}
        fields.append((name, owner._types[name], dataclasses.field(repr=found.repr, **given)))
    return dataclasses.make_dataclass(owner.__name__, fields, frozen=True)


class _Derived:
    """An attribute of the twin, which nothing but dataclasses and inspect ask for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: Any) -> Any:
        from inspect import signature

        return signature(_twin(owner)) if self._name == "__signature__" else getattr(_twin(owner), self._name)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Frozen:
    """The base of a frozen dataclass, whose fields are its annotations."""

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    else:
        __dataclass_fields__ = _Derived("__dataclass_fields__")
    __dataclass_params__: ClassVar[Any] = _Derived("__dataclass_params__")
    __signature__: ClassVar[Any] = _Derived("__signature__")
    __match_args__: ClassVar[tuple[str, ...]] = ()
    _declared: ClassVar[dict[str, _Declared]] = {}
    _types: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        own = {name: kind for name, kind in cls.__annotations__.items() if "ClassVar" not in str(kind)}
        if not own:
            return
        cls._types = {**cls._types, **own}
        cls._declared = {**cls._declared, **{name: _field_of(cls, name) for name in own}}
        cls.__match_args__ = tuple(cls._declared)  # type: ignore[misc]  # of each class its own

    def __init__(self, *given: Any, **named: Any) -> None:
        kind: Any = type(self)
        declared = self._declared
        values = dict(zip(declared, given, strict=False))
        if len(given) > len(declared) or not named.keys() <= declared.keys() - values.keys():
            _twin(kind)(*given, **named)  # raises what dataclasses do
        values.update(named)
        for name, found in declared.items():
            if name not in values:
                default, factory = found.default, found.factory
                if default is _MISSING and factory is None:
                    _twin(kind)(*given, **named)
                values[name] = factory() if factory else default
        self.__dict__.update(values)

    def _values(self) -> tuple[Any, ...]:
        own = self.__dict__
        return tuple([own[name] for name in self._declared])

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name, found in self._declared.items() if found.repr]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __replace__(self: Given, /, **changes: Any) -> Given:
        return type(self)(**{**dict(zip(self._declared, self._values(), strict=True)), **changes})

    def __setattr__(self, name: str, value: object) -> None:
        if self._is_frozen(name):
            _refuse(f"cannot assign to field {name!r}")
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if self._is_frozen(name):
            _refuse(f"cannot delete field {name!r}")
        super().__delattr__(name)

    def _is_frozen(self, name: str) -> bool:
        # A subclass that declares no fields may have other attributes, as with dataclasses.
        return name in self._declared or "_declared" in vars(type(self))


def _field_of(owner: type[Frozen], name: str) -> _Declared:
    """What a class says of its field; its attribute becomes the default, as with dataclasses."""
    found = vars(owner).get(name, _MISSING)
    if not isinstance(found, _Declared):
        return _Declared(found)
    if found.default is _MISSING:
        delattr(owner, name)
    else:
        setattr(owner, name, found.default)
    return found


def _refuse(text: str) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(text)


def replace(given: Given, **changes: Any) -> Given:
    """The same with other values of some fields, as dataclasses.replace.

    Raises:
        TypeError: There is no such field.
    """
    return given.__replace__(**changes)
