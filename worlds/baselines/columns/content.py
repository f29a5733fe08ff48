"""What an account asks and gets: texts, tokens, tools, models, clients."""

from __future__ import annotations

from typing import Any

import ibis

from ringfence.worlds.baselines.columns.helpers import moments, share, shares, variety
from ringfence.worlds.baselines.tables import Tables

_PREFIX = 40
_HOUR = 3_600
_TEXTS = ("prompt", "prompt_prefix", "system_prompt", "system_prefix")
_VARIED = {
    "template": "template_id",
    "device": "device_id",
    "user_agent": "user_agent",
    "model": "model",
    "access_route": "access_route",
    "end_user": "end_user_id",
    "session": "session_id",
}


def content(tables: Tables, engine: Any) -> list[Any]:
    """Return the groups of columns about texts, tokens, models and clients, each keyed by account_id."""
    rows = tables("requests")
    hashed = _hashed(rows)
    client = rows.mutate(client=rows["user_agent"].split("/")[0])
    return [
        _texts(rows),
        _tokens(rows),
        _newest_model(rows, tables("models")),
        *(variety(hashed, name, hashed[name], own_rows="request") for name in _TEXTS),
        *(variety(rows, name, rows[column], own_rows="request") for name, column in _VARIED.items()),
        *(shares(engine, rows, name) for name in ("stop_reason", "model", "access_route")),
        shares(engine, client, "client"),
    ]


def _hashed(rows: Any) -> Any:
    prompt, system = rows["prompt"], rows["system_prompt"]
    texts = (prompt, prompt.substr(0, _PREFIX), system, system.substr(0, _PREFIX))
    # The hash of null is no null.
    hashes = [ibis.ifelse(text.notnull(), text.hash(), None) for text in texts]
    return rows.select("account_id", **dict(zip(_TEXTS, hashes, strict=True)))


def _texts(rows: Any) -> Any:
    prompt, system = rows["prompt"], rows["system_prompt"]
    length = prompt.length()
    return rows.group_by("account_id").agg(
        **moments("prompt_length", length),
        prompt_length_min=length.min(),
        prompt_length_max=length.max(),
        prompt_lines_mean=(length - prompt.replace("\n", "").length()).mean(),
        prompt_digit_share=share(prompt.re_search(r"\d")),
        prompt_code_share=share(prompt.contains("```")),
        prompt_question_share=share(prompt.contains("?")),
        system_share=share(system.notnull()),
        **moments("system_length", system.length()),
        device_known_share=share(rows["device_id"].notnull()),
        session_known_share=share(rows["session_id"].notnull()),
        end_user_known_share=share(rows["end_user_id"].notnull()),
    )


def _tokens(rows: Any) -> Any:
    thought = rows["reasoning_tokens"]
    return rows.group_by("account_id").agg(
        **moments("input_tokens", rows["input_tokens"]),
        **moments("output_tokens", rows["output_tokens"]),
        **moments("reasoning_tokens", thought),
        output_tokens_max=rows["output_tokens"].max(),
        output_per_input=rows["output_tokens"].sum() / rows["input_tokens"].sum().nullif(0),
        reasoning_share=share(thought > 0),
        tool_share=share(rows["tool_calls"] > 0),
        tool_calls_mean=rows["tool_calls"].mean(),
        error_share=share(rows["status_code"] >= 400),
        rate_limited_share=share(rows["status_code"] == 429),
        refused_share=share(rows["stop_reason"] == "refusal"),
    )


def _newest_model(rows: Any, models: Any) -> Any:
    """Return how soon and how much an account moves to the newest model, and to any at its release."""
    newest = models.order_by(ibis.desc("released_at"), "model").limit(1)
    newest = newest.select(newest_model="model", newest_at="released_at")
    used = rows.left_join(models, "model").cross_join(newest)
    age = (used["ts"].epoch_seconds() - used["released_at"].epoch_seconds()) / _HOUR
    is_newest = used["model"] == used["newest_model"]
    out = used["ts"] >= used["newest_at"]
    return used.group_by("account_id").agg(
        newest_model_share=share(is_newest),
        newest_model_share_once_out=is_newest.cast("float64").mean(where=out),
        hours_from_release_to_use=age.min(),
        hours_from_newest_release_to_use=age.min(where=is_newest),
        model_age_hours_mean=age.mean(),
    )
