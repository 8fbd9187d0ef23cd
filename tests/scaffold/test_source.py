"""Imports that are added to a module stand where a sorter of imports puts them."""

from __future__ import annotations

from framefox_tasks.scaffold.source import Import, ModuleSource


def test_an_import_stands_beside_those_of_its_own_package() -> None:
    text = b"import uuid\n\nfrom sqlmodel import SQLModel\n\nfrom shop.thing_tag import ThingTag\n"
    source = ModuleSource(text, 88, lambda module: module == "shop")
    source.add_imports([Import("shop.thing_box", "ThingBox"), Import("decimal", "Decimal")])
    assert source.content() == (
        b"import uuid\nfrom decimal import Decimal\n\nfrom sqlmodel import SQLModel\n\n"
        b"from shop.thing_box import ThingBox\nfrom shop.thing_tag import ThingTag\n"
    )
