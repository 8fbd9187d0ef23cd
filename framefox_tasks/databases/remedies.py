"""What to do about errors that say nothing of a statement, but of who else uses the database."""

from __future__ import annotations

LOCK_TIMEOUT = "Others hold a lock on what it changes. Wait until they have ended, or set a longer `patience`."
STATEMENT_TIMEOUT = "The server gives no statement so much time. Raise its statement timeout for this user."
READ_ONLY = "The server is a replica, or read-only. Connect to the primary one, as a user that may write."
DEADLOCK = "It and another session have waited for each other. Wait until that one has ended."
TOO_MANY_CONNECTIONS = "The server has as many connections as it takes. Close some, or raise its limit."
DISK_FULL = "There is no space left where the database is. Make room on that disk."
