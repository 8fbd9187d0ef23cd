"""Diagrams of a schema: which tables are on one, and a registry of the formats that they are drawn in."""
