"""Checks one URL with REDbot's library, which its command line cannot do with a token. See .ci/redbot."""

import sys
from configparser import ConfigParser

import thor
from httplint.note import levels
from redbot.resource import HttpResource

# Accepted warnings, by the name of the note; ARCHITECTURE.md gives the reasons.
ANSWERED = {
    "STORE_PUBLIC_UNNECESSARY",  # `public` states the intent, and also applies to requests with a token
    "STATUS_BAD_REQUEST",  # the check sends a wrong request on purpose
}


def notes(resource):
    """All notes of the answer and of what was asked after it."""
    found = []
    for message in (resource.request, resource.response, *resource.subreqs.values()):
        message = getattr(message, "response", message)
        pending = list(getattr(message, "notes", []))
        while pending:
            note = pending.pop(0)
            found.append(note)
            pending.extend(getattr(note, "subnotes", []))
    return found


def check(base, token, method, path):
    parser = ConfigParser()
    parser.read_dict({"redbot": {"enable_local_access": "True"}})
    # REDbot makes its further requests with GET.
    resource = HttpResource(parser["redbot"], active_checks_enabled=method == "GET")
    resource.set_request(base + path, method=method, headers=[("Authorization", f"Bearer {token}")] if token else [])

    @thor.events.on(resource)
    def check_done():
        thor.stop()

    resource.check()
    thor.run()
    if resource.fetch_error is not None:
        return None, [f"no answer: {resource.fetch_error!r}"]
    found = {}
    for note in notes(resource):
        found.setdefault((note.level, type(note).__name__), note)
    return resource.response.status_code, [(level, name, note) for (level, name), note in found.items()]


def main(base, token, method, path):
    status, found = check(base, token, method, path)
    if status is None:
        print(f"{path}: {found[0]}", file=sys.stderr)
        return 1
    counts = {level: sum(1 for note in found if note[0] is level) for level in levels}
    shown = path if len(path) < 70 else path[:69] + "…"
    print(f"{method} {status} {shown}: {counts[levels.GOOD]} good, {counts[levels.WARN]} warnings, {counts[levels.BAD]} bad")
    failed = 0
    for level, name, note in found:
        if level in (levels.WARN, levels.BAD):
            known = level is levels.WARN and name in ANSWERED
            failed += not known
            print(f"  {level.value}{'' if known else ' (!)'} {name}: {note.summary}")
    # The minimum that REDbot must report; otherwise its checks did not run.
    if counts[levels.GOOD] == 0:
        print(f"{path}: REDbot found nothing good, so it has not looked", file=sys.stderr)
        failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
