"""Asks every route as a caller would. See .ci/walk."""

import json
import sys
import urllib.error
import urllib.request

import routes

BASE, TOKEN, DATABASE = sys.argv[1:4]
SUBJECT = routes.subject(TOKEN)
# A walk of small pages ends after this many; the walk of the greatest pages goes to the end.
SMALL_PAGES = 100


def get(path, token=None, **headers):
    request = urllib.request.Request(BASE + path, headers={"authorization": f"Bearer {token}"} if token else {})
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    body = answer.read()
    assert b"sentinel" not in body and "sentinel" not in str(answer.headers), f"{path}: something hidden is shown"
    return answer.status, answer.headers, body


def page(path, token):
    status, _, body = get(path, token)
    assert status == 200, f"{path}: {status} {body[:300]}"
    return json.loads(body)


def walk(route, token, limit, pages=None, **query):
    """The items of a list, page after page. Every item has its key, so no two are equal."""
    items, cursor, count = [], None, 0
    while pages is None or count < pages:
        answer = page(route.url(limit=limit, cursor=cursor, **query), token)
        items += [json.dumps(item) for item in answer["items"]]
        count += 1
        cursor = answer["page"]["next"]
        if cursor is None:
            break
    assert len(set(items)) == len(items), f"{route.name}: an item came twice ({query})"
    return items


def check_list(route, token):
    greatest = route.query["limit"]["schema"]["maximum"]
    lists = {sort: walk(route, token, greatest, sort=sort) for sort in route.sorts}
    whole = lists[route.sorts[0]]
    for sort, items in lists.items():
        assert sorted(items) == sorted(whole), f"{route.name}: {sort} has other items than {route.sorts[0]}"
    small = walk(route, token, 10, pages=SMALL_PAGES)
    assert small == whole[: len(small)] and (len(small) == len(whole) or len(small) == 10 * SMALL_PAGES), f"{route.name}: pages of ten are another list"

    fields = route.fields
    for item in page(route.url(limit=5, fields=",".join(fields)), token)["items"]:
        assert list(item) == [name for name in fields if name in item], f"{route.name}: {fields} gives {item}"
    for name in route.filters.keys() & route.item["properties"].keys():
        value = next((json.loads(item)[name] for item in whole if isinstance(json.loads(item).get(name), str)), None)
        if value is not None:
            found = page(route.url(limit=greatest, **{name: value}), token)["items"]
            assert found and all(item[name] == value for item in found), f"{route.name}: {name}={value} gives {found[:3]}"
    if route.expansions:
        page(route.url(limit=5, expand=",".join(route.expansions)), token)
    assert get(route.url(limit=0), token)[0] == 400
    return len(whole)


def check_item(route, token, ids):
    """`ids`: a list of candidates, because the example of the document may not be in data that somebody loaded."""
    for id in ids:
        status, _, body = get(route.url(id), token)
        if status == 200:
            break
    assert status == 200, f"{route.name}: none of {ids}: {status} {body[:300]}"
    fields = route.fields
    chosen = page(route.url(id, fields=",".join(fields)), token)
    assert list(chosen) == [name for name in fields if name in json.loads(body)], f"{route.name}: {fields} gives {chosen}"
    return id


def check_validators(route, token, id):
    path = route.url(id, limit=5 if route.is_list else None)
    first, second = get(path, token), get(path, token)
    assert first[2] == second[2] and first[1]["etag"] == second[1]["etag"], f"{path}: the same question, another answer"
    status, _, body = get(path, token, if_none_match=first[1]["etag"])
    assert (status, body) == (304, b""), f"{path}: {status} {body[:100]}"


def check_private(route):
    strip = lambda body: {name: value for name, value in json.loads(body).items() if name != "instance"}
    other, missing = get(route.url(SUBJECT + "0"), TOKEN), get(route.url(routes.NOBODY), TOKEN)
    assert other[0] == missing[0] == 403 and strip(other[2]) == strip(missing[2]), f"{route.name}: {other} {missing}"
    assert get(route.url())[0] == 401, f"{route.name}: no 401 without a token"


def check_closed(url, refused):
    """What a page of another origin can send: it gets no answer that its scripts may read. `refused`: the status of a request with an `Origin`."""
    foreign = {"origin": "https://evil.example", "access-control-request-method": "GET", "access-control-request-headers": "authorization"}
    for method, headers, wanted in (
        ("GET", foreign, refused),
        ("OPTIONS", foreign, (403, 404)),
        ("GET", {"host": "rebound.evil.example"}, (421,)),
        ("GET", {"lambda-runtime-client-context": "x", "lambda-runtime-cognito-identity": "x"}, (200,)),
        ("GET", {}, (200,)),
    ):
        request = urllib.request.Request(url, method=method, headers={"authorization": f"Bearer {TOKEN}", **headers})
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        assert answer.status in wanted, f"{method} {url} {headers}: {answer.status}"
        allowed = [name for name in answer.headers if name.lower().startswith("access-control-")]
        assert not allowed, f"{method} {url} {headers}: {allowed}"


every = routes.routes()
for route in every:
    check_closed(BASE + route.url(), (200,))
check_closed(DATABASE + "/", (403,))
items, first_ids = 0, {}
for route in every:
    if route.is_list:
        token = None if route.public else TOKEN
        count = check_list(route, token)
        items += count
        if count and route.public:
            first_ids.setdefault(route.table, list(page(route.url(limit=1), token)["items"][0].values())[0])
assert items > 0 or not any(route.is_list for route in every), "every list is empty"
for route in every:
    token, id = None if route.public else TOKEN, None
    if not route.is_list:
        examples = [parameter.get("example") for parameter in route.ids.values()]
        id = check_item(route, token, ["me", SUBJECT] if not route.public else [*filter(None, [*examples, first_ids.get(route.table)])])
    check_validators(route, token, id)
    if not route.public:
        check_private(route)
print(f"walk: {len(every)} routes; {items} items in lists, once each in every order; 304s, 403s and 401s as they should be")
