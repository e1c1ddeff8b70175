"""The whole journey on real data: which wildlife strikes damage an aircraft?

The table is a sample of the wildlife-strike database of the US Federal Aviation Administration (public domain). Its cost
columns are filled in after the damage is known, so a careless model would look brilliant and be useless: watch what the
leak court says about them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PLACE = HERE.parent / "demo"


def main() -> int:
    """Run the command a user would type, and show it."""
    PLACE.mkdir(exist_ok=True)
    workspace = PLACE / "birdstrikes"
    arguments = ["run", str(HERE / "birdstrikes.csv"), "--target", "Effect Amount of damage", "--budget", "30s"]
    arguments += ["--workspace", str(workspace)]
    shown = " ".join(f'"{word}"' if " " in word else word for word in arguments)
    print(f"$ skiff {shown}\n", flush=True)
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "skiff", *arguments], check=False)  # noqa: S603  our own command
    print(f"\nThat took {time.monotonic() - began:.0f} seconds. Now open the report in a browser:")
    print(f"  {workspace / 'reports' / 'report.html'}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
