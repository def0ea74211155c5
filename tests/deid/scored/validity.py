"""What dciodvfy finds wrong in objects that came out, and found right before (PS3.3)."""

import re
import subprocess
from collections import Counter

# What it quotes of values, and where they are.
QUOTED = re.compile(r"<[^<>]*>|\(0x[0-9a-f, x]*\)")


def errors(path):
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, errors="replace")
    lines = (done.stderr + done.stdout).splitlines()
    return Counter(QUOTED.sub("<>", line).strip() for line in lines if line.startswith("Error"))


def new_errors(before, after):
    """Lines of errors by object; dciodvfy does not inflate what is deflated."""
    read = [number for number in sorted(after) if not after[number].syntax.is_deflated]
    found = {number: errors(after[number].path) - errors(before[number].path) for number in read}
    return [f"{number:4} {line}" for number, lines in found.items() for line in lines]
