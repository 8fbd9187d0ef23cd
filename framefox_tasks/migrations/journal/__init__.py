"""The journal of a migration that commits in between: what of it is done, so that it is never repeated in silence."""
