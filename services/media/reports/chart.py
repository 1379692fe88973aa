"""A map without the internet: the points of a report to scale, and the towns around them, as a drawing (SVG)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, hypot, log10, pi, radians, sin

from markupsafe import Markup, escape

from services.media.reports.paper import Chart, Spot
from services.media.reports.speech import Speech
from services.media.reports.towns import DEGREE_M, Town, towns_near

WIDTH, HEIGHT = 180.0, 64.0
DETAIL_WIDTH, AROUND_WIDTH = 112.0, 64.0
MARK, PIN = 2.7, 6.6
"""How large a mark is, and how high above its place the head of the pin."""
LEAST_M = 45.0
WIDEST_M = 400_000.0
NEAREST = 6

INK, SOFT, FAINT, GROUND, RULE = "#1c2630", "#60707f", "#d8e0e2", "#f4f7f7", "#c3ced2"
SITE, CAPTURE = "#006a60", "#2f5fa8"

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Frame:
    """A rectangle of the drawing that shows the metres around its middle."""

    left: float
    width: float
    height: float
    metres: float  # of one unit of the drawing

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.height / 2

    def at(self, east: float, north: float) -> tuple[float, float]:
        x, y = self.middle
        return x + east / self.metres, y - north / self.metres

    def holds(self, x: float, y: float, margin: float) -> bool:
        inside = self.left + margin < x < self.left + self.width - margin
        return inside and margin < y < self.height - margin


def draw(chart: Chart, speech: Speech) -> Markup:
    """The drawing, to stand in a page as it is."""
    centre = chart.spots[0]
    spots = [(spot, *_metres(centre, spot)) for spot in chart.spots]
    parts = [*_detail(chart, spots, speech), *_around(centre, speech)]
    body = "".join(parts)
    return Markup(  # noqa: S704 - every word in it has been escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}mm" '
        f'height="{HEIGHT}mm" font-family="Inter">{body}</svg>'
    )


def nearest(chart: Chart, speech: Speech) -> str:
    """The nearest towns in words: how far, and in which direction."""
    centre = chart.spots[0]
    towns = towns_near(centre.lat, centre.lon, 100_000)[:3]
    return " · ".join(f"{t.name} ({speech.distance(t.metres)} {speech.wind(t.bearing)})" for t in towns)


def _metres(centre: Spot, spot: Spot) -> tuple[float, float]:
    """How far east and north of the centre; the earth is flat for as far as a piece of work goes."""
    across = (spot.lon - centre.lon + 180) % 360 - 180
    return across * DEGREE_M * cos(radians(centre.lat)), (spot.lat - centre.lat) * DEGREE_M


def _detail(chart: Chart, spots: Sequence[tuple[Spot, float, float]], speech: Speech) -> Iterator[str]:
    radius = chart.radius_m or 0.0
    wide = max(LEAST_M, radius, *(abs(east) + _circle(spot) for spot, east, _ in spots))
    tall = max(LEAST_M, radius, *(abs(north) + _circle(spot) for spot, _, north in spots))
    inner = (DETAIL_WIDTH - 18, HEIGHT - 18)
    frame = _Frame(0, DETAIL_WIDTH, HEIGHT, max(2 * wide / inner[0], 2 * tall / inner[1]))
    step = _round_length(frame.metres * 22)
    yield from _ground(frame, "detail")
    yield '<g clip-path="url(#detail)">'
    yield from _grid(frame, step)
    if chart.radius_m and spots[0][0].number is None:
        yield _ring(*frame.at(0, 0), chart.radius_m / frame.metres, SITE, dashed=True)
    for spot, east, north in spots:
        if spot.number is not None and spot.accuracy_m:
            yield _ring(*frame.at(east, north), _circle(spot) / frame.metres, CAPTURE)
    yield from _marks(frame, spots)
    yield "</g>"
    yield from _scale(frame, step, speech)
    yield from _north(frame, speech)


def _circle(spot: Spot) -> float:
    # A device that hardly knows where it is must not shrink everything else to a dot.
    return min(spot.accuracy_m or 0.0, 5_000.0)


def _marks(frame: _Frame, spots: Sequence[tuple[Spot, float, float]]) -> Iterator[str]:
    taken: list[tuple[float, float]] = []
    for spot, east, north in spots:
        x, y = frame.at(east, north)
        if spot.number is None:
            taken += [(x, y), (x, y - PIN)]
            yield _pin(x, y)
            continue
        mark = _free(frame, x, y, taken)
        taken.append(mark)
        if mark != (x, y):
            yield _line(x, y, *mark, CAPTURE)
            yield _dot(x, y, 0.8, CAPTURE)
        yield _dot(*mark, MARK, CAPTURE, edged=True)
        yield _text(mark[0], mark[1] + 1.05, str(spot.number), size=3, colour="#fff", anchor="middle", weight=600)


def _free(frame: _Frame, x: float, y: float, taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The nearest place for a mark that covers no other."""
    for away in (0.0, 7.0, 12.0, 17.0, 22.0):
        for turn in range(1 if away == 0 else 8):
            at = (x + away * sin(turn * pi / 4 + 0.6), y - away * cos(turn * pi / 4 + 0.6)) if away else (x, y)
            inside = (
                MARK + 1 < at[0] - frame.left < frame.width - MARK - 1 and MARK + 1 < at[1] < frame.height - MARK - 1
            )
            if inside and all(hypot(at[0] - a, at[1] - b) > 2 * MARK + 0.6 for a, b in taken):
                return at
    return x, y


