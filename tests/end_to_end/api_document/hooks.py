# What Schemathesis can't know of the API, or can't do by itself.

import uuid

import schemathesis

VALID = {"If-Match": '"0"', "If-None-Match": '"0"', "Last-Event-ID": "0.none.0"}


# Ruby and lines of JSON are sent as the text that they are. What is no text can't be sent.
@schemathesis.serializer("application/x-ruby", "application/x-ndjson")
def as_text(ctx, value):
    return {"data": value.encode() if isinstance(value, str) else b""}


@schemathesis.hook
def before_call(context, case, kwargs):
    headers = case.headers or {}
    # A key that was used for another request is a 422, rightly. So a valid one is made a key that nobody has used.
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and 0 < len(key) <= 200 and all("!" <= char <= "~" for char in key):
        headers["Idempotency-Key"] = f"{key}{uuid.uuid4()}"
    # It takes 0 for a value of these in requests that it holds to be valid.
    for name, valid in VALID.items():
        if str(headers.get(name)) == "0":
            headers[name] = valid
