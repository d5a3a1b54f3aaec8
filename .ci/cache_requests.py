"""Asks every route through Varnish. See .ci/cache."""

import gzip
import http.client
import json
import re
import sys
import time
import urllib.request

import routes

CACHE, DYNAMODB, TOKEN, OTHER = sys.argv[1:5]
SUBJECT = routes.subject(TOKEN)
checks = 0


class Answer:
    def __init__(self, response):
        self.status, self.body = response.status, response.read()
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        # X-Varnish names the stored request in addition to this one.
        self.from_store = len(self.headers.get("x-varnish", "").split()) == 2 and int(self.headers.get("age", -1)) >= 0

    def __getitem__(self, header):
        return self.headers.get(header)


def expect(what, given, wanted):
    if given != wanted:
        sys.exit(f"cache: {what}: {given!r} in place of {wanted!r}")


def get(status, cache, path, method="GET", token=None, **headers):
    """Asks through the cache; `cache` is what it says of the answer: hit, miss or never."""
    global checks
    connection = http.client.HTTPConnection(CACHE, timeout=60)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    if token:
        connection.putheader("authorization", f"Bearer {token}")
    connection.endheaders()
    answer = Answer(connection.getresponse())
    connection.close()
    expect(f"{method} {path} {headers}: {answer.body[:300]}", (answer.status, answer["x-cache"]), (status, cache))
    if cache != "never":
        kept = [name for name in answer.headers if name.startswith("ratelimit")]
        expect(f"{method} {path}: fields of a quota that a shared cache keeps", kept, [])
    checks += 1
    return answer


def unpacked(answer):
    return gzip.decompress(answer.body) if answer["content-encoding"] == "gzip" else answer.body


def stored(route, path):
    """The answer is kept for as long as its policy says, and served without the origin."""
    policy = {name: int(value) for name, value in re.findall(r"([a-z-]+)=(\d+)", get(200, "miss", path, "HEAD", accept="x")["cache-control"])}
    first = get(200, "hit", path)
    expect(f"{path}: the time in the store", float(first["x-ttl"]), float(policy["s-maxage"]))
    expect(f"{path}: the time for which it may be stale", float(first["x-grace"]), float(policy.get("stale-while-revalidate", 10)))
    expect(f"{path}: from the store", first.from_store, True)
    expect(f"{path}: HEAD's tag", get(200, "hit", path, "HEAD")["etag"], first["etag"])
    unchanged = get(304, "hit", path, if_none_match=first["etag"])
    expect(f"{path}: the 304", (unchanged.body, unchanged["etag"]), (b"", first["etag"]))


def apart(route):
    """Other fields, cursors, limits, filters and codings are other answers."""
    queries = [{"fields": fields} for fields in [*route.fields, ",".join(route.fields)][: 2 * len(route.fields) - 1]]
    if route.is_list:
        page = json.loads(get(200, "miss", route.url(limit=2)).body)
        queries = [{"limit": 2, **query} for query in queries] + [{"limit": 3}]
        if page["page"]["next"]:
            queries.append({"limit": 2, "cursor": page["page"]["next"]})
        for name in route.filters.keys() & route.item["properties"].keys():
            values = {item[name] for item in json.loads(get(200, "miss", route.url(limit=100, fields=name)).body)["items"] if name in item}
            values = sorted(value for value in values if isinstance(value, str))[:3]
            queries += [{"limit": 2, "fields": name, name: value} for value in values]
    bodies = []
    for query in queries:
        path = route.url(**query)
        body = get(200, "miss", path).body
        expect(f"{path} from the store", get(200, "hit", path).body, body)
        turned = route.url(**dict(reversed(query.items())))
        expect(f"{turned}, the same in another order", get(200, "hit", turned).body, body)
        if body in bodies:
            sys.exit(f"cache: {path} has the body of another query")
        bodies.append(body)

    path = route.url(sort=route.sorts[-1], limit=100) if route.is_list else route.url()
    plain = get(200, "miss", path)
    expect(f"{path}: the coding", plain["content-encoding"], None)
    for coding in ["gzip", "gzip, deflate, br", "gzip;q=0", "identity"]:
        wanted = "gzip" if coding in ("gzip", "gzip, deflate, br") and len(plain.body) > 1024 else None
        for cache in ("miss", "hit"):
            answer = get(200, cache, path, accept_encoding=coding)
            expect(f"{path} for {coding}", (answer["content-encoding"], unpacked(answer), answer["etag"]), (wanted, plain.body, plain["etag"]))
    expect(f"{path} without a coding again", get(200, "hit", path).body, plain.body)


