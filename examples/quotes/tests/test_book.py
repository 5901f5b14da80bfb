from quotes.book import QUOTES


def test_every_quote_is_there_once() -> None:
    assert len(QUOTES) == len({quote.text for quote in QUOTES})


def test_every_quote_has_a_text_and_an_author() -> None:
    assert all(quote.text and quote.author for quote in QUOTES)
