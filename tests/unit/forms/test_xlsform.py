"""Forms as spreadsheets: written and read back the same, and other people's read with a report of every doubt."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from pyxform.xls2xform import convert

from gateway.words.forms import SHEET_WORDS
from services.forms.domain.check import check
from services.forms.domain.schema import Content
from services.forms.xlsform import reader
from services.forms.xlsform.derived import derived
from services.forms.xlsform.reader import Unreadable
from services.forms.xlsform.reading import Imported, read_xlsform
from services.forms.xlsform.writing import write_xlsform
from services.kernel.domain import Rejected
from tests.examples.forms import ADMIN, FORM, INSPECTION, OTHER_FORM, TECHNICIAN, an_id, choices, form, item, text
from tests.unit.forms.account import Account


def written(content: Content) -> bytes:
    return write_xlsform(content, title="Inspección", form_id="INS1", version="1")


def again(content: Content) -> Imported:
    return read_xlsform(written(content))


def book(survey: list[list[Any]], **others: list[list[Any]]) -> bytes:
    made = Workbook()
    made.remove(made.worksheets[0])
    for title, rows in {"survey": survey, **others}.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    data = io.BytesIO()
    made.save(data)
    return data.getvalue()


def read(survey: list[list[Any]], **others: list[list[Any]]) -> tuple[Content, list[tuple[str, int, str, str]]]:
    imported = read_xlsform(book(survey, **others))
    return imported.content, [(one.sheet, one.row, one.column, one.code) for one in imported.report]


class TestThereAndBack:
    def test_the_inspection_comes_back_as_it_was(self) -> None:
        imported = again(INSPECTION)
        assert imported.content.to_json() == INSPECTION.to_json()
        assert (imported.content.hash, imported.report, imported.title) == (INSPECTION.hash, [], "Inspección")

    def test_everything_that_has_no_common_column_comes_back(self) -> None:
        content = form(
            text("a", kind="email", min_length=3, max_length=40, default="=1@x.co", hint={"es": "#N/A", "en": "+x"}),
            text("b", pattern="[A-Z]'+", required="${a} != ''", required_message={"en": "Please"}),
            item(
                "number", "c", min=-1.5, max=1e9, constraint=". != 0", constraint_message={"es": "No cero"}, default=5
            ),
            item("number", "d", kind="integer", min=0.00001, default=2),
            item("date", "e", min="2026-01-01", default_formula="today()"),
            item("date_time", "f", min="2026-01-01T00:00:00-05:00", read_only=True),
            item("time", "g", max="18:30:00", default="08:00"),
            item("checkboxes", "h", choices="l", min_count=1, max_count=2, default=["x", "y"]),
            item("picture", "i", min_count=1, max_count=5, max_bytes=2_000_000, max_pixels=1_024),
            item("document", "j", kinds=["pdf", "excel"], max_count=2),
            item("signature", "k", of="technician", required=True),
            item("gps", "m", max_accuracy_m=20),
            item("voice", "n", max_seconds=30, max_bytes=10),
            item(
                "repeat",
                "r",
                min=2,
                max=9,
                items=[item("section", "s", items=[item("barcode", "t", pattern="[0-9]+")])],
            ),
            item("calculated", "z", calculation="1\n+ 1", follow_up={"when": ". = 2", "priority": "urgent"}),
            languages=["en", "es"],
            capture={"location": True, "radius_m": 250},
            choice_lists={"l": choices("x", "y", zone="north")},
        )
        assert check(content) == []
        imported = again(content)
        assert imported.content.to_json() == content.to_json()
        assert imported.report == []

    @pytest.mark.parametrize("content", [INSPECTION, form(text("a"))], ids=["inspection", "smallest"])
    def test_other_tools_open_what_we_write(self, content: Content) -> None:
        made = convert(io.BytesIO(written(content)), file_type=".xlsx", warnings=[])
        assert "<h:html" in made.xform

    def test_texts_stay_texts(self) -> None:
        sheet = load_workbook(io.BytesIO(written(form(text("a", labels={"es": "=cmd|' /C calc'!A0"})))))["survey"]
        cells = {str(cell.value): cell.data_type for row in sheet.iter_rows() for cell in row}
        assert cells["=cmd|' /C calc'!A0"] == "s"

    def test_limits_are_constraints_for_other_tools(self) -> None:
        limited = {"type": "number", "min": 1.0, "max": 2.5}
        assert derived(limited) == ". >= 1 and . <= 2.5"
        made = load_workbook(io.BytesIO(written(form(item("number", "n", min=1, constraint=". != 2")))))["survey"]
        assert "(. != 2) and . >= 1" in [cell.value for row in made.iter_rows() for cell in row]


WORD_LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"), exclude_characters="_")
WORDS = st.text(WORD_LETTERS, min_size=1, max_size=12).filter(str.strip)
LABELS = st.dictionaries(st.sampled_from(["es", "en", "pt"]), WORDS, min_size=1)
COUNTS = st.integers(1, 9)


@st.composite
def items(draw: st.DrawFn, name: str) -> dict[str, Any]:
    labels = draw(LABELS)
    made: dict[str, Any] = {"name": name, "labels": labels, "hint": draw(st.just({}) | LABELS)}
    kind = draw(st.sampled_from(["short_text", "number", "dropdown", "picture", "date", "calculated", "long_text"]))
    made["type"] = kind
    if draw(st.booleans()):
        made["relevant"] = draw(st.sampled_from(["${q0} = 'ñ'", "selected(${q1}, 'x') or ${q2} > 3"]))
    if kind == "calculated":
        return {**made, "calculation": draw(st.sampled_from(["1 + 1", "concat(${q0}, '“x”')"]))}
    made["required"] = draw(st.booleans() | st.sampled_from(["true()", "${q3} = ''"]))
    made["read_only"] = draw(st.booleans())
    made["constraint"] = draw(st.none() | st.sampled_from([". != ''", "(. > 1) and . < 9", ". >= 1 and . <= 2"]))
    match kind:
        case "short_text":
            made |= {"default": draw(st.none() | WORDS), "max_length": draw(COUNTS), "pattern": draw(st.none() | WORDS)}
        case "number":
            least = draw(st.none() | st.floats(-1e6, 1e6))
            made |= {"min": least, "kind": draw(st.sampled_from(["integer", "decimal"]))}
            made["default"] = draw(st.none() | st.integers(-99, 99) | st.floats(-9, 9))
        case "dropdown":
            made |= {"choices": "l", "choice_filter": draw(st.none() | st.just("zone = ${q0}"))}
        case "picture":
            made |= {"max_count": draw(COUNTS), "max_bytes": draw(st.none() | st.integers(1, 10**8))}
        case "date":
            made["max"] = draw(st.none() | st.dates().map(str))
    return made


@st.composite
def contents(draw: st.DrawFn) -> Content:
    asked = [draw(items(f"q{n}")) for n in range(draw(st.integers(1, 6)))]
    inside = [draw(items(f"i{n}")) for n in range(draw(st.integers(1, 3)))]
    group = {"type": draw(st.sampled_from(["section", "repeat"])), "name": "g", "labels": draw(LABELS), "items": inside}
    values = draw(st.lists(st.from_regex(r"\A[a-z0-9.:-]{1,9}\Z"), min_size=1, max_size=5, unique=True))
    listed = [
        {
            "value": value,
            "labels": draw(LABELS),
            "properties": draw(st.just({}) | st.fixed_dictionaries({"zone": WORDS})),
        }
        for value in values
    ]
    languages = draw(st.lists(st.sampled_from(["es", "en", "pt"]), min_size=1, unique=True))
    return form(*asked, group, languages=languages, choice_lists={"l": listed})


@settings(max_examples=40)
@given(contents())
def test_any_form_comes_back_with_the_same_hash(content: Content) -> None:
    imported = again(content)
    assert imported.content.to_json() == content.to_json()
    assert imported.content.hash == content.hash


KINDS = (
    "text", "string", "integer", "int", "decimal", "range", "date", "time", "dateTime", "datetime", "image", "photo",
    "audio", "video", "file", "barcode", "geopoint", "geotrace", "note", "calculate", "acknowledge", "hidden",
    "rank l", "select_one l", "select one l", "select one from l", "select1 l", "select_multiple l", "select_one",
    "select all that apply from l", "select_one l or_other", "select_one_from_file x.csv", "select_multiple x",
    "start", "end", "today", "deviceid", "audit", "begin group", "begin_group", "end group", "end_group",
    "begin repeat", "begin_repeat", "end repeat", "end_repeat", "begin loop over l", "end loop", "xml-external", "",
    "TEXT", "begin  group",
)  # fmt: skip
HEADINGS = (
    "name", "label", "label::Español (es)", "label::en", "label:Swahili", "caption", "hint", "hint::es", "required",
    "required_message", "requiredMsg::es", "relevant", "relevance", "constraint", "constraint_message::en", "default",
    "readonly", "read_only", "calculation", "bind::calculate", "choice_filter", "appearance", "body::appearance",
    "parameters", "repeat_count", "jr:count", "media::image::es", "image", "bind::jr:preload", "instance::x", "trigger",
    "checkop_max_count", "checkop_kinds", "checkop_follow_up_when", "checkop_default", "checkop_", "$given_name",
    "note",
)  # fmt: skip
CELLS = (
    "a", "b", "c.d", "1", "0", "-3.5", "yes", "no", "true()", "false", "${a} = 'x'", ". > 3", "minimal", "multiline w1",
    "signature", "field-list", "max-pixels=10", "max-count=many", "max-bytes=5 max-count=2", "x = y", "today()", "á ñ",
    "2026-01-01", "l", "=1+1", "${", "Español (es)", " spaced ", "line\nbreak", 7, 2.5, True,
)  # fmt: skip


class TestOtherPeoples:
    def test_a_usual_form_is_taken_over(self) -> None:
        content, report = read(
            [
                ["type", "name", "label::English (en)", "label::Español (es)", "required", "relevance", "appearance"],
                ["start", "start", None, None, None, None, None],
                ["text", "who", "Who?", "¿Quién?", "yes", None, "multiline"],
                ["select one l", "what", "What?", None, "TRUE", "${who} != ''", "minimal"],
                ["begin group", "more", "More", None, None, None, "field-list"],
                ["integer", "n", "How many", None, "no", "${what} = 'a'", None],
                ["end group", None, None, None, None, None, None],
            ],
            choices=[
                ["list name", "name", "label::English (en)", "city"],
                ["l", "a", "A", "Cali"],
                ["l", 7, "Seven", None],
            ],
            settings=[["form_title", "default_language", "style"], ["Visit", "English (en)", "pages"]],
        )
        assert check(content) == []
        assert [one.name for one in content.items] == ["who", "what", "more"]
        assert [choice.value for choice in content.choice_lists["l"]] == ["a", "7"]
        assert content.choice_lists["l"][0].properties == {"city": "Cali"}
        assert content.items[0].labels == {"en": "Who?", "es": "¿Quién?"}
        assert content.languages == ("en", "es")
        assert report == [
            ("settings", 2, "style", "settings-ignored"),
            ("survey", 2, "type", "type-unsupported"),
            ("survey", 5, "appearance", "appearance-ignored"),
        ]

    def test_photo_limits_are_parameters(self) -> None:
        content, report = read(
            [
                ["type", "name", "label", "parameters"],
                ["image", "p", "Photo", "max-count=5 max-bytes=2000000 max-pixels=1024 quality=low"],
                ["range", "q", "Range", "start=1 end=9"],
                ["text", "r", "Text", "nonsense"],
            ]
        )
        first, second, _ = content.to_json()["items"]
        assert (first["max_count"], first["max_bytes"], first["max_pixels"]) == (5, 2_000_000, 1_024)
        assert (second["min"], second["max"]) == (1, 9)
        assert report == [
            ("survey", 2, "parameters", "parameter-ignored"),
            ("survey", 4, "parameters", "parameter-ignored"),
        ]

    def test_every_doubt_is_told_by_row(self) -> None:
        content, report = read(
            [
                ["type", "name", "label", "image::es", "default", "appearance", "label::Klingon"],
                ["geoshape", "a", "A", None, None, None, None],
                ["text", "b.c", "B", "b.png", None, "w1", "tlh"],
                ["select_one nowhere or_other", "d", "D", None, None, None, None],
                ["end_repeat", None, None, None, None, None, None],
                ["begin_repeat", "e", "E", None, None, None, None],
                ["date", "f", "F", None, "today()", None, None],
                ["text", "g", "G ${b.c}", None, "it is", None, None],
                ["image", "h", "H", None, None, None, None],
            ],
            choices=[["list_name", "name", "label", "note::x"], ["l", "a b", "A", "n"], [None, "x", "X", None]],
            entities=[["a"]],
        )
        assert [one for one in report if one[0] != "survey"] == [
            ("entities", 1, "", "sheet-ignored"),
            ("choices", 2, "note::x", "attribute-ignored"),
            ("choices", 2, "", "choice-invalid"),
            ("choices", 3, "", "choice-invalid"),
        ]
        assert sorted(one[1:] for one in report if one[0] == "survey") == sorted(
            [
                (2, "type", "type-unsupported"),
                (3, "name", "name-changed"),
                (3, "image::es", "attribute-ignored"),
                (3, "appearance", "appearance-ignored"),
                (3, "label::Klingon", "attribute-ignored"),
                (4, "type", "parameter-ignored"),
                (4, "type", "choice-list-missing"),
                (5, "type", "group-unfinished"),
                (6, "type", "group-unfinished"),
            ]
        )
        document = content.to_json()["items"]
        assert document[0]["name"] == "b_c"
        repeat = document[-1]["items"]
        assert (repeat[0]["default_formula"], repeat[1]["default"]) == ("today()", "it is")

    def test_a_reference_follows_a_changed_name(self) -> None:
        content, _ = read(
            [["type", "name", "label", "relevant"], ["text", "1st", "A", None], ["text", "b", "B", "${1st} = 'x'"]]
        )
        assert [one.name for one in content.items] == ["_1st", "b"]
        assert content.items[1].relevant == "${_1st} = 'x'"

    def test_a_row_that_cannot_be_is_left_out(self) -> None:
        content, report = read(
            [["type", "name", "label", "checkop_max_count"], ["image", "p", "P", "many"], ["text", "q", "Q", None]]
        )
        assert [one.name for one in content.items] == ["q"]
        assert report == [("survey", 2, "max_count", "item-invalid")]

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b"", "file-unreadable"),
            (b"PK\x03\x04 no zip at all", "file-unreadable"),
            (book([["a"]])[:-300], "file-unreadable"),
        ],
        ids=["empty", "no-zip", "cut"],
    )
    def test_what_is_no_workbook(self, data: bytes, why: str) -> None:
        with pytest.raises(Unreadable) as useless:
            read_xlsform(data)
        assert useless.value.why == why

    def test_a_workbook_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "MAX_ROWS", 50)
        with pytest.raises(Unreadable, match="too-many-rows"):
            read([["type", "name"], *([["text", "q"]] * 50)])

    def test_a_workbook_without_a_survey(self) -> None:
        made = Workbook()
        data = io.BytesIO()
        made.save(data)
        with pytest.raises(Unreadable, match="survey-missing"):
            read_xlsform(data.getvalue())

    def test_a_bomb_is_not_unpacked(self) -> None:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr("xl/workbook.xml", b"0" * 41 * 1024 * 1024)
        with pytest.raises(Unreadable, match="file-unpacks-too-large"):
            read_xlsform(data.getvalue())

    @settings(max_examples=60)
    @given(st.data())
    def test_any_mixture_of_what_people_write_is_read(self, data: st.DataObject) -> None:
        headings = data.draw(st.lists(st.sampled_from(HEADINGS), min_size=1, unique=True))
        cells = st.none() | st.sampled_from(CELLS)
        rows = data.draw(st.lists(st.tuples(st.sampled_from(KINDS), *(cells for _ in headings)), max_size=12))
        lists = [["list_name", "name", "label", *data.draw(st.just([]) | st.just(["label::fr", "media::image::es"]))]]
        lists += [["l", value, "A", "B", "c.png"] for value in data.draw(st.lists(st.sampled_from(CELLS)))]
        chosen = {"settings": [["form_title", "default_language", "style"], data.draw(st.tuples(cells, cells, cells))]}
        file = book([["type", *headings], *map(list, rows)], choices=lists, **chosen)
        imported = read_xlsform(file)
        check(imported.content)
        assert all(remark.code in SHEET_WORDS for remark in imported.report)
        assert Content.model_validate(imported.content.to_json()).hash == imported.content.hash

    @settings(max_examples=30)
    @given(st.lists(st.lists(st.none() | st.text(WORD_LETTERS, max_size=8) | st.integers(), max_size=6), max_size=8))
    def test_any_sheet_is_read_or_refused(self, rows: list[list[Any]]) -> None:
        kinds = [["type", "name", "label", "relevant", "default", "parameters"]]
        assert read_xlsform(book(kinds + rows)).content.languages


class TestThroughTheService:
    def test_an_imported_form_is_a_draft_with_a_report(self, account: Account) -> None:
        file = base64.b64encode(written(INSPECTION)).decode()
        answer = account.do("import_xlsform", form_id=OTHER_FORM, file=file, file_name="x")
        assert (answer["hash"], answer["report"], answer["faults"]) == (INSPECTION.hash, [], [])
        assert account.ask("form", form_id=OTHER_FORM)["name"] == "Inspección"
        account.do("publish_form", form_id=OTHER_FORM)
        assert account.ask("form_version", form_id=OTHER_FORM)["hash"] == INSPECTION.hash

    def test_an_import_into_a_form_replaces_its_draft_only(self, account: Account) -> None:
        file = base64.b64encode(written(form(text("other")))).decode()
        account.do("import_xlsform", form_id=FORM, file=file)
        assert account.ask("form", form_id=FORM)["name"] == "Inspección de extintores"
        assert account.ask("form_version", form_id=FORM)["hash"] == INSPECTION.hash
        assert account.ask("form_draft", form_id=FORM)["hash"] == form(text("other")).hash

    def test_a_version_goes_out_and_comes_back(self, account: Account) -> None:
        out = account.ask("form_xlsform", form_id=FORM, version=1)
        assert out["hash"] == INSPECTION.hash
        assert read_xlsform(base64.b64decode(out["file"])).content.hash == INSPECTION.hash

    def test_refusals(self, account: Account) -> None:
        for file in ("%%%", base64.b64encode(b"nothing").decode()):
            with pytest.raises(Rejected, match="xlsform-unreadable"):
                account.do("import_xlsform", form_id=FORM, file=file)
        with pytest.raises(Rejected, match="forbidden"):
            account.do("import_xlsform", by=TECHNICIAN, form_id=FORM, file="")
        with pytest.raises(Rejected, match="form-version-unknown"):
            account.ask("form_xlsform", by=ADMIN, form_id=FORM, version=2)
        with pytest.raises(Rejected, match="form-unknown"):
            account.ask("form_xlsform", form_id=an_id(98), version=1)


def test_every_remark_has_words_in_both_languages() -> None:
    assert all(english != spanish and english.endswith(".") for english, spanish in SHEET_WORDS.values())
