"""``python -m ringfence``: the command line, where the script is not on the path."""

from ringfence.cli import main

main()
