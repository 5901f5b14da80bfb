"""A forge that answers with malice costs a bounded time, and is an error in words."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from shipline.clients.forge_http import ForgeHTTP
from shipline.clients.oci_registry import OCIClient
from shipline.clients.simple_index import SimpleIndex
from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.providers.clock.system import SystemClock
from tests.drips import DRIPS, serving

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"


def forge(url: str) -> ForgeHTTP:
    return ForgeHTTP("The forge", url, SystemClock(), dict, "", timeout_s=1.0, upload_timeout_s=1.0)


ASKS: dict[str, Callable[[str], object]] = {
    "forge": lambda url: forge(url).find("/x"),
    "images": lambda url: OCIClient(url, "team/quotes", 1.0).tags(),
    "index": lambda url: SimpleIndex(url, SystemClock(), timeout_s=1.0).files("x"),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_is_cut_off_in_time(ask: Callable[[str], object], drip: tuple[bytes, bytes]) -> None:
    began = time.monotonic()
    with serving(*drip) as url, pytest.raises(UnavailableError):
        ask(url)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("place", ["http://[::1", "http://h:x/", "https://[v1.x]x/"])
def test_a_next_page_that_is_no_address_is_an_error_in_words(place: str) -> None:
    head = HEAD + f'Link: <{place}>; rel="next"\r\n\r\n'.encode()
    with (
        serving(head + b"[]") as url,
        pytest.raises(ShiplineError, match="sends this request on"),
    ):
        list(forge(url).pages("/x", items_max=10))
