"""What a forked process does to be as a new interpreter; the process that they are forked from has imported this."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path


def run_here(
    module: str,
    arguments: tuple[str, ...],
    folder: str,
    env: dict[str, str],
    search_path: list[str],
    given: Path,
    out: Path,
    err: Path,
    terminal: Connection | None = None,
) -> None:
    """Be as a new interpreter that was given this command."""
    if terminal is not None:
        os.login_tty(terminal.fileno())
        return _run(module, arguments, folder, env, search_path)
    for number, path, flags in ((0, given, os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
        opened = os.open(path, flags | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    return _run(module, arguments, folder, env, search_path)


def _run(module: str, arguments: tuple[str, ...], folder: str, env: dict[str, str], search_path: list[str]) -> None:
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
        vars(sys).update({name: stream, f"__{name}__": stream})
    sys.dont_write_bytecode = False
    multiprocessing.set_start_method(None, force=True)  # the default again
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    program, arguments = (arguments[0], arguments[1:]) if module == "-c" else (None, arguments)
    sys.argv = [module, *arguments]
    also = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [folder, *also, *search_path]
    try:
        if program is None:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            exec(program, {"__name__": "__main__"})  # noqa: S102 - a test's own
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(ValueError):  # closed by the command
                stream.flush()
