"""How Datadog's API is reached: the address and keys that every provider which asks it has in its settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipline.clients.confidential import check_confidential
from shipline.clients.metrics_http import (
    ANSWER_BYTES_MAX,
    Asked,
    MetricsHTTP,
    checked_address,
    checked_timeout,
    checked_variable,
    host_of,
    secret_in,
)
from shipline.domain.codec import JSON
from shipline.domain.errors import ConfigurationError
from shipline.ports.metrics import IncompleteAnswer, QueryRefused, WrongType


@dataclass(frozen=True, slots=True)
class DatadogAccess:
    """A site of Datadog's, and how it lets us in.

    `url` is the address of the site's API. `api_key_environment` and `application_key_environment` name the environment
    variables that hold the two keys. `answer_timeout_s` bounds a query, in seconds.
    """

    url: str = "https://api.datadoghq.com"
    api_key_environment: str = "DD_API_KEY"
    application_key_environment: str = "DD_APP_KEY"
    answer_timeout_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        checked_address(self.url)
        check_confidential(self.url, name="url")
        checked_timeout(self.answer_timeout_s)
        for name in ("api_key_environment", "application_key_environment"):
            checked_variable(getattr(self, name), name=name)
            if getattr(self, name) == "":
                raise ConfigurationError(f"{name} is missing", why="Datadog answers nobody without its two keys")

    def api(self, *, answer_bytes_max: int = ANSWER_BYTES_MAX) -> DatadogAPI:
        """The site's API."""
        hint = f"check the keys in {self.api_key_environment} and {self.application_key_environment}"
        who = f"Datadog at {host_of(checked_address(self.url))}"
        return DatadogAPI(self, MetricsHTTP(who, self.answer_timeout_s, hint, answer_bytes_max))


@dataclass(frozen=True, slots=True)
class DatadogAPI:
    """The queries of version 2, which are all asked in the same way."""

    access: DatadogAccess
    http: MetricsHTTP

    def ask(self, path: str, kind: str, attributes: Mapping[str, Any]) -> JSON:
        """The attributes of the answer to a request of that kind. Raises as `Metrics.query` says."""
        # Read for each query and never kept, so that keys that were renewed are taken.
        keys = (secret_in(self.access.api_key_environment), secret_in(self.access.application_key_environment))
        asked = Asked(
            url=f"{checked_address(self.access.url)}/{path}",
            content=json.dumps({"data": {"type": kind, "attributes": attributes}}).encode(),
            headers={"Content-Type": "application/json", "DD-API-KEY": keys[0], "DD-APPLICATION-KEY": keys[1]},
            secrets=keys,
        )
        answer = self.http.ask(asked)
        if not answer.taken:
            raise QueryRefused(
                f"{self.http.who} does not take the query",
                why=self.http.complaint(answer.document, asked),
                todo="try the query in Datadog's metrics explorer, and correct it",
            )
        match answer.document:
            case {"errors": errors} if errors:
                raise IncompleteAnswer(
                    f"{self.http.who} says that its answer has errors",
                    why=self.http.complaint(errors, asked),
                    todo="try the query in Datadog's metrics explorer",
                )
            case {"data": {"attributes": found}}:
                return found
        raise self.unexpected()

    def unexpected(self) -> WrongType:
        """What is to be raised for an answer that is none."""
        return WrongType(
            f"{self.http.who} answered with something that Datadog does not say",
            todo="check the url: something else may answer there",
        )
