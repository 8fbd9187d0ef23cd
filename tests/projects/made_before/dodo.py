"""The database tasks, for `doit`. Type `doit list` to see them."""

from framefox_tasks.tasks import *
