"""A report's pages: what others' programs read in them, for the archive, in both languages, whatever people typed."""

from __future__ import annotations

import io
from typing import Any

import pypdf
import pytest
from pypdf.generic import IndirectObject

from services.media.reports.paper import Amendment, Answers, Chart, Company, Language, Line, Paper, Said, Spot, Step
from services.media.reports.press import PressFailed, pressed
from services.media.reports.typesetting import typeset
from tests.examples import reports

SMALL = {f"photo-{n}": reports.photo(n, 160, 120) for n in range(18)} | {
    "client": reports.strokes(1, 300, 120),
    "technician": reports.strokes(2, 300, 120),
    "logo": reports.logo(),
}
HOSTILE = '<script>alert(1)</script><img src="file:///etc/passwd"><style>@import "http://x.test/"</style>{{ 7 * 7 }}'


def read(paper: Paper, images: dict[str, bytes] | None = None) -> pypdf.PdfReader:
    printed = typeset(paper, SMALL if images is None else images, edition=2, at=reports.AT, time_zone=reports.ZONE)
    document = pypdf.PdfReader(io.BytesIO(printed.pdf))
    assert len(document.pages) == printed.pages
    return document


def words(document: pypdf.PdfReader) -> str:
    return " ".join("\n".join(page.extract_text() for page in document.pages).split())


@pytest.fixture(scope="module")
def spanish() -> pypdf.PdfReader:
    return read(reports.paper("es"))


def fonts(document: pypdf.PdfReader) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for page in document.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            whole = font.get_object()
            found[whole["/BaseFont"]] = whole["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
    return found


class TestForTheArchive:
    def test_it_says_that_it_is_pdf_a(self, spanish: pypdf.PdfReader) -> None:
        root = spanish.trailer["/Root"]
        metadata = root["/Metadata"].get_data().decode()
        assert "<pdfaid:part>3</pdfaid:part>" in metadata.replace(" ", "") or 'pdfaid:part="3"' in metadata
        assert "pdfaid:conformance" in metadata
        assert root["/OutputIntents"][0].get_object()["/S"] == "/GTS_PDFA1"
        assert not spanish.is_encrypted

    def test_it_can_be_read_aloud(self, spanish: pypdf.PdfReader) -> None:
        root = spanish.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"]
        assert root["/Lang"] == "es"
        assert isinstance(root.raw_get("/StructTreeRoot"), IndirectObject)
        assert spanish.outline

    def test_every_font_is_in_it(self, spanish: pypdf.PdfReader) -> None:
        found = fonts(spanish)
        assert any("Inter" in name for name in found)
        for name, descriptor in found.items():
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor), name

    def test_it_carries_no_script_and_no_file(self, spanish: pypdf.PdfReader) -> None:
        root = spanish.trailer["/Root"]
        assert not {"/OpenAction", "/AA", "/AcroForm"} & set(root)
        assert not spanish.attachments

    def test_the_same_paper_gives_the_same_bytes(self) -> None:
        one, other = (
            typeset(reports.small(), {}, edition=1, at=reports.AT, time_zone=reports.ZONE).pdf for _ in range(2)
        )
        assert one == other


class TestWords:
    def test_spanish_with_its_accents(self, spanish: pypdf.PdfReader) -> None:
        text = words(spanish)
        for said in (
            "Refrigeración Ñandú & Hijos S.A.S.",
            "Mantenimiento preventivo del cuarto frío 2",
            "Íngrid Muñoz Peñaranda",
            "Álvaro Güiza Nariño",
            "22 de 23 archivos recibidos",
            "Página 1 de 6",
            "edición 2",
            "Generado el 23 nov 2026, 10:12",
            "4,62872° N, 74,11185° O",
            "a 37 m del sitio",
            "Modificación 1",
            "Radio permitido: 100 m",
        ):
            assert said in text, said

    def test_english(self) -> None:
        document = read(reports.paper("en"))
        text = words(document)
        for said in (
            "Preventive maintenance of cold room 2",
            "22 of 23 files received",
            "Page 1 of 6",
            "edition 2",
            "Generated on 23 Nov 2026, 10:12",
            "4.62872° N, 74.11185° W",
        ):
            assert said in text, said
        assert document.trailer["/Root"]["/Lang"] == "en"

    def test_every_photo_is_there_with_its_caption(self, spanish: pypdf.PdfReader) -> None:
        assert sum(len(page.images) for page in spanish.pages) >= 18 + 2 + 1
        text = words(spanish)
        assert all(f"sha256 {reports.media_id(n)[7:19]}" in text for n in range(18))

    def test_a_report_of_one_answer_is_one_page(self) -> None:
        document = read(reports.small())
        assert len(document.pages) == 1
        assert "¿Quedó operando? Sí" in words(document)

    def test_what_leads_out_leads_where_it_says(self, spanish: pypdf.PdfReader) -> None:
        uris = {
            annotation.get_object()["/A"]["/URI"]
            for page in spanish.pages
            for annotation in page.get("/Annots", ())
            if "/URI" in annotation.get_object().get("/A", {})
        }
        assert any(uri.startswith("https://www.openstreetmap.org/?mlat=4.628720&mlon=-74.111850") for uri in uris)
        assert "https://app.checkop.co/submissions/0199f3ac" in uris


