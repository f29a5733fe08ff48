"""A sender in a process of its own, there to be killed: ``python outbox_sender.py STATE LEASE``.

It says ``ready``, waits for a line, delivers until nothing waits, and says how much it delivered.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path

from ringfence.enforcement.casebook.database import Casebook
from ringfence.enforcement.outbox.backoff import Backoff
from ringfence.enforcement.outbox.deliver import Delivered, deliver
from ringfence.enforcement.sinks.open import open_sinks
from ringfence.state import StateFolder

QUICK = Backoff(first=0.02, longest=0.2, most=60)


def main(state: StateFolder, lease: float) -> None:
    done = Delivered()
    with ExitStack() as stack:
        book = stack.enter_context(Casebook.open(state.casebook, make=False))
        sinks = open_sinks(state.sinks)
        for sink in sinks.values():
            stack.callback(sink.close)
        print("ready", flush=True)
        sys.stdin.readline()
        while book.read("SELECT 1 FROM exports WHERE status = 'waiting' LIMIT 1"):
            done += deliver(book, sinks, by="sender", backoff=QUICK, lease=lease)
            time.sleep(0.02)
    print(done.delivered, flush=True)


if __name__ == "__main__":
    main(StateFolder(Path(sys.argv[1])), float(sys.argv[2]))
