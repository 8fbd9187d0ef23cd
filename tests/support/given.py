"""Settings of a folder with given files and a given environment, read in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Target
from framefox_tasks.settings import Settings, load_settings


def load(root: Path, yaml: str | None = None, *, dotenv: str | None = None, **environ: str) -> Settings:
    """The settings of a folder with these files, in a process with this environment."""
    if yaml is not None:
        (root / "config").mkdir(exist_ok=True)
        (root / "config/orm.yaml").write_text(yaml, encoding="utf-8")
    if dotenv is not None:
        (root / ".env").write_text(dotenv, encoding="utf-8")
    return load_settings(root, environ)


def target(root: Path, yaml: str | None = None, *, dotenv: str | None = None, **environ: str) -> Target:
    return load(root, yaml, dotenv=dotenv, **environ).target


def refused(root: Path, yaml: str | None = None, *, dotenv: str | None = None, **environ: str) -> ConfigError:
    """The error of settings that cannot be used; it must say what to do."""
    with pytest.raises(ConfigError) as caught:
        load(root, yaml, dotenv=dotenv, **environ)
    assert caught.value.hint
    return caught.value
