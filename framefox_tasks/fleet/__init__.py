"""Many databases with one history: which they are, where they stand, and what changes them at the same time."""
