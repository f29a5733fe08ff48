"""The way of ``taxii2-client`` to the network: through connections that go to checked addresses alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from ringfence.enforcement.sinks.http import Answer, Poster, check
from ringfence.enforcement.sinks.protocol import RefusedError, TryAgainError
from ringfence.files import parse_json

MEDIA_TYPE = "application/taxii+json;version=2.1"

_LONGEST_ANSWER = 1 << 24
"""Bytes: a status names every object of an envelope."""


class Wire:
    """What ``taxii2-client`` takes for a connection; every answer but a good one is raised as a sink does."""

    def __init__(self, poster: Poster, authorization: str | None) -> None:
        """Take what posts, and what the server is shown."""
        self._poster = poster
        self._authorization = {} if authorization is None else {"authorization": authorization}

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, params: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the JSON value at an address."""
        try:
            return self._json("GET", url, None, headers, params)
        except RefusedError as error:
            # It was a question, so nothing that we tell was refused.
            raise TryAgainError(str(error)) from error

    def post(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        data: bytes | None = None,
    ) -> Any:
        """Post bytes and return the JSON value that came back."""
        return self._json("POST", url, data, headers, params)

    def close(self) -> None:
        """Close all connections."""
        self._poster.close()

    def _json(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        params: Mapping[str, Any] | None,
    ) -> Any:
        # Whatever host an address names, the request goes to the one in the sinks file.
        path = urlsplit(url).path + (f"?{urlencode(params, doseq=True)}" if params else "")
        sent = {**(headers or {}), **self._authorization, "user-agent": "ringfence"}
        answer = self._poster.exchange(method, path, body, sent, longest=_LONGEST_ANSWER)
        host = self._poster.endpoint.host
        check(answer, host)
        return _read(answer, host)


def _read(answer: Answer, host: str) -> Any:
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if media_type == MEDIA_TYPE.partition(";")[0]:
            return parse_json(answer.body)
    except ValueError as error:
        raise TryAgainError(f"{host} gave an answer that is no JSON, or broke off.") from error
    raise TryAgainError(f"{host} does not speak TAXII 2.1 there: it answered with {media_type[:60]!r}.")
