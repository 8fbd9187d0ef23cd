"""The schema that the entities declare, and that a database has."""
