"""Where .env and the environment name two databases, it is said once, before one is created."""

from __future__ import annotations

from support.projects import MiniProject


def test_it_is_said_before_one_is_created(shop: MiniProject) -> None:
    shop.write(".env", "DATABASE_URL=sqlite:///one.db\n")
    shop.env["DATABASE_URL"] = "sqlite:///two.db"
    result = shop.doit("database_create")
    assert result.code == 0
    assert ".env names another database than DATABASE_URL in the environment, which counts: two.db" in result.err
    assert (shop.path / "two.db").exists()
    assert not shop.doit("database_create").err


def test_the_same_twice_is_no_matter(shop: MiniProject) -> None:
    shop.write(".env", "DATABASE_URL=sqlite:///one.db\n")
    shop.env["DATABASE_URL"] = "sqlite:///one.db"
    shop.ok("database_create")


def test_neither_is_one_alone(shop: MiniProject) -> None:
    shop.write(".env", "DATABASE_URL=sqlite:///one.db\n")
    shop.ok("database_create")
    assert (shop.path / "one.db").exists()
