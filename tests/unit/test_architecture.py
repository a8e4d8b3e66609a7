# SPDX-License-Identifier: GPL-2.0-only
"""docs/architecture.md says which folder may include which; this holds every #include of src/ against it."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SRC = ROOT / "src"


def allowed():
    """{folder: folders it may include}, from the table between the two marks."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- architecture:.*?-->(.*?)<!-- /architecture -->", text, re.DOTALL)[1]
    rows = re.findall(r"^\| `src/(\w+)` \| (.*?) \|", table, re.MULTILINE)
    return {folder: set(re.findall(r"`(\w+)`", may)) for folder, may in rows}


def includes():
    """(file, folder it is in, folder it includes, the include) for each include of one of our folders."""
    for path in sorted(SRC.rglob("*.[ch]")):
        folder = path.relative_to(SRC).parts[0]
        for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE):
            if (SRC / name).exists():
                yield path.relative_to(ROOT), folder, pathlib.Path(name).parts[0], name


def test_every_folder_is_in_the_table():
    assert set(allowed()) == {path.name for path in SRC.iterdir() if path.is_dir()}


def crossings(rules, found):
    return [f"{path}: {name}" for path, folder, target, name in found
            if target != folder and target not in rules[folder]]


def test_no_include_that_the_table_does_not_allow():
    found = list(includes())
    assert len(found) > 10
    assert crossings(allowed(), found) == []


def test_a_wrong_include_is_found():
    """The check itself: srv6/ must not know model/, model/ may know srv6/."""
    down = ("src/model/model.h", "model", "srv6", "srv6/srv6.h")
    up = ("src/srv6/srv6.h", "srv6", "model", "model/model.h")
    assert crossings(allowed(), [down, up]) == ["src/srv6/srv6.h: model/model.h"]


def test_the_table_has_no_cycle():
    rules = allowed()
    order = []
    while len(order) < len(rules):
        free = [folder for folder in rules if folder not in order and rules[folder] <= set(order)]
        assert free, f"a cycle among {sorted(set(rules) - set(order))}"
        order += free


def test_no_include_climbs_out_of_its_folder():
    """"../srv6/srv6.h" would slip past the rules above."""
    climbing = [f"{path}: {line}" for path in sorted(SRC.rglob("*.[ch]"))
                for line in path.read_text(encoding="utf-8").splitlines()
                if re.match(r'\s*#\s*include\s*["<].*\.\./', line)]
    assert climbing == []
