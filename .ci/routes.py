#!/usr/bin/env python3
"""The bundle's routes and tables, read from openapi.json and template.yaml, so that no check knows a resource by name.

    .ci/routes.py public-lists      the paths of these routes, one a line: `me` is the id of a private route,
    .ci/routes.py public-items      and the example of openapi.json that of a public item
    .ci/routes.py private-lists
    .ci/routes.py private-items
    .ci/routes.py others            the paths of all private routes, with an id that is nobody's
    .ci/routes.py interfaces        the paths of the functions that serve all routes, such as GraphQL: those with a schema.graphql
    .ci/routes.py variables         {"VARIABLE": "local table"}, as JSON
    .ci/routes.py scope             the scope that may read any caller's items
    .ci/routes.py caller ID FOLDER  writes samples/ into the folder, with the rows of one caller as those of ID
    .ci/routes.py loads FOLDER      succeeds if the bundle has a table for each *.jsonl of the folder
"""

import base64
import json
import pathlib
import re
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The query parameters of a list that are no filters.
OWN = {"sort", "fields", "expand", "limit", "cursor", "page"}
# An id that no row has.
NOBODY = "nobody-at-all"


class Route:
    """A path of the document and what can be asked of it."""

    def __init__(self, document, path):
        self.document, self.path = document, path
        operation = document["paths"][path]["get"]
        self.name, self.table = operation["operationId"], operation["tags"][0]
        self.public = not operation["security"]
        parameters = [self.resolved(parameter) for parameter in document["paths"][path]["parameters"]]
        self.ids = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "path"}
        self.query = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"}
        self.filters = {name: parameter for name, parameter in self.query.items() if name not in OWN}
        self.is_list = "limit" in self.query
        self.sorts = self.options("sort")
        self.expansions = self.options("expand")
        answer = operation["responses"]["200"]
        self.counted = "RateLimit-Policy" in answer["headers"]
        self.stored = any(text.startswith("public") for text in answer["headers"]["Cache-Control"]["schema"].get("enum", []))
        self.body = self.resolved(answer["content"]["application/json"]["schema"])
        self.item = self.resolved(self.body["properties"]["items"]["items"]) if self.is_list else self.body

    def resolved(self, node):
        while "$ref" in node:
            found = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node

    def options(self, name):
        """The values of a parameter that takes one of several."""
        schema = self.query.get(name, {}).get("schema", {})
        return schema.get("enum") or schema.get("items", {}).get("enum") or []

    @property
    def fields(self):
        """The first two fields that hold plain values, in the order of answers."""
        plain = [name for name, schema in self.item["properties"].items() if self.resolved(schema).get("type") in ("string", "number")]
        return plain[:2]

    def texts(self):
        """The fields that hold a free text."""
        free = lambda schema: schema.get("type") == "string" and not {"enum", "format", "pattern"} & schema.keys()
        return [name for name, schema in self.item["properties"].items() if free(self.resolved(schema))]

    def url(self, id=None, **query):
        """Path and query. Without `id`, `me` on a private route, else the example of the document."""
        path = self.path
        for name, parameter in self.ids.items():
            value = id or (parameter.get("example", NOBODY) if self.public else "me")
            path = path.replace("{%s}" % name, urllib.parse.quote(value, safe=""))
        query = {name: value for name, value in query.items() if value is not None}
        return path + ("?" + urllib.parse.urlencode(query, safe=",") if query else "")


def routes():
    document = json.loads((ROOT / "openapi.json").read_text())
    return [Route(document, path) for path in document["paths"]]


def local_table(resource):
    """The name that `cargo dev` gives to a table of the template."""
    return resource.removesuffix("Table").lower()


def is_interface(binary):
    """Whether a function is no route's, but serves all of them in a language of its own: its folder has the schema that it publishes."""
    return (ROOT / "functions" / binary / "schema.graphql").is_file()


def interfaces():
    """The paths that the router of Cargo.toml gives to interfaces over all routes."""
    router = re.findall(r'^"(/[^"]*)" = \[(.*?)\]', (ROOT / "Cargo.toml").read_text(), re.M | re.S)
    functions = {path: set(re.findall(r'function = "([^"]+)"', entries)) for path, entries in router}
    return [path for path, names in functions.items() if any(map(is_interface, names))]


def variables():
    """The environment variables that name a table, and the local names of the tables."""
    template = (ROOT / "template.yaml").read_text()
    tables = re.findall(r"^  (\w+):\n    Type: AWS::DynamoDB::Table$", template, re.M)
    named = re.findall(r"\b([A-Z][A-Z0-9_]*): *!Ref (\w+)", template)
    return {variable: local_table(table) for variable, table in named if table in tables}


def scope():
    """The scope that the descriptions of private routes name."""
    found = re.search(r"scope `([^`]+)`", (ROOT / "openapi.json").read_text())
    return found[1] if found else ""


def write_caller(subject, folder):
    """Writes the sample rows; of those that have an owner, only the first one's, as rows of `subject`."""
    owners = {name for route in routes() if not route.public for name in route.ids}
    first = {}
    for file in sorted((ROOT / "samples").glob("*.jsonl"), reverse=True):
        rows = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
        for name in sorted(owners):
            if rows and name in rows[0]:
                owner = first.setdefault(name, rows[0][name])
                rows = [{**row, name: subject} for row in rows if row[name] == owner]
        (pathlib.Path(folder) / file.name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def subject(token):
    """The `sub` of a token."""
    claims = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]


def main(command, *arguments):
    kinds = {(True, True): "public-lists", (True, False): "public-items", (False, True): "private-lists", (False, False): "private-items"}
    if command in kinds.values():
        for route in routes():
            if kinds[route.public, route.is_list] == command:
                print(route.url())
    elif command == "others":
        print(*(route.url(NOBODY) for route in routes() if not route.public), sep="\n")
    elif command == "interfaces":
        for path in interfaces():
            print(path)
    elif command == "variables":
        print(json.dumps(variables()))
    elif command == "scope":
        print(scope())
    elif command == "caller":
        write_caller(*arguments)
    elif command == "loads":
        files = {file.stem for file in pathlib.Path(arguments[0]).glob("*.jsonl")}
        return 0 if files and files <= {route.table for route in routes()} | set(variables().values()) else 1
    else:
        sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or [""])))