def _around(centre: Spot, speech: Speech) -> Iterator[str]:
    """The towns around, the way there as the crow flies."""
    known = towns_near(centre.lat, centre.lon, WIDEST_M)
    far = known[min(NEAREST, len(known)) - 1].metres if known else 50_000
    reach = max(far * 1.12, 15_000)
    inner = AROUND_WIDTH / 2 - 6
    frame = _Frame(WIDTH - AROUND_WIDTH, AROUND_WIDTH, HEIGHT, reach / inner)
    yield from _ground(frame, "around")
    yield '<g clip-path="url(#around)">'
    x, y = frame.middle
    step = _round_length(reach / 2.4)
    rings = [step * n for n in range(1, 5)]
    for ring in rings:
        radius = ring / frame.metres
        yield f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius:.2f}" fill="none" stroke="{FAINT}" stroke-width="0.25"/>'
    for ring in rings[:2]:
        yield _text(x, y + ring / frame.metres - 0.7, speech.distance(ring), size=2.1, colour=SOFT, anchor="middle")
    visible = [town for town in known if town.metres < frame.metres * frame.height / 2]
    yield from _named(frame, visible, [y + ring / frame.metres - 1.4 for ring in rings[:2]])
    yield _dot(x, y, 1.7, SITE, edged=True)
    yield "</g>"
    yield _text(frame.left + 3, 5.2, speech.word["surroundings"], size=2.5, colour=SOFT, weight=500)


def _named(frame: _Frame, towns: Iterable[Town], lengths: Iterable[float]) -> Iterator[str]:
    """Dots with names; larger towns first, and no name over another, or over the lengths at these heights."""
    x, y = frame.middle
    taken: list[_Box] = [(x - 2.5, y - 2.5, x + 2.5, y + 2.5), (frame.left, 0, frame.left + 26, 7)]
    taken += [(x - 4, at - 1.2, x + 4, at + 1.2) for at in lengths]
    for town in sorted(towns, key=lambda town: -town.population):
        angle = radians(town.bearing)
        x, y = frame.at(town.metres * sin(angle), town.metres * cos(angle))
        long = 1.32 * len(town.name)
        right, left = (x + 1.5, y - 1.3, x + 2 + long, y + 1.5), (x - 2 - long, y - 1.3, x - 1.5, y + 1.5)
        for box, start, anchor in ((right, x + 1.7, "start"), (left, x - 1.7, "end")):
            inside = frame.holds(box[0], y, 2) and frame.holds(box[2], y, 2)
            if inside and not any(_touch(box, other) for other in taken):
                taken.append(box)
                yield _dot(x, y, 0.75, INK)
                yield _text(start, y + 0.85, town.name, size=2.4, colour=INK, anchor=anchor)
                break


