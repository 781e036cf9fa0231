"""What schemathesis cannot know of the API: see config.toml."""

import ipaddress
import itertools
import json
import os
import re
import urllib.request

import schemathesis

ADDRESS = os.environ["PERENNIAL_ADDRESS"]
KEY = os.environ["PERENNIAL_KEY"]
OWN_KEY = KEY[4:20]
# What a member's token is for, and no key.
MEMBERS_OWN = r"^/v1/me(/|$)"

# Refusals of requests that fit the schemas: they are about meaning.
MEANING = {
    "currency_mismatch",
    "discount_exceeds_line",
    "discount_stack_conflict",
    "duplicate_line",
    "event_unknown",
    "expiry_passed",
    "gift_card_exceeds_order",
    "hold_empty",
    "invalid_cursor",
    "lines_do_not_sum",
    "order_in_future",
    "order_invalid",
    "order_too_old",
    "password_wrong",
    "points_exceed_order",
    "points_out_of_range",
    "program_invalid",
    "return_invalid",
    "reward_unknown",
    "same_member",
    "tier_unknown",
    "too_many_lines",
    "url_refused",
    "wallet_unknown",
}

# Fields whose last rule depends on another field, the clock, the programme or what other rooms know.
DEPENDENT = re.compile(
    r"^(/member|/to|/source)?$|^/(order/)?(birthday|ordered_on|points|amount|gift_card|total|toml|until|starts_at|occurred_at|lines/\d+/(amount|tax)|discounts/\d+/lines/\d+/amount|attributes/.+|events/\d+)$"
)


# The batch of orders takes and answers NDJSON; it is tried with one line, whose answer has the status that counts.
NDJSON = "application/x-ndjson"
BATCH = "/v1/orders/batch"


@schemathesis.serializer(NDJSON)
def one_line(context, value):
    """A batch of one."""
    line = value if isinstance(value, bytes) else json.dumps(value).encode()
    return line + b"\n"


@schemathesis.deserializer(NDJSON)
def one_answer(context, response):
    """The answer to the only line."""
    (answer,) = response.text.splitlines() or ["null"]
    return json.loads(answer)


def as_shop(path, body, name):
    """What the API answers the key."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", "Idempotency-Key": name}
    request = urllib.request.Request(ADDRESS + path, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class Bearer:
    """Whoever calls, by a header."""

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.auth(refresh_interval=None).skip_for(path_regex=MEMBERS_OWN)
class Shop(Bearer):
    """The shop, by its key."""

    def get(self, case, context):
        return KEY


@schemathesis.auth(refresh_interval=None).apply_to(path_regex=MEMBERS_OWN)
class SignedIn(Bearer):
    """A member who is signed in anew for each call: one of them signs out everywhere."""

    def get(self, case, context):
        member = as_shop("/v1/members", {"external_id": "signed-in"}, "signed-in")["id"]
        return as_shop(f"/v1/members/{member}/tokens", None, "signed-in")["access_token"]


@schemathesis.check
def each_line_is_answered_as_it_deserves(ctx, response, case):
    """What fits the schema is not refused for its shape, and what does not is refused, line by line."""
    if case.path != BATCH or response.status_code != 200 or not response.text or case.meta is None:
        return
    (item,) = response.text.splitlines()
    item = json.loads(item)
    shape = {"malformed_json", "missing_field", "unknown_field", "duplicate_field"}
    if case.meta.generation.mode.is_positive:
        assert item["code"] not in shape, f"it fits the schema: {item}"
    elif case.meta.phase.data.parameter_location == "body":
        assert item["status"] >= 400 or item["code"] == "replayed", f"it does not fit the schema: {item}"


CALLERS = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Keeps the run from ending its own key, and has each call come from another address, which may try to come in."""
    case.headers = {**(case.headers or {}), "X-Forwarded-For": str(ipaddress.IPv4Address(next(CALLERS) + 0x0A000000))}
    if (case.path_parameters or {}).get("id") == OWN_KEY:
        case.path_parameters["id"] = "0" * 16


@schemathesis.check
def refused_for_its_meaning(ctx, response, case):
    """A request that fits the schemas is not refused for its shape."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code != 422:
        return
    problem = response.json()
    if problem["code"] == "invalid_field" and DEPENDENT.match(problem.get("pointer", "-")):
        return
    # To JSON Schema 1.0 is a whole number; the API wants whole numbers written as such.
    if "floating point" in problem.get("detail", ""):
        return
    assert problem["code"] in MEANING, f"it fits the schema: {problem}"
