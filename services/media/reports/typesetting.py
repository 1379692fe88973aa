"""Sets a paper as PDF/A: the same paper and moment give the same pages, and nothing is fetched from anywhere.

Only for a process of its own (see `press`): layout takes seconds, memory, and words that strangers typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

from services.media.reports import chart
from services.media.reports.paper import Amendment, Answers, Paper, Spot
from services.media.reports.speech import Speech, map_link

VARIANT = "pdf/a-3a"
SCHEME = "image:"
HASH_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Printed:
    """The file, and how many pages it has."""

    pdf: bytes
    pages: int


class _Given(URLFetcher):  # type: ignore[misc] # the library has no types
    """Knows the images that were handed in, and no other address in the world."""

    def __init__(self, images: Mapping[str, bytes]) -> None:
        super().__init__(allowed_protocols=(), allow_redirects=False)
        self._images = images

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        name = url.removeprefix(SCHEME)
        if not url.startswith(SCHEME) or name not in self._images:
            raise ValueError("a report shows only what was handed in")
        return URLFetcherResponse(url, self._images[name])


def typeset(paper: Paper, images: Mapping[str, bytes], *, edition: int, at: datetime, time_zone: str) -> Printed:
    """The paper as a file."""
    html = page_of(paper, edition=edition, at=at, time_zone=time_zone)
    document = HTML(string=html, url_fetcher=_Given(images), base_url=SCHEME).render(pdf_variant=VARIANT)
    identifier = f"{paper.report_id}/{edition}".encode()
    pdf: bytes = document.write_pdf(pdf_identifier=identifier, pdf_variant=VARIANT)
    return Printed(pdf, len(document.pages))


def page_of(paper: Paper, *, edition: int, at: datetime, time_zone: str) -> str:
    """The paper as HTML; everything that people typed is escaped."""
    speech = Speech(paper.language, ZoneInfo(time_zone))
    filters = _Filters(speech)
    return _template().render(
        paper=paper,
        w=speech.word,
        edition=edition,
        generated=at,
        generated_words=speech.word["generated"].format(speech.moment(at)),
        title=" · ".join(words for words in (paper.title, paper.company.name) if words) or speech.word["report"],
        style=_style(paper.language),
        chart=chart.draw(paper.chart, speech) if paper.chart else "",
        near=chart.nearest(paper.chart, speech) if paper.chart else "",
        radius=speech.word["radius"].format(speech.distance(paper.chart.radius_m or 0)) if paper.chart else "",
        coordinates=filters.coordinates,
        accuracy=filters.accuracy,
        received=filters.received,
        amended=filters.amended,
    )


class _Filters:
    """How parts of a paper are put into words where the template shows them."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    def coordinates(self, spot: Spot) -> str:
        return self._speech.coordinates(spot.lat, spot.lon)

    def accuracy(self, spot: Spot) -> str:
        return f"±{self._speech.distance(spot.accuracy_m)}" if spot.accuracy_m is not None else ""

    def received(self, answers: Answers) -> str:
        name = "file-received" if answers.declared == 1 else "files-received"
        return self._speech.word[name].format(answers.received, answers.declared)

    def amended(self, amendment: Amendment) -> str:
        title = self._speech.word["amended"].format(amendment.number)
        return f"{title} ({self._speech.word['amended-by'].format(amendment.at, amendment.by)})."


def _style(language: str) -> Markup:
    page, of = ("Página", "de") if language == "es" else ("Page", "of")
    css = _resource("report.css").replace('"PAGE "', f'"{page} "').replace('" OF "', f'" {of} "')
    return Markup(css)  # noqa: S704 - our own file


@lru_cache(maxsize=1)
def _template() -> Template:
    setting = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    setting.filters |= {"short": _short, "map_link": lambda spot: map_link(spot.lat, spot.lon)}
    return setting.from_string(_resource("report.html"))


def _short(media_id: str) -> str:
    return f"sha256 {media_id.removeprefix('sha256:')[:HASH_SHOWN]}"


def _resource(name: str) -> str:
    return (files("services.media.reports") / name).read_text(encoding="utf-8")