def revalidated(route):
    """What is stale is asked for again, with its tag."""
    path = route.url(fields=",".join([*reversed(route.fields), *route.fields]), limit=4 if route.is_list else None)
    first = get(200, "miss", path, x_fresh="1s", x_no_grace="1")
    time.sleep(1.5)
    again = get(200, "miss", path, x_no_grace="1")
    expect(f"{path}: the origin's answer to what was stored", again["x-origin"], "304")
    expect(f"{path}: what was stored", (again.body, again["etag"]), (first.body, first["etag"]))
    get(200, "hit", path)


def dynamodb(operation, body):
    request = urllib.request.Request(f"http://{DYNAMODB}/", json.dumps(body).encode())
    request.add_header("x-amz-target", f"DynamoDB_20120810.{operation}")
    request.add_header("content-type", "application/x-amz-json-1.0")
    request.add_header("x-amz-date", "20260101T000000Z")
    scope = "local/20260101/eu-central-1/dynamodb/aws4_request"
    request.add_header("authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=0")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def changed(route):
    """Within stale-while-revalidate the cache sends the old answer at once and fetches the changed one in the background."""
    table = dynamodb("DescribeTable", {"TableName": route.table})["Table"]
    kinds = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in table["AttributeDefinitions"]}
    text = next((name for name in route.texts() if name not in kinds), None)
    if text is None:
        return
    key = [element["AttributeName"] for element in table["KeySchema"]]
    path = route.url(fields=",".join([text, *key, text]), limit=1 if route.is_list else None)
    first = get(200, "miss", path, x_fresh="1s")
    item = json.loads(first.body)
    item = item["items"][0] if route.is_list else item
    dynamodb("UpdateItem", {
        "TableName": route.table, "Key": {name: {kinds[name]: str(item[name])} for name in key},
        "UpdateExpression": "SET #text = :text", "ExpressionAttributeNames": {"#text": text},
        "ExpressionAttributeValues": {":text": {"S": "changed behind the cache"}},
    })
    time.sleep(1.5)
    expect(f"{path} while it is revalidated", get(200, "hit", path).body, first.body)
    for _ in range(40):
        answer = get(200, "hit", path)
        if answer.body != first.body:
            break
        time.sleep(0.25)
    expect(f"{path} after it was revalidated", b"changed behind the cache" in answer.body, True)
    expect(f"{path}: the origin's answer to what had changed", answer["x-origin"], "200")


def never(path, status=200, **options):
    for _ in range(2):
        answer = get(status, "never", path, **options)
        expect(f"{path}: from the store", answer.from_store, False)
    return answer


def private(route):
    for id in (SUBJECT, "me"):
        expansions = {"expand": ",".join(route.expansions)} if route.expansions and id == "me" else {}
        path = route.url(id, limit=2 if route.is_list else None, **expansions)
        answer = never(path, token=TOKEN)
        if route.counted:
            expect(f"{path}: the quota of the caller", answer["ratelimit-policy"], '"caller";q=100000;w=3600')
        get(304, "never", path, token=TOKEN, if_none_match=answer["etag"])
        never(path, 401)
        if id == "me":
            of_other = get(404 if not route.is_list else 200, "never", path, token=OTHER)
            expect(f"{path}: the caller's data for another", SUBJECT.encode() in of_other.body, False)
        else:
            never(path, 403, token=OTHER)


for route in routes.routes():
    token = None if route.public else TOKEN
    print(f"cache: {route.name}")
    if route.public and route.stored:
        stored(route, route.url(limit=5) if route.is_list else route.url(fields=",".join(route.fields * 2)))
        apart(route)
        revalidated(route)
        changed(route)
    elif not route.public:
        private(route)
    for query in [{"fields": "no-such-field"}, *([{"limit": 0}, {"cursor": "x"}] if route.is_list else [])]:
        expect("a problem's policy", never(route.url(**query), 400, token=token)["cache-control"], "no-store")
print(f"cache: {checks} answers as expected")
