"""The real server answers file after file on one connection without a pause between them."""

from __future__ import annotations

import http.client
import time

from tests.journeys.conftest import App


def test_the_second_answer_on_a_connection_comes_at_once(app: App) -> None:
    connection = http.client.HTTPConnection(app.address.removeprefix("http://"), timeout=30)
    seconds = []
    for _ in range(12):
        began = time.perf_counter()
        connection.request("GET", "/_stcore/health")
        assert connection.getresponse().read()
        seconds.append(time.perf_counter() - began)
    connection.close()
    assert min(seconds[1:]) < 0.03  # 0.04 while the server waits for an acknowledgement; 0.002 else
