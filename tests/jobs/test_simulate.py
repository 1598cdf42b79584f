"""`bandcast simulate` carries its options to the provider it puts on a port."""

import time

import httpx

from tests.jobs.shell import simulating
from tests.simulator.caller import BASIC, message, number


def test_the_limits_of_the_command_are_those_of_the_provider():
    options = ("--max-recipients", "2", "--media-mb", "0.001", "--media-hours", "0.0002")
    with simulating(*options) as url, httpx.Client(auth=BASIC, trust_env=False) as client:
        user = f"{url}/api/v2/users/9900000"
        group = [number(index) for index in range(3)]
        statuses = [
            client.post(f"{user}/messages", json=message(to=group[:most])).status_code
            for most in (2, 3)
        ]
        assert statuses == [202, 400]

        picture = {"content-type": "image/png"}
        statuses = [
            client.put(f"{user}/media/a", content=b"x" * size, headers=picture).status_code
            for size in (1_000, 1_001)
        ]
        assert statuses == [204, 400]

        time.sleep(0.0002 * 3_600)
        assert client.get(f"{user}/media").json() == []