def _touch(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _ground(frame: _Frame, name: str) -> Iterator[str]:
    box = f'x="{frame.left + 0.2}" y="0.2" width="{frame.width - 0.4}" height="{frame.height - 0.4}" rx="2"'
    yield f'<clipPath id="{name}"><rect {box}/></clipPath>'
    yield f'<rect {box} fill="{GROUND}" stroke="{RULE}" stroke-width="0.3"/>'


def _grid(frame: _Frame, step: float) -> Iterator[str]:
    x, y = frame.middle
    apart = step / frame.metres
    for n in range(-12, 13):
        yield _line(x + n * apart, 0, x + n * apart, frame.height, FAINT)
        yield _line(frame.left, y + n * apart, frame.left + frame.width, y + n * apart, FAINT)


def _line(x: float, y: float, to_x: float, to_y: float, colour: str) -> str:
    ends = f'x1="{x:.2f}" y1="{y:.2f}" x2="{to_x:.2f}" y2="{to_y:.2f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="0.28"/>'


def _dot(x: float, y: float, radius: float, colour: str, *, edged: bool = False) -> str:
    edge = ' stroke="#fff" stroke-width="0.5"' if edged else ""
    return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius}" fill="{colour}"{edge}/>'


def _ring(x: float, y: float, radius: float, colour: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="1.4 1"' if dashed else ""
    return (
        f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius:.2f}" fill="{colour}" fill-opacity="0.09" '
        f'stroke="{colour}" stroke-opacity="0.55" stroke-width="0.3"{dashes}/>'
    )


def _pin(x: float, y: float) -> str:
    drop = f"M {x:.2f} {y:.2f} c -1.2 -2.6 -3.4 -3.9 -3.4 -6.6 a 3.4 3.4 0 0 1 6.8 0 c 0 2.7 -2.2 4 -3.4 6.6 z"
    return f'<path d="{drop}" fill="{SITE}" stroke="#fff" stroke-width="0.4"/>' + _dot(x, y - PIN, 1.25, "#fff")


def _scale(frame: _Frame, step: float, speech: Speech) -> Iterator[str]:
    long = step / frame.metres
    left, y = frame.left + 4, frame.height - 4
    box = f'x="{left - 1.5}" y="{y - 5.2}" width="{long + 3:.2f}" height="7" rx="1"'
    yield f'<rect {box} fill="#fff" fill-opacity="0.85"/>'
    bracket = f"M {left} {y - 1.3} V {y} H {left + long:.2f} V {y - 1.3}"
    yield f'<path d="{bracket}" fill="none" stroke="{INK}" stroke-width="0.4"/>'
    yield _text(left + long / 2, y - 1.9, speech.distance(step), size=2.5, colour=INK, anchor="middle")


def _north(frame: _Frame, speech: Speech) -> Iterator[str]:
    x, y = frame.left + frame.width - 6, 4.5
    yield f'<path d="M {x} {y} l 1.7 5 l -1.7 -1.1 l -1.7 1.1 z" fill="{INK}"/>'
    yield _text(x, y + 8, speech.word["north"], size=2.7, colour=INK, anchor="middle", weight=600)


def _text(x: float, y: float, words: str, *, size: float, colour: str, anchor: str = "start", weight: int = 400) -> str:
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(words)}</text>'
    )


def _round_length(about: float) -> float:
    """The nearest of 1, 2, 5, 10, 20, 50 … metres that is not longer."""
    power: float = 10.0 ** int(log10(max(about, 1.0)))
    return max(n * power for n in (1, 2, 5) if n * power <= max(about, 1.0))
