"""Prints the requests of .ci/redbot, one a line: the method, `public` or `private`, and the path."""

import json
import sys
import urllib.request

import routes


def cursor(base, route, token):
    request = urllib.request.Request(base + route.url(limit=1), headers={} if route.public else {"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["page"]["next"]


def main(base, token):
    for route in routes.routes():
        with_token = "public" if route.public else "private"
        show = lambda path, method="GET": print(method, with_token, path)
        show(route.url())
        show(route.url(), "HEAD")
        show(route.url(fields=",".join(route.fields)))
        if route.is_list:
            show(route.url(limit=0))
            following = cursor(base, route, token)
            if following:
                show(route.url(limit=1, cursor=following))
            for name, parameter in route.filters.items():
                if "enum" in parameter["schema"]:
                    show(route.url(limit=1, **{name: parameter["schema"]["enum"][0]}))
            if route.expansions:
                show(route.url(expand=",".join(route.expansions)))
        if not route.public:
            show(route.url(routes.NOBODY))


if __name__ == "__main__":
    main(*sys.argv[1:])
