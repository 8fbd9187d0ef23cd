"""Reads a picture in Graphviz's language on stdin, and writes it to stdout.

Its arguments are the format, a program of Graphviz or `each`, and the folder that holds pygraphviz. With `each`, a line
is a JSON list of the program, such as dot, and the picture, and a line of the output is a JSON text. A picture then has
some seconds of the processor's time: after these the process ends.

It is a process of its own, because Graphviz prints its warnings, cannot draw in two threads at once, and ends the
process when it fails badly. The only importer of pygraphviz.
"""

import json
import signal
import sys

SECONDS = 2


def limit(seconds: int) -> None:
    """End the process after so many seconds of its own time; 0 for never. Windows has no such timer."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


if __name__ == "__main__":
    form, program, *places = sys.argv[1:]
    sys.path += places

    from pygraphviz import AGraph  # type: ignore[import-untyped]  # it ships no type information

    if program != "each":
        graph = AGraph().from_string(sys.stdin.buffer.read().decode())
        sys.stdout.buffer.write(graph.draw(format=form, prog=program))
    else:
        for line in sys.stdin.buffer:
            program, source = json.loads(line)
            limit(SECONDS)
            drawn = AGraph().from_string(source).draw(format=form, prog=program)
            limit(0)
            sys.stdout.buffer.write(json.dumps(drawn.decode()).encode() + b"\n")
            sys.stdout.buffer.flush()
