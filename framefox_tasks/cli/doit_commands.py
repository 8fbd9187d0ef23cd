"""Commands of doit that say in words what they do not understand, as of `doit --revison=x database_upgrade`.

doit finds them by entry points in place of its own, and reads their options before it loads a dodo.py: what that
imports comes too late. They are as they were but for these errors.
"""

from __future__ import annotations

from getopt import GetoptError
from typing import Any

from doit import cmd_clean, cmd_forget, cmd_info, cmd_list, cmd_run
from doit.cmd_base import DoitCmdBase
from doit.cmdparse import CmdParseError
from doit.exceptions import InvalidDodoFile


class _InWords(DoitCmdBase):  # type: ignore[misc]  # doit ships no type information
    """A command of doit whose errors say what was meant, and what to type."""

    def parse_execute(self, in_args: Any) -> Any:
        """Read the options, load the dodo.py and run.

        Raises:
            CmdParseError: An option is not known, or its value is none.
            InvalidDodoFile: There is no dodo.py.
        """
        try:
            return super().parse_execute(in_args)
        except CmdParseError as exc:
            if text := self._text(exc, exc.__context__):
                raise CmdParseError(text) from None
            raise
        except InvalidDodoFile as exc:
            if not str(exc).startswith("Could not find dodo file"):
                raise
            raise InvalidDodoFile(f"{str(exc).strip()}\nMake one here with: framefox-tasks init") from None

    def _text(self, error: CmdParseError, cause: BaseException | None) -> str:
        """The error in words; empty for one of the options of a task, which has its words."""
        message = str(error)
        if isinstance(cause, GetoptError) and message.startswith("Error parsing Command: "):
            from framefox_tasks.tasks.mistyped import not_an_option

            return not_an_option(cause, self.cmdparser, self.name)
        if isinstance(cause, ValueError) and message.startswith("Error parsing parameter "):
            name = message.split("'")[1]
            option = next(option for option in self.cmdparser.options if option.name == name)
            said = "takes a number" if option.type is int else f"does not take that: {cause}"
            return f"{option.help_param()} {said}.\nSee the options of doit with: doit help {self.name}"
        return ""


class Run(_InWords, cmd_run.Run):  # type: ignore[misc]  # as above
    """See doit."""


class List(_InWords, cmd_list.List):  # type: ignore[misc]  # as above
    """See doit."""


class Info(_InWords, cmd_info.Info):  # type: ignore[misc]  # as above
    """See doit."""


class Clean(_InWords, cmd_clean.Clean):  # type: ignore[misc]  # as above
    """See doit."""


class Forget(_InWords, cmd_forget.Forget):  # type: ignore[misc]  # as above
    """See doit."""
