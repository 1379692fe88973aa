"""Where people are and were: points counted once, the last position, a day's route, who is near, tasks on the map."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as having
from hypothesis import settings
from hypothesis import strategies as st

from services.kernel.domain import ERASED
from services.kernel.shown import stamp
from services.kernel.testing.app import START
from services.kernel.testing.given import given
from services.tasks.domain.track import MOST_POINTS, Point, PointsRecorded, RecordPoints, track, track_id
from services.tasks.domain.values import Position
from tests.examples.tasks import (
    ADMIN,
    BOGOTA,
    COLLEAGUE,
    CUSTOMER,
    LOCATION,
    MEDELLIN,
    NEARBY,
    NOW,
    OTHER_TEAM,
    STRANGER,
    SUPERVISOR,
    TEAM,
    TECHNICIAN,
    an_id,
)
from tests.unit.tasks.office import VIEWER, Office
from tests.unit.tasks.test_service import refused

DAY = date(2026, 3, 2)


def point(n: int, minutes: int | None = None, **changes: Any) -> Point:
    at = NOW + timedelta(minutes=n if minutes is None else minutes)
    return Point(**{"point_id": an_id(1000 + n), "at": at, "position": BOGOTA, "battery": 80, **changes})


def record(*points: Point) -> RecordPoints:
    return RecordPoints(
        track_id=track_id(TECHNICIAN, DAY),
        user_id=TECHNICIAN,
        day=DAY,
        zone="America/Bogota",
        points=points,
        at=NOW,
        by=TECHNICIAN,
    )


def recorded(*points: Point) -> PointsRecorded:
    return PointsRecorded(
        user_id=TECHNICIAN,
        day=DAY,
        zone="America/Bogota",
        device_id=None,
        point_ids=tuple(one.point_id for one in points),
        points=points,
    )


class TestTrack:
    def test_points_are_added_once(self) -> None:
        given(track).when(record(point(1), point(2))).then(recorded(point(1), point(2)))
        given(track).when(record(point(1), point(2))).then_repeating_adds_nothing()
        given(track, recorded(point(1))).when(record(point(1), point(2))).then(recorded(point(2)))

    def test_one_moment_has_one_point(self) -> None:
        given(track).when(record(point(1), point(2, minutes=1))).then(recorded(point(1)))
        given(track, recorded(point(1))).when(record(point(3, minutes=1))).then_nothing()

    def test_after_erasure_known_points_stay_known(self) -> None:
        erased = recorded(point(1)).model_copy(update={"points": ERASED})
        given(track, erased).when(record(point(1))).then_nothing()

    def test_a_day_has_an_end(self) -> None:
        full = recorded().model_copy(update={"point_ids": tuple(str(n) for n in range(MOST_POINTS))})
        given(track, full).when(record(point(1))).then_rejected("track-full")


@settings(max_examples=50)
@having(st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=10), max_size=8))
def test_however_batches_overlap_every_point_is_there_once(batches: list[list[int]]) -> None:
    state, seen = track.initial_state, []
    for batch in batches:
        for fact in track.decide(record(*(point(n) for n in batch)), state):
            seen += fact.point_ids
            state = track.evolve(state, fact)
    assert sorted(seen) == sorted({an_id(1000 + n) for batch in batches for n in batch})


def fix(n: int, at: datetime, where: Position = BOGOTA, battery: int = 80) -> dict[str, Any]:
    return Point(point_id=an_id(1000 + n), at=at, position=where, battery=battery).model_dump(mode="json")


class TestInTheOffice:
    """It is Monday, 23 November 2026, 8:00 in Bogotá."""

    def at(self, office: Office, who: str, where: Position, minutes: int = 0, n: int = 1) -> None:
        office.do("record_points", who, points=[fix(n, START + timedelta(minutes=minutes), where)])

    def test_the_last_position_is_the_latest_whatever_comes_when(self, office: Office) -> None:
        self.at(office, TECHNICIAN, MEDELLIN, minutes=-1, n=1)
        self.at(office, TECHNICIAN, BOGOTA, minutes=-30, n=2)
        self.at(office, COLLEAGUE, BOGOTA, minutes=-90, n=3)
        rows = office.ask("positions")["items"]
        assert [(row["user_id"], row["lat"], row["battery"]) for row in rows] == [
            (TECHNICIAN, MEDELLIN.lat, 80),
            (COLLEAGUE, BOGOTA.lat, 80),
        ]
        assert [row["user_id"] for row in office.ask("positions", fresh_minutes=60)["items"]] == [TECHNICIAN]
        assert [row["user_id"] for row in office.ask("positions", user_ids=[COLLEAGUE])["items"]] == [COLLEAGUE]

    def test_a_clock_that_runs_ahead_is_not_believed(self, office: Office) -> None:
        self.at(office, TECHNICIAN, MEDELLIN, minutes=24 * 60, n=1)
        assert office.ask("positions")["items"] == []
        self.at(office, TECHNICIAN, BOGOTA, n=2)
        assert office.ask("positions")["items"][0]["lat"] == BOGOTA.lat

    def test_the_route_of_a_day_in_order_with_its_length(self, office: Office) -> None:
        north = Position(lat=BOGOTA.lat + 0.01, lon=BOGOTA.lon)
        points = [fix(n, START - timedelta(minutes=n), BOGOTA if n % 2 else north) for n in range(4)]
        office.do("record_points", TECHNICIAN, points=points)
        office.do("record_points", TECHNICIAN, points=points[:2])
        found = office.ask("route", user_id=TECHNICIAN, day="2026-11-23")
        assert [one["id"] for one in found["points"]] == [an_id(1000 + n) for n in (3, 2, 1, 0)]
        assert found["length_m"] == pytest.approx(3 * 1112, abs=2)
        assert office.ask("route", user_id=TECHNICIAN) == found
        assert office.ask("route", user_id=TECHNICIAN, day="2026-11-22")["points"] == []

    def test_midnight_is_the_accounts_and_a_batch_may_reach_over_it(self, office: Office) -> None:
        midnight = datetime(2026, 11, 23, 5, tzinfo=UTC)
        late, early = fix(1, midnight - timedelta(minutes=1)), fix(2, midnight)
        office.do("record_points", TECHNICIAN, points=[early, late])
        office.do("record_points", TECHNICIAN, points=[early])
        for day, id in (("2026-11-22", 1), ("2026-11-23", 2)):
            found = office.ask("route", TECHNICIAN, user_id=TECHNICIAN, day=day)["points"]
            assert [one["id"] for one in found] == [an_id(1000 + id)]

    def test_what_is_refused(self, office: Office) -> None:
        points = [fix(1, START), fix(2, START - timedelta(days=4))]
        refused("points-too-far-apart", office.do, "record_points", TECHNICIAN, points=points)
        refused("invalid", office.do, "record_points", TECHNICIAN, points=[])
        refused("invalid", office.do, "record_points", TECHNICIAN, points=points[:1], user_id=COLLEAGUE)
        refused("forbidden", office.do, "record_points", ADMIN, points=points[:1])

    def test_who_sees_where_people_are(self, office: Office) -> None:
        office.team(OTHER_TEAM, STRANGER, leaders=(SUPERVISOR,))
        for n, who in enumerate((TECHNICIAN, STRANGER)):
            self.at(office, who, BOGOTA, n=n)
        assert [row["user_id"] for row in office.ask("positions", SUPERVISOR)["items"]] == [STRANGER]
        assert [row["user_id"] for row in office.ask("positions", team_id=TEAM)["items"]] == [TECHNICIAN]
        assert office.ask("positions", SUPERVISOR, team_id=TEAM)["items"] == []
        assert office.ask("positions", team_id=an_id(999))["items"] == []
        refused("user-unknown", office.ask, "route", user_id=an_id(999))
        refused("user-unknown", office.ask, "route", SUPERVISOR, user_id=TECHNICIAN, day="2026-11-23")
        refused("forbidden", office.ask, "positions", TECHNICIAN)
        refused("forbidden", office.ask, "nearest_technicians", VIEWER, lat=4.6, lon=-74.0)
        refused("forbidden", office.ask, "route", TECHNICIAN, user_id=COLLEAGUE, day="2026-11-23")

    def test_who_is_near(self, office: Office) -> None:
        self.at(office, TECHNICIAN, MEDELLIN, n=1)
        self.at(office, COLLEAGUE, NEARBY, n=2)
        self.at(office, STRANGER, BOGOTA, minutes=-61, n=3)
        task_id = office.open(user_id=COLLEAGUE)
        office.do("start_task", COLLEAGUE, task_id=task_id)

        def near(**more: Any) -> list[tuple[str, int]]:
            rows = office.ask("nearest_technicians", lat=BOGOTA.lat, lon=BOGOTA.lon, **more)["items"]
            return [(row["user_id"], row["in_progress"]) for row in rows]

        assert near() == [(COLLEAGUE, 1), (TECHNICIAN, 0)]
        assert near(fresh_minutes=120, within_m=1_000) == [(STRANGER, 0), (COLLEAGUE, 1)]
        assert near(limit=1) == [(COLLEAGUE, 1)]
        assert near(team_id=TEAM) == [(COLLEAGUE, 1), (TECHNICIAN, 0)]
        office.tell("UserDeactivated", user_id=COLLEAGUE)
        assert near() == [(TECHNICIAN, 0)]

    def test_nobody_outside_reads_where_somebody_was(self, office: Office) -> None:
        self.at(office, TECHNICIAN, Position(lat=1.2345678, lon=-74.0))
        published = " ".join(str(event.data) for commit in office.app.store.after(0, 1000) for event in commit.events)
        assert "1.2345678" not in published


BOUNDS = {"south": 4.0, "west": -75.0, "north": 5.0, "east": -73.0}


class TestMap:
    def ids(self, office: Office, by: str = ADMIN, **params: Any) -> list[str]:
        return [row["id"] for row in office.ask("map", by, **{**BOUNDS, **params})["items"]]

    def test_tasks_within_the_bounds(self, office: Office) -> None:
        there = office.open(customer_id=CUSTOMER, location_id=LOCATION)
        office.open(customer_id=CUSTOMER)
        (row,) = office.ask("map", **BOUNDS)["items"]
        assert (row["id"], row["position"], row["location_name"]) == (
            there,
            {"lat": BOGOTA.lat, "lon": BOGOTA.lon},
            "Sede Chapinero",
        )
        assert self.ids(office, north=4.2) == []
        assert self.ids(office, west=-73.5, east=-74.5) == []
        assert self.ids(office, west=-74.5, east=-73.5) == [there]
        assert self.ids(office, west=170.0, east=-73.5) == [there]

    def test_filters_narrow_and_the_view_holds(self, office: Office) -> None:
        place = {"customer_id": CUSTOMER, "location_id": LOCATION}
        window = {"start": stamp(START), "end": stamp(START + timedelta(hours=2))}
        mine = office.open(**place, user_id=TECHNICIAN, window=window)
        other = office.open(**place, user_id=COLLEAGUE)
        assert sorted(self.ids(office)) == sorted([mine, other])
        assert self.ids(office, TECHNICIAN) == self.ids(office, user_id=TECHNICIAN) == [mine]
        touching = {"from": stamp(START + timedelta(hours=1)), "to": stamp(START + timedelta(hours=3))}
        assert self.ids(office, **touching) == [mine]
        assert self.ids(office, status=["completed"]) == []
        assert office.ask("map", **BOUNDS, limit=1)["more"] is True

    def test_a_place_that_moves_takes_its_tasks_along(self, office: Office) -> None:
        task_id = office.open(customer_id=CUSTOMER, location_id=LOCATION)
        moved = {"customer_id": CUSTOMER, "location_id": LOCATION}
        office.do("edit_location", **moved, position=MEDELLIN.model_dump())
        assert self.ids(office) == []
        assert self.ids(office, north=7.0, west=-76.0) == [task_id]
        office.do("remove_location", **moved)
        assert self.ids(office, north=7.0, west=-76.0) == [task_id]
        office.do("add_location", customer_id=CUSTOMER, location_id=an_id(45), name="Sin coordenadas")
        assert self.ids(office, north=7.0, west=-76.0) == [task_id]
