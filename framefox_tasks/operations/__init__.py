"""The operations: plain functions that take a Target or a Project and give a frozen result.

They know nothing of doit, of settings, of the process environment or of the terminal.
"""
