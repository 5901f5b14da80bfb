import json
from random import Random

import pytest

from quotes import __version__
from quotes.book import QUOTES
from quotes.service import Response, Service


def get(path: str) -> Response:
    return Service(Random(1)).answer(path)


def test_the_front_page_tells_a_quote_of_the_book() -> None:
    response = get("/")
    assert response.status == 200
    assert json.loads(response.body) in [quote.as_json() for quote in QUOTES]


def test_quotes_are_numbered_from_one() -> None:
    assert json.loads(get("/quotes/1").body) == QUOTES[0].as_json()
    assert json.loads(get(f"/quotes/{len(QUOTES)}").body) == QUOTES[-1].as_json()


@pytest.mark.parametrize("path", ["/quotes/0", "/quotes/21", "/quotes/-1", "/quotes/one", "/quote", "/a/b/c"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert get(path).status == 404


def test_the_version_is_told() -> None:
    assert json.loads(get("/version").body) == {"version": __version__}
