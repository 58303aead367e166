"""Queries of real data: 8,759 hours of Seattle's temperatures, 3,376 airports and 406 cars. The records are written
over HTTP by multi-path updates and pushes, and the results of queries are compared with plain Python.
"""

from __future__ import annotations

import csv
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

import firebase_rest
from firebase_rest.emulator import Emulator

# Only the package's location is used, because its loaders import pandas.
DATA = Path(find_spec("vega_datasets").origin).parent / "_data"


def hours():
    with (DATA / "seattle-temps.csv").open(encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file)):
            day, time = row["date"].split()
            month = int(day.split("/")[1])
            yield (
                f"h{number:05}",
                {"date": row["date"], "temp": float(row["temp"]), "at": {"month": month, "time": time}},
            )


def airports():
    with (DATA / "airports.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            position = {"latitude": float(row["latitude"]), "longitude": float(row["longitude"])}
            home = {name: row[name] for name in ("city", "state") if row[name] != "NA"}
            yield row["iata"], {"name": row["name"], **home, "where": position}


HOURS = dict(hours())
AIRPORTS = dict(airports())
CARS = json.loads((DATA / "cars.json").read_text(encoding="utf-8"))


def without_null(record):
    return {name: value for name, value in record.items() if value is not None}


@pytest.fixture(scope="module")
def db():
    with Emulator().serve() as server, firebase_rest.initialize_app(server.config) as app:
        root = app.database()
        for collection, records in (("hours", HOURS), ("airports", AIRPORTS)):
            items = list(records.items())
            for start in range(0, len(items), 1000):
                root.update({f"{collection}/{key}": record for key, record in items[start : start + 1000]})
        root.update({f"temps/{key}": hour["temp"] for key, hour in HOURS.items()})
        yield root


@pytest.fixture(scope="module")
def cars(db):
    """Key -> record of the cars in the order of the pushes."""
    reference = db.child("cars")
    return {reference.push(car)["name"]: without_null(car) for car in CARS}


def ordered(records, value, low=None, high=None):
    """Return the keys between two inclusive bounds, ordered by value and key."""
    ranked = sorted((value(record), key) for key, record in records.items() if value(record) is not None)
    inside = [pair for pair in ranked if (low is None or pair[0] >= low) and (high is None or pair[0] <= high)]
    return [key for _, key in inside]


def temp(hour):
    return hour["temp"]


def test_loaded_records_are_read_back(db):
    assert db.child("hours").get().val() == HOURS
    assert db.child("airports").get().val() == AIRPORTS
    assert list(db.child("hours").get().val()) == sorted(HOURS)


def test_pushed_records_are_in_push_order(db, cars):
    snapshot = db.child("cars").get()
    assert list(snapshot.val().items()) == list(cars.items())
    assert [item.val()["Name"] for item in snapshot] == [car["Name"] for car in CARS]


def test_limit_to_last_returns_hottest_hours(db):
    hottest = db.child("hours").order_by_child("temp").limit_to_last(10).get()
    assert list(hottest.val().items()) == [(key, HOURS[key]) for key in ordered(HOURS, temp)[-10:]]


def test_limit_to_first_orders_ties_by_key(db):
    coldest = db.child("hours").order_by_child("temp").limit_to_first(10).get()
    assert [item.key() for item in coldest] == ordered(HOURS, temp)[:10]


@pytest.mark.parametrize(("low", "high"), [(60.0, 61.5), (59.3, 59.3), (-20, 37.1), (70.05, 1000)])
def test_inclusive_and_exclusive_bounds(db, low, high):
    result = db.child("hours").order_by_child("temp").start_at(low).end_at(high).get()
    assert [item.key() for item in result] == ordered(HOURS, temp, low, high)
    between = db.child("hours").order_by_child("temp").start_after(low).end_before(high).get()
    assert [item.key() for item in between] == [
        key for key in ordered(HOURS, temp, low, high) if low < HOURS[key]["temp"] < high
    ]


def test_order_by_value_with_bound_and_limit(db):
    warmest = db.child("temps").order_by_value().start_at(74.0).limit_to_last(50).get()
    keys = ordered(HOURS, temp, 74.0)[-50:]
    assert list(warmest.val().items()) == [(key, HOURS[key]["temp"]) for key in keys]


@pytest.mark.parametrize("day", ["2010/07/04", "2010/12/3", "2010/0"])
def test_string_prefix_range_by_child(db, day):
    result = db.child("hours").order_by_child("date").start_at(day).end_at(day + "\uf8ff").get()
    assert result.val() == {key: hour for key, hour in HOURS.items() if hour["date"].startswith(day)}


def test_equal_to_by_nested_child(db):
    july = db.child("hours").order_by_child("at/month").equal_to(7).get()
    assert list(july.val()) == [key for key, hour in HOURS.items() if hour["at"]["month"] == 7]
    noons = db.child("hours").order_by_child("at/time").equal_to("12:00").limit_to_last(5).get()
    assert list(noons.val()) == [key for key, hour in HOURS.items() if hour["at"]["time"] == "12:00"][-5:]


def test_range_of_numbers_by_nested_child(db):
    def latitude(airport):
        return airport["where"]["latitude"]

    arctic = db.child("airports").order_by_child("where/latitude").start_at(66.5).get()
    assert [item.key() for item in arctic] == ordered(AIRPORTS, latitude, 66.5)
    southern = db.child("airports").order_by_child("where/latitude").end_before(0).get()
    assert [item.key() for item in southern] == [
        key for key in ordered(AIRPORTS, latitude) if latitude(AIRPORTS[key]) < 0
    ]


@pytest.mark.parametrize("prefix", ["San ", "O", "St", "Ch"])
def test_prefix_range_orders_by_value_then_key(db, prefix):
    result = db.child("airports").order_by_child("city").start_at(prefix).end_at(prefix + "\uf8ff").get()
    expected = sorted(
        (airport["city"], key) for key, airport in AIRPORTS.items() if airport.get("city", "").startswith(prefix)
    )
    assert len(expected) > 5
    assert [(item.val()["city"], item.key()) for item in result] == expected


def test_equal_to_none_finds_missing_children(db):
    nowhere = db.child("airports").order_by_child("state").equal_to(None).get()
    assert sorted(nowhere.val()) == sorted(key for key, airport in AIRPORTS.items() if "state" not in airport)
    assert nowhere.val()


def test_missing_children_are_ordered_first(db, cars):
    unknown = [key for key, car in cars.items() if "Miles_per_Gallon" not in car]
    by_consumption = db.child("cars").order_by_child("Miles_per_Gallon")
    assert list(by_consumption.equal_to(None).get().val()) == unknown
    assert [item.key() for item in by_consumption.limit_to_first(len(unknown)).get()] == unknown
    known = ordered(cars, lambda car: car.get("Miles_per_Gallon"))
    assert [item.key() for item in by_consumption.start_after(None).get()] == known
    assert [item.key() for item in by_consumption.get()] == unknown + known


def test_paging_by_value_and_key_returns_each_record_once(db):
    pages, query = [], db.child("airports").order_by_child("state").limit_to_first(400)
    page = query.get()
    while page.each():
        pages += [item.item for item in page]
        key, last = pages[-1]
        page = query.start_after(last.get("state"), key=key).get()
    expected = sorted(AIRPORTS.items(), key=lambda pair: (pair[1].get("state", ""), key_order(pair[0])))
    assert pages == expected


def test_paging_by_key_returns_each_record_once(db):
    keys, query = [], db.child("hours").order_by_key().limit_to_first(2000)
    page = query.get()
    while page.each():
        keys += [item.key() for item in page]
        page = query.start_after(keys[-1]).get()
    assert keys == list(HOURS)


def test_shallow_returns_sorted_keys(db):
    assert db.child("airports").shallow().get().val() == sorted(AIRPORTS, key=key_order)


def test_multi_path_update_is_visible_to_queries(db):
    db.child("hours").update({f"{key}/temp": hour["temp"] + 200 for key, hour in list(HOURS.items())[:100]})
    hot = db.child("hours").order_by_child("temp").start_at(150).get()
    assert set(hot.val()) == set(list(HOURS)[:100])
    db.child("hours").update({f"{key}/temp": hour["temp"] for key, hour in list(HOURS.items())[:100]})
    assert db.child("hours").get().val() == HOURS


def key_order(key):
    """Return a sort key for these airports: integer-like keys first and by number ("01G" is not an integer)."""
    return (0, int(key), key) if key.isdigit() else (1, 0, key)
