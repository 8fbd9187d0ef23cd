"""Reads a picture in Graphviz's language on stdin, and writes it to stdout.

Its arguments are the format, and the folder that holds pygraphviz.

It is a process of its own, because Graphviz prints its warnings, cannot draw in two threads at once, and ends the
process when it fails badly. The only importer of pygraphviz.
"""

import sys

if __name__ == "__main__":
    form, *places = sys.argv[1:]
    sys.path += places

    from pygraphviz import AGraph  # type: ignore[import-untyped]  # it ships no type information

    graph = AGraph().from_string(sys.stdin.buffer.read().decode())
    sys.stdout.buffer.write(graph.draw(format=form, prog="dot"))
