"""Starts each function under aws-lambda-rie and sends it its events. See .ci/rie."""
import base64
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import routes  # noqa: E402
import samcli  # noqa: E402
from template_model import ROOT, Bundle, read  # noqa: E402
from template_values import PSEUDO, Values  # noqa: E402

BUILD, ARCHITECTURE, PORT = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
EMULATOR = Path(samcli.__file__).parent / "local" / "rapid" / f"aws-lambda-rie-{ARCHITECTURE}"
# The CASE of events/FUNCTION.CASE.json states the status.
STATUS = {"not-modified": 304, "bad": 400, "unauthorized": 401, "forbidden": 403, "missing": 404}
# What Lambda itself sets, and where DynamoDB is here.
LAMBDA = {
    "AWS_REGION": PSEUDO["AWS::Region"], "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local",
    "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{PORT}",
}
checks = 0


def environment(case, function):
    """The variables of a function in a case, with values for this machine: tables of `cargo dev`, made-up secrets, and a cache that refuses
    connections."""
    def resource(name, attribute):
        kind = case.decided["Resources"].get(name, {}).get("Type")
        if kind == "AWS::ElastiCache::ServerlessCache":
            return {"Endpoint.Address": "127.0.0.1", "Endpoint.Port": free_port()}.get(attribute)
        return routes.local_table(name) if kind == "AWS::DynamoDB::Table" and attribute is None else None

    def secret(text):
        return base64.b32encode(f"a secret of this check: {text}".encode()).decode()

    found = Values(case, resource, secret).of(case.decided["Resources"][function]["Properties"]["Environment"]["Variables"])
    for name, value in found.items():
        if not isinstance(value, (str, int)):
            sys.exit(f"rie: {function}: {name} is {value} in the transformed template, which is no text")
    return {name: str(value) for name, value in found.items()}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def running(function, variables):
    """The emulator with a function; nothing of this process's environment is passed on."""
    port = free_port()
    command = [
        EMULATOR, "--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", f"127.0.0.1:{free_port()}",
        BUILD / function / "bootstrap",
    ]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env={**LAMBDA, **variables}, stdout=log, stderr=log, cwd=BUILD / function)
        try:
            for _ in range(200):
                with socket.socket() as client:
                    if client.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            yield port
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-3000:])
            raise
        finally:
            process.kill()
            process.wait()


def ask(port, event):
    """The function's answer to an event, as API Gateway gets it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
    answer = json.loads(connection.getresponse().read() or "{}")
    connection.close()
    return answer


def expect(what, answer, status):
    global checks
    if answer.get("statusCode") != status:
        raise SystemExit(f"rie: {what}: {json.dumps(answer)[:400]} in place of {status}")
    checks += 1
    return answer.get("body")


def events(binary):
    found, folder, statuses = {}, "events", STATUS
    if routes.is_interface(binary):
        # Its events are in its own folder. GraphQL calls a document that is not valid 422.
        folder, statuses = f"functions/{binary}/events", {**STATUS, "bad": 422}
    for path in sorted((ROOT / folder).glob(f"{binary}.*.json")):
        found[path.name] = (json.loads(path.read_text()), statuses.get(path.name.split(".")[1], 200))
    if not found:
        sys.exit(f"rie: no {folder}/{binary}.*.json")
    return found


def without(function, variables, event):
    """A function does not start without a table or the secret of its cursors: so the check would see that one is missing."""
    global checks
    for name in variables:
        if name.endswith("_TABLE") or name == "CURSOR_SECRET":
            with running(function, {other: value for other, value in variables.items() if other != name}) as port:
                answer = ask(port, event)
                if "statusCode" in answer:
                    raise SystemExit(f"rie: {function} without {name}: {json.dumps(answer)[:400]} in place of no answer")
                checks += 1


def main():
    bundle = Bundle(read("template.yaml"), read("samconfig.toml"))
    for function in bundle.functions:
        named = events(bundle.binary(function))
        # `everything` has a scope of the default parameters.
        plain = next(event for name, (event, status) in sorted(named.items(), key=lambda one: ".plain." not in one[0]) if status == 200)
        bodies = {}
        for case in bundle.cases:
            variables = environment(case, function)
            secret = variables.get("EDGE_SECRET")
            with running(function, variables) as port:
                if secret:
                    expect(f"{function}, {case.name}, past the CDN", ask(port, plain), 403)
                every = case.name == "defaults" or "CACHE_URL" in variables
                for name, (event, status) in named.items() if every else [("an event", (plain, 200))]:
                    if secret:
                        event = {**event, "headers": {**event["headers"], "x-edge-secret": secret}}
                    body = expect(f"{function}, {case.name}, {name}", ask(port, event), status)
                    # A problem has the number of its request.
                    if status == 200 and bodies.setdefault(name, body) != body:
                        raise SystemExit(f"rie: {function}, {case.name}, {name}: {str(body)[:400]} in place of {str(bodies[name])[:400]}")
            if case.name == "defaults":
                print(f"rie: {function}: {' '.join(sorted(variables))}")
                without(function, variables, plain)
    print(f"rie: {checks} answers as expected, with the environments of {', '.join(case.name for case in bundle.cases)}")


if __name__ == "__main__":
    if os.access(EMULATOR, os.X_OK):
        main()
    else:
        sys.exit(f"rie: {EMULATOR} is not there")
