"""Reads a picture in Graphviz's language on stdin, and writes it in the format of the argument to stdout.

It is a process of its own, because Graphviz prints its warnings, cannot draw in two threads at once, and ends the
process when it fails badly. The only importer of pygraphviz.
"""

import sys

from pygraphviz import AGraph  # type: ignore[import-untyped]  # it ships no type information

if __name__ == "__main__":
    graph = AGraph().from_string(sys.stdin.buffer.read().decode())
    sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
