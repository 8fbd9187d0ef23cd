"""Copying a database to another place."""
