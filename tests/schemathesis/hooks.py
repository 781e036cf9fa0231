"""What schemathesis cannot know of the API: see config.toml."""

import os
import re

import schemathesis

OWN_KEY = os.environ["PERENNIAL_KEY_ID"]

# Refusals of requests that fit the schemas: they are about meaning.
MEANING = {
    "currency_mismatch",
    "discount_exceeds_line",
    "duplicate_line",
    "expiry_passed",
    "gift_card_exceeds_order",
    "invalid_cursor",
    "lines_do_not_sum",
    "order_in_future",
    "order_invalid",
    "order_too_old",
    "points_exceed_order",
    "points_out_of_range",
    "return_invalid",
    "too_many_lines",
    "wallet_unknown",
}

# Fields whose last rule depends on another field, the clock or the programme's currency.
DEPENDENT = re.compile(
    r"^(/member)?$|^/(birthday|ordered_on|points|amount|gift_card|total|lines/\d+/(amount|tax)|discounts/\d+/lines/\d+/amount)$"
)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Keeps the run from ending its own key."""
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
