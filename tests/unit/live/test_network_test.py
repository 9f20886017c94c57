"""The self-test's trials: one road each, a room of their own, bounded in number and time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from server.errors import UserFault
from server.live import network_test
from server.live.network_test import BURST_BPS, BURST_MS, NetworkTests
from server.media.contract import Burst, CloseRoom, Command, Done, OpenPeer, Point, SetUpTracks
from server.protocol.parameters import Candidate, Fingerprint, LocalTransport, Road, Source
from tests.unit.protocol.offers import CHROMIUM_UP

LOCAL = LocalTransport(
    "ours", "p" * 22, [Fingerprint("sha-256", ":".join(["AB"] * 32))],
    [Candidate("10.9.9.9", 40000), Candidate("10.9.9.9", 40001, tcp=True)],
)  # fmt: skip
SENDS = CHROMIUM_UP
RECEIVES = CHROMIUM_UP.replace("a=sendonly", "a=recvonly")


@dataclass
class Worker:
    """Keeps what it is told."""

    tap_socket: str = ""
    told: list[Command] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    async def request(self, command: Command) -> Done:
        self.told.append(command)
        return Done(1, transport=LOCAL if isinstance(command, OpenPeer) else None)

    def send(self, command: Command) -> None:
        self.told.append(command)


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def tests(worker: Worker) -> NetworkTests:
    return NetworkTests(lambda _: ("w0", worker), worker.released.append)


@pytest.mark.parametrize(("road", "port"), [(Road.UDP, "40000"), (Road.TCP, "40001"), (Road.TURN, "40000")])
async def test_an_answer_names_the_candidates_of_one_road_alone(
    tests: NetworkTests, road: Road, port: str
) -> None:
    sdp, name = await tests.send(SENDS, road)
    echoed = await tests.receive(RECEIVES, name)
    for text in (sdp, echoed):
        offered = [line for line in text.splitlines() if line.startswith("a=candidate")]
        assert offered
        assert all(f" {port} " in line for line in offered)


async def test_what_is_sent_comes_back_once_and_a_burst_goes_to_the_receiver(
    tests: NetworkTests, worker: Worker
) -> None:
    _, name = await tests.send(SENDS, Road.UDP)
    with pytest.raises(UserFault):
        tests.burst(name)
    await tests.receive(RECEIVES, name)
    tests.burst(name)
    tracks = next(each for each in worker.told if isinstance(each, SetUpTracks))
    assert [track.source for track in tracks.tracks] == [Source.CAMERA]
    point = next(each for each in worker.told if isinstance(each, Point))
    assert point.track is not None
    assert point.track.peer == tracks.peer != point.peer
    assert worker.told[-1] == Burst(point.peer, BURST_BPS, BURST_MS)
    with pytest.raises(UserFault):
        await tests.receive(RECEIVES, name)


async def test_trials_are_few_short_and_leave_nothing(
    tests: NetworkTests, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_test, "SECONDS", 0.2)
    monkeypatch.setattr(network_test, "MOST", 2)
    names = [(await tests.send(SENDS, Road.UDP))[1] for _ in range(2)]
    with pytest.raises(UserFault):
        await tests.send(SENDS, Road.UDP)
    async with asyncio.timeout(15):
        while len(worker.released) < 2:  # noqa: ASYNC110 - the loop's timer tells nobody
            await asyncio.sleep(0.02)
    assert sorted(worker.released) == sorted(names)
    assert [each.room for each in worker.told if isinstance(each, CloseRoom)] == worker.released
    with pytest.raises(UserFault):
        tests.burst(names[0])
    with pytest.raises(UserFault):
        await tests.send(SENDS, Road.HLS)
