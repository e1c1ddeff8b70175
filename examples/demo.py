"""The whole journey on real data: wildlife strikes, and which of them damage an aircraft.

The table is a sample of the wildlife-strike database of the US Federal Aviation Administration (public domain). Its cost
columns are filled in after the damage is known: a careless model would use them and be useless. The check asks about them,
the client answers, and the run leaves them out.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PLACE = HERE.parent / "demo"
WORKSPACE = PLACE / "birdstrikes"
TARGET = "Effect Amount of damage"
GATE_SAID_NO = 1
COSTS = ("Cost Repair", "Cost Other", "Cost Total $")


def skiff(*arguments: str) -> int:
    """Show a command as a user would type it, and run it."""
    shown = " ".join(f'"{word}"' if " " in word else word for word in arguments)
    print(f"\n$ skiff {shown}\n", flush=True)
    return subprocess.run([sys.executable, "-m", "skiff", *arguments], check=False).returncode  # noqa: S603  our own command


def main() -> int:
    """Check, answer the question, run, use the model, prove the record."""
    PLACE.mkdir(exist_ok=True)
    began = time.monotonic()
    table = str(HERE / "birdstrikes.csv")
    print("1. What is in the data, and can it be trusted?")
    skiff("check", table, "--target", TARGET)

    print("\n2. The check asks when the costs are filled in. The client says: after the damage is known.")
    print("   So the run leaves them out.")
    drops = [word for cost in COSTS for word in ("--drop", cost)]
    code = skiff("run", table, "--target", TARGET, *drops, "--budget", "30s", "--workspace", str(WORKSPACE))

    if code == GATE_SAID_NO:  # on a machine too busy to train much within the budget
        print(
            "\n3. Not surely better than a guess, so nothing was released: that is an answer too. The record of it is whole."
        )
    else:
        print("\n3. The released file answers new rows, and the record of all this is whole.")
        skiff("predict", table, "-o", str(PLACE / "answers.csv"), "--workspace", str(WORKSPACE))
    skiff("ledger", "verify", "--workspace", str(WORKSPACE))

    print(f"\nThat took {time.monotonic() - began:.0f} seconds. Now open the report in a browser:")
    print(f"  {WORKSPACE / 'reports' / 'report.html'}")
    return 0 if code == GATE_SAID_NO else code  # the journey was made to its end


if __name__ == "__main__":
    sys.exit(main())
