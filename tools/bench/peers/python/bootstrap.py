"""What the managed runtime does between Lambda and a handler: the loop over the Runtime API."""

import http.client
import json
import os

from handler import handler

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
base = "/2018-06-01/runtime/invocation/"

while True:
    api.request("GET", base + "next")
    response = api.getresponse()
    event = json.loads(response.read())
    request_id = response.headers["lambda-runtime-aws-request-id"]
    try:
        path, answer = "/response", handler(event, None)
    except Exception as error:  # the loop outlives a handler
        path, answer = "/error", {"errorType": type(error).__name__, "errorMessage": str(error)}
    api.request("POST", base + request_id + path, json.dumps(answer), {"content-type": "application/json"})
    api.getresponse().read()
