#!/usr/bin/env python3
"""Files that name a resource of the sample (products, users, orders), though a fork that replaces the sample keeps them.

    .ci/fork_names.py    prints each line that does, and fails if there is one
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The places of a bundle, which a fork replaces, and what is made of them.
BUNDLE = ("shared/model/", "functions/", "events/", "samples/", "template.yaml", "Cargo.toml", "Cargo.lock", "openapi.json")
DOCUMENTS = ("LICENSE", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/")
# The fixture bundle (tests/shop), and what stands on it in place of the real one: it has the same resources, and a fork keeps both.
FIXTURE = ("tests/", "tools/dev/tests/", "tools/bench/", "fuzz/")
ALLOWED = BUNDLE + DOCUMENTS + FIXTURE
# Names, not the English words: "in order" and "a user pool" are no resources.
NAME = re.compile(
    r"""products?(?!ion|ive)|Product|PRODUCT
    | (?<![-\w])(get|list)-user | \buser_?[Ii]d\b | \bUSERS\b | \bUsersTable\b | \bUSER\#
    | ["'`/ ]users(["'`/=]|$) | \busers[.]jsonl
    | \b[Oo]rder_?[Ii]d\b | \bORDERS\b | \bOrdersTable\b | ["'`/]orders(["'`/=]|$) | \borders[.]jsonl""",
    re.X,
)


def lines(path):
    """The numbered lines of a file; of Rust, those before its unit tests, which use the fixture bundle."""
    try:
        text = (ROOT / path).read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return
    for number, line in enumerate(text.splitlines(), 1):
        if path.endswith(".rs") and line.startswith("#[cfg(test)]"):
            return
        yield number, line


def main():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True, text=True)
    paths = [path for path in listed.stdout.splitlines() if not path.startswith(ALLOWED) and path != ".ci/fork_names.py"]
    found = [f"{path}:{number}: {line.strip()}" for path in paths for number, line in lines(path) if NAME.search(line)]
    if found:
        sys.exit("\n".join(found) + f"\nfork: {len({entry.split(':')[0] for entry in found})} files outside the places of a bundle name a resource of the sample")
    print(f"fork: none of {len(paths)} files outside the places of a bundle names a resource of the sample")


main()
