"""A ring of 24,000 members exported in every format: seconds and peak memory of each.

    python benchmarks/export_formats.py [--members N] [--runs K]

Each format has a process of its own, which loads the format's library, makes the sink from its entry, renders
the event, and writes what it made to a disk as file sinks do: whole, and flushed. What sinks send by network
is written to a file, too, so that no receiver's speed is measured. Promise: all formats together within ten
seconds, none with more than 1 GiB.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from machine import machine

from ringfence.enforcement.events import Event, Target, idempotency_key
from ringfence.enforcement.sinks.open import KINDS, sink_class
from ringfence.records import Role
from ringfence.testing.sample_events import enforced

PROMISED_SECONDS, PROMISED_MIB = 10.0, 1024.0
COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
FAMILIES = ("instrument", "device", "template")


def event(members: int) -> Event:
    """Return the ban of a large ring: ten entities of each type, a sentence a family."""
    small = enforced()
    entities = [f"{kind}:{kind}_{n:016x}" for kind in FAMILIES for n in range(10)]
    entities += [f"ip:203.0.113.{n}" for n in range(10)]
    said = f"{members:,} of {members:,} accounts share one of 10"
    return replace(
        small,
        accounts=tuple(
            Target(
                f"acct_{n * 2654435761 % 2**32:08x}{n:06}",
                Role.CORE if n % 3 else Role.MEMBER,
                0.5 + n / 2 / members,
            )
            for n in range(members)
        ),
        grounds=replace(
            small.grounds,
            size=members,
            entities=tuple(entities),
            statements=tuple(
                f"{said} {kind}s; by chance one in a million would." for kind in (*FAMILIES, "address")
            ),
        ),
    )


def settings(kind: str, folder: Path) -> dict[str, Any]:
    """Return an entry of a kind; keys and secrets are made for it."""
    (folder / "secret").write_text("whsec_" + base64.b64encode(bytes(range(32))).decode())
    receiver, producer = "https://receiver.example", {"producer": "Example AI"}
    return {
        "stix": {"folder": "out", **producer},
        "webhook": {"url": f"{receiver}/ringfence", "secret_file": "secret"},
        "taxii": {"url": f"{receiver}/api1/collections/{COLLECTION}/", "token_file": "secret", **producer},
        "risc": {
            "url": f"{receiver}/events",
            "issuer": "https://api.example/",
            "audience": f"{receiver}/",
            "key_file": _key(folder),
        },
    }.get(kind, {"folder": "out"})


def _key(folder: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = Ed25519PrivateKey.generate()
    (folder / "key.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return "key.pem"


def carry_out(kind: str, members: int) -> None:
    """Export in one format in this process, and print what it cost."""
    from ringfence.enforcement.sinks.jsonl import JsonlFiles
    from ringfence.enforcement.sinks.protocol import Delivery
    from ringfence.pipeline.measure import peak_mib

    told = event(members)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        table = settings(kind, folder)
        start = time.perf_counter()
        sink = sink_class(kind).from_settings("place", table, folder)
        body = sink.render(told)
        handed = Delivery(idempotency_key(told, "place"), told.ring_id, 1, body, told.occurred_at, 1)
        # Whatever the kind, this writes a body to a file as file sinks do.
        JsonlFiles("place", folder / "written").send(handed)
        seconds = time.perf_counter() - start
        sink.close()
    print(seconds, peak_mib(), len(body) / 2**20)


def measured(kind: str, members: int) -> list[float] | str:
    """Return seconds, peak MiB and MiB written, or why there are none."""
    words = [sys.executable, __file__, "--kind", kind, "--members", str(members)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--members", type=int, default=24_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--kind", choices=KINDS)
    asked = options.parse_args()
    if asked.kind:
        carry_out(asked.kind, asked.members)
        return
    print(f"{machine()}; a ring of {asked.members:,} members, median of {asked.runs} runs\n")
    print("| format | seconds | peak memory | written |\n|---|---|---|---|")
    total, most = 0.0, 0.0
    for kind in KINDS:
        runs = [measured(kind, asked.members) for _ in range(asked.runs)]
        if off := [run for run in runs if isinstance(run, str)]:
            print(f"| {kind} | not measured: {off[0]} | | |")
            continue
        seconds, peak, size = (statistics.median(column) for column in zip(*runs, strict=True))
        total, most = total + seconds, max(most, peak)
        print(f"| {kind} | {seconds:.2f} | {peak:,.0f} MiB | {size:.1f} MiB |")
    print(
        f"\n{total:.2f} s together (promise: {PROMISED_SECONDS:g}), "
        f"at most {most:,.0f} MiB at once (promise: {PROMISED_MIB:,.0f})."
    )


if __name__ == "__main__":
    main()
