"""The rules about combinations of parameters, which openapi.json states in prose because OpenAPI cannot express them.

A valid case that breaks such a rule is corrected, so that schemathesis can expect every valid case to be accepted. Half
of the valid cases get values from the sample rows, so that there are items to find; a cursor is one that the API made
for the same list.
"""

import json
import os
import random
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import requests
import schemathesis

import routes

BASE = os.environ["LEAN_ROUTES_BASE"]
TOKEN = {"Authorization": f"Bearer {os.environ['LEAN_ROUTES_TOKEN']}"}
ROUTES = {route.path: route for route in routes.routes()}
SUBJECT = routes.subject(os.environ["LEAN_ROUTES_TOKEN"])
# How the description of a range's upper end begins its last sentence.
UPPER = "Not below the lower end"
SESSION = requests.Session()


def rows(table):
    file = routes.ROOT / "samples" / f"{table}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()[:20]] if file.exists() else []


def known(route):
    """Values to find something with, by parameter: the document's example, those of the sample rows, and some that no row has."""
    values = {}
    for name, parameter in [*route.query.items(), *route.ids.items()]:
        if name in route.filters or name in route.ids:
            found = [parameter.get("example"), *(row.get(name) for row in rows(route.table))]
            values[name] = [value for value in found if isinstance(value, str)]
    for name in route.ids:
        values[name] = [*values[name], routes.NOBODY] if route.public else ["me", SUBJECT, SUBJECT, f"{SUBJECT}0", routes.NOBODY]
    return {name: options for name, options in values.items() if options}


KNOWN = {path: known(route) for path, route in ROUTES.items()}


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    route = ROUTES[case.operation.path]
    query = case.query if isinstance(case.query, dict) else {}
    chance = random.Random(repr((case.path_parameters, query)))
    for values in (case.path_parameters or {}, query):
        for name in values.keys() & KNOWN[route.path].keys():
            if chance.random() < 0.5:
                values[name] = chance.choice(KNOWN[route.path][name])
    ranges(route, query)
    page(route, case, query, chance)
    if "cursor" in query:
        cursor(case, query)


def moment(text):
    at = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)


def ranges(route, query):
    """An upper end is not below any lower end of the same format, and a time is later."""
    for upper in [name for name in query if UPPER in route.query.get(name, {}).get("description", "")]:
        format = route.query[upper]["schema"].get("format")
        lower = [name for name in query if name != upper and route.filters.get(name, {}).get("schema", {}).get("format") == format]
        try:
            if format == "date-time":
                fits = all(moment(query[upper]) - moment(query[name]) >= timedelta(milliseconds=2) for name in lower)
            else:
                fits = all(Decimal(str(query[upper])) >= Decimal(str(query[name])) for name in lower)
        except (ValueError, ArithmeticError):
            fits = False
        if not fits:
            del query[upper]


def page(route, case, query, chance):
    """`page` goes only with filters on what the list is sorted or grouped by, which the first page of the same list shows."""
    if "page" not in query:
        return
    if "cursor" in query and chance.random() < 0.7:
        del query["page"]
        return
    query.pop("cursor", None)
    limit = int(query.get("limit", route.query["limit"]["schema"]["default"]))
    query["page"] = min(int(query["page"]), 1000 // limit)
    if route.filters.keys() & query.keys() and first(case, query, {"page": 1}).status_code == 400:
        del query["page"]


def first(case, query, more):
    """Requests the first page of the list."""
    asked = {name: value for name, value in query.items() if name not in ("cursor", "page", "expand", "fields")}
    asked = {name: str(value).lower() if isinstance(value, bool) else value for name, value in asked.items()}
    path = case.operation.path
    for name, value in (case.path_parameters or {}).items():
        path = path.replace("{%s}" % name, requests.utils.quote(str(value), safe=""))
    return SESSION.get(BASE + path, params={**asked, **more}, headers=TOKEN, timeout=30)


def cursor(case, query):
    """Replaces the cursor by one of the list's first page; leaves it out if there is no second page."""
    answer = first(case, query, {})
    following = answer.json().get("page", {}).get("next") if answer.status_code == 200 else None
    if following is None:
        del query["cursor"]
    else:
        query["cursor"] = following
