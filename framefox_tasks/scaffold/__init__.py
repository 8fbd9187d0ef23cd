"""New source files in the project's own style."""
