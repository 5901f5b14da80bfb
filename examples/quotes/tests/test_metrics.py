from quotes.metrics import Metrics


def test_requests_are_counted_by_status() -> None:
    metrics = Metrics("1.2.3")
    for status in (200, 200, 404):
        metrics.observe(status, 0.001)
    text = metrics.render()
    assert 'quotes_requests_total{status="200"} 2' in text
    assert 'quotes_requests_total{status="404"} 1' in text


def test_a_bucket_holds_all_that_is_not_slower() -> None:
    metrics = Metrics("1.2.3")
    for duration_s in (0.0005, 0.004, 9.0):
        metrics.observe(200, duration_s)
    text = metrics.render()
    assert 'quotes_request_duration_seconds_bucket{le="0.001"} 1' in text
    assert 'quotes_request_duration_seconds_bucket{le="0.005"} 2' in text
    assert 'quotes_request_duration_seconds_bucket{le="2.5"} 2' in text
    assert 'quotes_request_duration_seconds_bucket{le="+Inf"} 3' in text
    assert "quotes_request_duration_seconds_count 3" in text


def test_the_version_is_a_label() -> None:
    assert 'quotes_build_info{version="1.2.3"} 1' in Metrics("1.2.3").render()
