"""Makes lava.json: what Lava 0.10's Loihi 1 models compute, every u, v and spike of random networks and a loud one.

    python tests/golden/make_lava.py PYTHON

PYTHON is a CPython 3.10 that has lava-nc 0.10.0 (python3.10 -m venv lava && lava/bin/pip install lava-nc==0.10.0); it
runs tests/lava/run.py.  The networks are drawn by tests/chips.py.  The file says what ran.
"""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parent.parent
SEEDS = (3, 4, 9, 11, 12, 17, 20, 26)


def by_lava(python, problems):
    """What tests/lava/run.py writes about these problems."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder) / "problems.json", Path(folder) / "traces.json"
        asked.write_text(json.dumps(problems))
        done = subprocess.run([python, str(TESTS / "lava" / "run.py"), str(asked), str(answer)], capture_output=True,
                              text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(answer.read_text())


if __name__ == "__main__":
    sys.path.insert(0, str(TESTS))
    import chips

    problems = [chips.loihi(random.Random(seed), steps=32, size=4) for seed in SEEDS]
    problems.append(chips.loud_loihi())
    made = by_lava(sys.argv[1], problems)
    lines = [json.dumps({"problem": problem, **trace}, separators=(",", ":"))
             for problem, trace in zip(problems, made["traces"], strict=True)]
    text = f'{{"ran": {json.dumps(made["ran"])},\n"networks": [\n' + ",\n".join(lines) + "\n]}\n"
    (Path(__file__).parent / "lava.json").write_text(text)
