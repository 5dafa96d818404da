"""A project of three tiny chapters, for tests of runs: written into a temporary folder, executed for real."""

import json
from pathlib import Path

SUPPORT = Path(__file__).parent
INFO = """\
title: Chapter {number}
claim: A claim with $S = \\ln 2$.
shows: One number.
needs: nothing
minutes: {{smoke: 0.1, paper: 2}}
smoke: {{size: 3, first: {{value: 2}}}}
paper: {{size: 5, first: {{value: 3}}}}
"""
CLAIMS = """\
families: {small: {question: "Is it small?"}}
claims:
- {id: C1, paper: qed-nas, kind: paper, family: small, source: section 2, statement: small, chapter: "01", result: 01/first,
   test: {kind: at_most, key: value, value: 3, exact: a setting}}
- {id: C2, paper: qnas, kind: own, family: small, source: section 3, statement: later, chapter: "03", test: {kind: pending}}
"""
CHAPTERS = {
    "01": [
        "import companion_tasks as t\nimport os\nimport sys\nfrom qednas.companion.chapter import Chapter\n"
        'ch = Chapter("01", profile=profile, seed=seed)',
        "log = os.environ['TASK_LOG']\n"
        'first = ch.get_or_run("first", t.plain, tolerance="exact", log=log, block="first")\n'
        "print('progress of the first chapter', file=sys.stderr)",
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, first['value']])\n"
        'ch.figure(fig, "line", caption="A line.", alt="a line")',
        'ch.say("The value is {value:.2f}.", value=first["value"])\nch.ledger();',
    ],
    "02": [
        "import companion_tasks as t\nimport os\nfrom qednas.companion.chapter import Chapter\n"
        'ch = Chapter("02", profile=profile, seed=seed)',
        "log, wait = os.environ['TASK_LOG'], float(os.environ.get('TASK_SECONDS', 0))\n"
        'rows = ch.get_or_run("rows", t.campaign, picked={"tasks": "size"}, workers=1, log=log, seconds=wait)',
        'double = ch.get_or_run("double", t.doubled, upstream=["01/first"])\nch.say("{v}", v=double["value"])',
        "if os.environ.get('TASK_FAILS'):\n    raise ValueError('broken on purpose')",
    ],
}


def notebook(sources, parameters='profile = "smoke"\nseed = 0'):
    """Notebook with a parameters cell and code cells."""
    blank = {"cell_type": "code", "execution_count": None, "outputs": [], "metadata": {}}
    cells = [{**blank, "id": f"c{i}", "source": source} for i, source in enumerate([parameters, *sources])]
    cells[0]["metadata"] = {"tags": ["parameters"]}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}


def write_project(root):
    """Write the project into `root`; returns it."""
    (root / "book" / "chapters").mkdir(parents=True)
    (root / "pyproject.toml").write_text("")
    (root / "book" / "claims.yml").write_text(CLAIMS)
    toc = ["format: jb-book", "root: README", "chapters:", "- file: book/notes"]
    for number, sources in CHAPTERS.items():
        (root / "book" / f"{number}_chapter.ipynb").write_text(json.dumps(notebook(sources)))
        (root / "book" / "chapters" / f"{number}.yml").write_text(INFO.format(number=number))
        toc.append(f"- file: book/{number}_chapter")
    (root / "_toc.yml").write_text("\n".join(toc) + "\n")
    return root
