"""Drives the page of `cargo dev docs` over the WebDriver protocol, with the standard library alone. See .ci/browser."""

import base64
import json
import shlex
import sys
import time
import urllib.request

import routes

# Only this machine's name resolves, so a request to another host fails and is counted below.
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
]


class Browser:
    def __init__(self, driver, profile):
        self.driver = driver
        options = {"args": [*FLAGS, f"--user-data-dir={profile}"]}
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        self.session = "/session/" + self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})["sessionId"]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.driver + path, data, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def do(self, method, path, body=None):
        return self.call(method, self.session + path, body)

    def run(self, script, *args):
        return self.do("POST", "/execute/sync", {"script": script, "args": list(args)})

    def wait(self, script, what, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            value = self.run(script)
            if value:
                return value
            time.sleep(0.1)
        sys.exit(f"browser: {what}: not within {seconds} s")

    def shot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.do("GET", "/screenshot")))

    def look(self, scheme, width, height):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", {"features": features})
        self.devtools("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def devtools(self, command, parameters):
        return self.do("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})


def expect(condition, what):
    if not condition:
        sys.exit(f"browser: {what}")


def try_it(browser, section, values, wanted):
    """Fills in the form of a section, sends it, and gives the command line, the headers and the body that the page shows."""
    fill = """
        const section = document.querySelector(arguments[0]);
        section.querySelector('.result').replaceChildren();
        for (const [name, value] of Object.entries(arguments[1])) section.querySelector(`[name="${name}"]`).value = value;
        section.querySelector('button').click();
    """
    browser.run(fill, section, values)
    read = f"""
        const result = document.querySelector('{section} .result');
        const text = (part) => result.querySelector(part)?.textContent ?? '';
        return result.querySelector('.status') && ['.status', 'pre', '.headers', '.body'].map(text);
    """
    status, line, headers, body = browser.wait(read, f"an answer to {section}")
    expect(status.startswith(wanted), f"{section}: {status} in place of {wanted}: {body[:300]}")
    return line, headers, body


def of_route(path):
    return f'[data-route="{path}"]'


def ask(browser, route):
    """Sends requests of one route from its form: some fields, a wrong limit, and the entity tag that came."""
    ids = {name: "me" if not route.public else parameter.get("example", "") for name, parameter in route.ids.items()}
    limit = {"limit": "3"} if route.is_list else {}
    section = of_route(route.path)
    _, headers, body = try_it(browser, section, {**ids, **limit, "fields": ",".join(route.fields)}, "200")
    for item in json.loads(body)["items"] if route.is_list else [json.loads(body)]:
        expect(list(item) == [name for name in route.fields if name in item], f"{route.path}: other fields: {body[:300]}")
    for name in ("etag", "cache-control", "server-timing", *(["link"] if route.is_list else [])):
        expect(name in headers, f"{route.path}: the page does not show {name}")
    etag = headers.split("etag", 1)[1].split('"')[1]
    asked = {**ids, **limit, "fields": ",".join(route.fields)}
    try_it(browser, section, {**asked, "If-None-Match": f'W/"{etag}"'}, "304")
    # The command that the page shows can be pasted, whatever stands in the form.
    command, _, _ = try_it(browser, section, {**asked, "fields": "it's", "If-None-Match": "it's"}, "400")
    words = shlex.split(command)
    expect(words[0] == "curl" and "If-None-Match: it's" in words and "fields=it's" in words[-1], f"cannot be pasted: {command}")
    try_it(browser, section, {**asked, "If-None-Match": ""}, "200")
    if route.is_list:
        try_it(browser, section, {**ids, "limit": "0"}, "400")
        expand = {"expand": ",".join(route.expansions)} if route.expansions else {}
        try_it(browser, section, {**ids, **limit, **expand, "fields": ""}, "200")


def ask_interface(browser, page, interface):
    """Sends the query that the form begins with, with the token and without, and variables that are none."""
    name, paths = interface["name"], interface["paths"]
    section = f'[data-interface="{name}"]'
    with urllib.request.urlopen(page + interface["schema"], timeout=30) as answer:
        expect("type Query" in answer.read().decode(), f"{name}: the schema is not at {interface['schema']}")
    links = browser.run("return [...document.querySelectorAll('a')].map((link) => link.getAttribute('href'))")
    expect(interface["schema"] in links, f"{name}: no link to the schema")
    try_it(browser, section, {"variables": "{"}, "The variables are not JSON")
    for entry in paths:
        line, _, body = try_it(browser, section, {"variables": "", "path": entry["path"]}, "200")
        expect(line.startswith("curl -H 'Content-Type: application/json'") and line.endswith(entry["path"] + "'"), f"{name}: {line}")
        expect(("authorization: bearer" in line.lower()) == entry["authorized"], f"{name}: the token is in the wrong request: {line}")
        answer = json.loads(body)
        codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
        expect("data" in answer and codes <= (set() if entry["authorized"] else {"UNAUTHENTICATED"}), f"{name}: {body[:300]}")
    try_it(browser, section, {"query": "{"}, "400")
    try_it(browser, section, {"query": interface["query"]}, "200")


def main(driver, page, profile, shots):
    browser = Browser(driver, profile)
    try:
        browser.look("light", 1280, 900)
        browser.do("POST", "/url", {"url": page + "/"})
        browser.wait("return document.body?.dataset.ready", "the page is not ready")
        shown = browser.run("return [...document.querySelectorAll('[data-route]')].map((section) => section.dataset.route)")
        with urllib.request.urlopen(page + "/openapi.json", timeout=30) as answer:
            declared = list(json.load(answer)["paths"])
        every = routes.routes()
        expect(shown == declared and declared, f"the page lists {shown}, the document {declared}")
        browser.shot(f"{shots}/light.png")
        for route in every:
            ask(browser, route)
        with urllib.request.urlopen(page + "/interfaces.json", timeout=30) as answer:
            interfaces = json.load(answer)
        sections = browser.run("return [...document.querySelectorAll('[data-interface]')].map((section) => section.dataset.interface)")
        expect(sections == [interface["name"] for interface in interfaces], f"the page has the interfaces {sections}")
        expect(bool(interfaces) == bool(routes.interfaces()), f"the server knows {interfaces}")
        for interface in interfaces:
            ask_interface(browser, page, interface)
        browser.run("document.getElementById('token').value = ''")
        for route in every:
            if not route.public:
                try_it(browser, of_route(route.path), dict.fromkeys(route.ids, "me"), "401")

        browser.run("[...document.querySelectorAll('[data-route] h2')].at(-1).scrollIntoView()")
        browser.look("dark", 1280, 900)
        browser.shot(f"{shots}/dark.png")
        browser.look("light", 390, 844)
        browser.run("document.querySelector('[data-route] h2').scrollIntoView()")
        browser.shot(f"{shots}/phone.png")
        if interfaces:
            browser.run("document.querySelector('[data-interface] h2').scrollIntoView()")
            browser.shot(f"{shots}/query.png")
        wide = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        expect(wide <= 0, f"the page is {wide} pixels too wide for a phone")

        asked = [json.loads(entry["message"])["message"] for entry in browser.do("POST", "/se/log", {"type": "performance"})]
        asked = [event["params"]["request"]["url"] for event in asked if event["method"] == "Network.requestWillBeSent"]
        own = (page + "/", "data:", "chrome://", "chrome-untrusted://")  # the last two: the new tab of the browser itself
        elsewhere = [url for url in asked if not url.startswith(own)]
        expect(sum(url.startswith(page) for url in asked) > 5 and not elsewhere, f"asked elsewhere: {elsewhere}")
        said = [entry["message"] for entry in browser.do("POST", "/se/log", {"type": "browser"})]
        said = [text for text in said if "Failed to load resource" not in text]
        expect(not said, f"the console says: {said}")
        print(f"browser: {len(every)} routes, {len(interfaces)} interfaces over all of them, {sum(url.startswith(page) for url in asked)} requests, none elsewhere")
    finally:
        browser.do("DELETE", "")


if __name__ == "__main__":
    main(*sys.argv[1:])