class TestWhateverComes:
    @pytest.mark.parametrize(("language", "said"), [("es", "(borrado)"), ("en", "(erased)")])
    def test_what_was_erased_is_said_to_be(self, language: Language, said: str) -> None:
        erased = Paper(
            kind="task",
            language=language,
            report_id=reports.REPORT_ID,
            company=Company(name=None),
            title=None,
            state="cancelled",
            state_name="-",
            facts=(Line(name="x", text=None),),
            description=None,
            steps=(Step(name=None, state="pending", at="-"),),
            answers=(
                Answers(form=None, erased=True),
                Answers(form="F", amendments=(Amendment(number=1, at="-", by="-", reason=None),)),
                Answers(form="G", blocks=(Said(label="q", text=None),)),
            ),
        )
        text = words(read(erased, {}))
        assert text.count(said) >= 8

    def test_what_people_typed_is_only_ever_text(self) -> None:
        paper = reports.small().model_copy(
            update={
                "title": HOSTILE,
                "company": Company(name=HOSTILE, footer=HOSTILE),
                "answers": (Answers(form=HOSTILE, blocks=(Said(label=HOSTILE, text=HOSTILE, long=True),)),),
                "chart": Chart(spots=(Spot(number=1, lat=0, lon=0, name=HOSTILE, at=HOSTILE, away=HOSTILE),)),
            }
        )
        text = words(read(paper, {}))
        assert text.count("<script>alert(1)</script>") >= 5
        assert "{{ 7 * 7 }}" in text
        assert "root:" not in text

    def test_an_image_that_is_not_there_leaves_its_place_empty(self) -> None:
        text = words(read(reports.paper("es"), {}))
        assert f"sha256 {reports.media_id(0)[7:19]}" in text

    def test_a_file_that_is_no_image_stops_nothing(self) -> None:
        assert read(reports.paper("es"), {"photo-0": b"not a photo", "logo": b""}).pages

    @pytest.mark.parametrize("text", ["palabra" * 400, "línea\n" * 300, "😀 日本 العربية \u200b", "a" * 5_000])
    def test_any_length_and_any_script_fits(self, text: str) -> None:
        said = Said(label=text[:500], text=text, long=len(text) > 90)
        paper = reports.small().model_copy(
            update={"title": text[:300], "answers": (Answers(form="F", blocks=(said,)),)}
        )
        assert read(paper, {}).pages

    @pytest.mark.parametrize(
        "spots",
        [
            [(4.6, -74.1)],
            [(4.6, -74.1)] * 12,
            [(0.0, 179.999), (0.0, -179.999)],
            [(89.99, 0.0), (89.99, 120.0)],
            [(-90.0, 0.0)],
            [(4.6, -74.1), (48.85, 2.35)],
            [(-40.0, -140.0)],
        ],
    )
    def test_any_place_on_earth_can_be_drawn(self, spots: list[tuple[float, float]]) -> None:
        drawn = tuple(
            Spot(number=n or None, lat=lat, lon=lon, accuracy_m=10.0**n if n < 6 else None)
            for n, (lat, lon) in enumerate(spots)
        )
        paper = reports.small().model_copy(update={"chart": Chart(spots=drawn, radius_m=100)})
        assert read(paper, {}).pages


class TestThePress:
    def test_the_same_report_out_of_a_process_of_its_own(self) -> None:
        paper = reports.small()
        with pressed(paper, (), edition=1, at=reports.AT, time_zone=reports.ZONE) as made:
            data = b"".join(made.chunks())
        assert data == typeset(paper, {}, edition=1, at=reports.AT, time_zone=reports.ZONE).pdf
        assert (made.pages, made.length) == (1, len(data))

    def test_one_that_takes_too_long_is_ended(self) -> None:
        with (
            pytest.raises(PressFailed),
            pressed(reports.paper(), (), edition=1, at=reports.AT, time_zone=reports.ZONE, patience=0.05),
        ):
            pass

    def test_one_that_wants_too_much_memory_dies_alone(self) -> None:
        heavy = ((f"photo-{n}", bytes(1_000_000)) for n in range(400))
        with (
            pytest.raises(PressFailed),
            pressed(reports.paper(), heavy, edition=1, at=reports.AT, time_zone=reports.ZONE, memory=350_000_000),
        ):
            pass
