"""The rules about combinations of parameters, which openapi.json states in prose because OpenAPI cannot express them.

A valid case that breaks such a rule is corrected, so that schemathesis can expect every valid case to be accepted. Half
of the valid cases get values from the sample data, so that there are items to find; a cursor is one that the API made
for the same list.
"""

import os
import random
from datetime import datetime, timezone
from decimal import Decimal

import requests
import schemathesis

BASE = os.environ["LEAN_ROUTES_BASE"]
TOKEN = {"Authorization": f"Bearer {os.environ['LEAN_ROUTES_TOKEN']}"}
KNOWN = {
    "category": ["laptops", "books", "audio", "no such category"],
    "brand": ["Lumen", "Åkerby", "Alder & Co"],
    "minPrice": ["10", "99.99"],
    "maxPrice": ["100", "2500.5"],
    "minRating": ["3", "4.5"],
    "id": ["me", "u-1", "u-1", "u-2", "u-300", "nobody"],
}
# Filters that are no key condition of any index.
FILTERS = {"brand", "minRating", "inStock"}
SESSION = requests.Session()


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    query = case.query if isinstance(case.query, dict) else {}
    chance = random.Random(repr((case.path_parameters, query)))
    for values in (case.path_parameters or {}, query):
        for name in values.keys() & KNOWN.keys():
            if chance.random() < 0.5:
                values[name] = chance.choice(KNOWN[name])
    ranges(query)
    page(query, chance)
    if "cursor" in query:
        cursor(case, query, chance)


def moment(text):
    at = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)


def ranges(query):
    if "minPrice" in query and "maxPrice" in query and Decimal(query["minPrice"]) > Decimal(query["maxPrice"]):
        query["minPrice"], query["maxPrice"] = query["maxPrice"], query["minPrice"]
    if "from" in query and "to" in query:
        try:
            empty = (moment(query["to"]) - moment(query["from"])).total_seconds() < 0.002
        except (ValueError, OverflowError):
            empty = True
        if empty:
            del query["to"]


def page(query, chance):
    if "page" not in query:
        return
    priced = {"minPrice", "maxPrice"} & query.keys() and not str(query.get("sort", "")).startswith("price_")
    if FILTERS & query.keys() or priced or ("cursor" in query and chance.random() < 0.7):
        del query["page"]
        return
    query.pop("cursor", None)
    query["page"] = min(int(query["page"]), 1000 // int(query.get("limit", 25)))


def cursor(case, query, chance):
    """Requests the first page of the list and returns its cursor."""
    first = {name: value for name, value in query.items() if name not in ("cursor", "page", "expand", "fields")}
    first = {name: str(value).lower() if isinstance(value, bool) else value for name, value in first.items()}
    path = case.operation.path
    for name, value in (case.path_parameters or {}).items():
        path = path.replace("{%s}" % name, requests.utils.quote(str(value), safe=""))
    answer = SESSION.get(BASE + path, params=first, headers=TOKEN, timeout=30)
    following = answer.json().get("page", {}).get("next") if answer.status_code == 200 else None
    if following is None:
        del query["cursor"]
    else:
        query["cursor"] = following
