"""The expression language beyond its page: sets, emptiness, limits, and that nothing anybody writes breaks it."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.forms.expressions import ExpressionError, Value, When, compiled
from services.forms.expressions.functions import FUNCTIONS
from services.forms.expressions.values import to_text

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class Answers:
    """A scope of given answers."""

    def __init__(self, zone: str = "America/Bogota", **answers: Value) -> None:
        self.when = When.of(AT, ZoneInfo(zone))
        self._answers = answers

    def field(self, name: str) -> Value:
        return self._answers.get(name, "")

    def current(self) -> Value:
        return self._answers.get("current", "")

    def column(self, name: str) -> Value:
        return self._answers.get(name, "")

    def position(self) -> int:
        return 1


def value(text: str, **answers: Value) -> Any:
    return compiled(text).value(Answers(**answers))


def fault(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as refused:
        compiled(text)
    return refused.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'' = 0", False),
        ("'' < 1", False),
        ("'' = ''", True),
        ("17 = '17.0000'", True),
        ("'017.' = '17.000'", False),
        ("'abc' < 'abcd'", False),
        ("'-17' > '-172'", True),
        ("3 < 4 < 5", True),
        ("true() or true() and false()", True),
        ("(true() or true()) and false()", False),
        ("true() = 17", True),
        ("0 = false()", True),
        ("number('NaN') != number('NaN')", True),
        ("number('1_000') = 1000", False),
        ("boolean('false')", True),
        ("not('')", True),
        ("date('2004-05-01') = date('2004-05-01')", True),
        ("date('1983-09-31') = ''", True),
        ("date(6.5) = date('1970-01-07')", True),
        ("selected('apple baby', '  baby ')", True),
        ("selected('apple', 'app')", False),
        ("starts-with('', 'a')", False),
        ("regex('abc', 'b')", False),
        ("position(..) = 1", True),
    ],
)
def test_truth(text: str, expected: bool) -> None:
    assert compiled(text).holds(Answers()) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 div 0", "Infinity"),
        ("-1 div 0", "-Infinity"),
        ("0 div 0", "NaN"),
        ("5 mod 0", "NaN"),
        ("5 mod -3", "2"),
        ("2 * 3 div 8 * 2", "1.5"),
        ("string(123456.0)", "123456"),
        ("round('12345.12345', -1)", "12350"),
        ("round('-12345.15', 1)", "-12345.1"),
        ("round(1 div 0)", "Infinity"),
        ("pow(10, 400)", "NaN"),
        ("sum('')", "0"),
        ("min('')", "NaN"),
        ("max('x', 1)", "NaN"),
        ("sum(1 div 0, 1)", "Infinity"),
        ("substr('hello', 0, -1)", "hell"),
        ("substr('hello', 'x')", ""),
        ("selected-at('a b', 7)", ""),
        ("substring-before('a', '-')", ""),
        ("substring-after('a', '-')", ""),
        ("translate('hello world', 'hello', '')", " wrd"),
        ("format-date('nonsense', '%Y')", ""),
        ("format-date('2026-01-02T10:20:30.123', '%y-%n-%e %h:%M:%S.%3 %a %b %q%')", "26-1-2 10:20:30.123 Fri Jan q%"),
        ("date(1 div 0)", ""),
        ("date(99999999)", ""),
        ("date(true())", ""),
        ("distance('4.65 -74.06', 'somewhere')", "NaN"),
        ("distance('4.65 -74.06; 4.65 -74.06')", "0"),
        ("count('x')", "1"),
        ("count('')", "0"),
        ("coalesce('', '')", ""),
        ("-'19'", "-19"),
        ("0.00000000012", "0.00000000012"),
        ("0.00000000000000000123", "0.00000000000000000123"),
        ("1230000000000000000000", "1230000000000000000000"),
    ],
)
def test_values(text: str, expected: str) -> None:
    assert to_text(value(text)) == expected


def test_sets_compare_by_any_member_and_stand_for_their_first() -> None:
    prices = {"price": (3.0, 9.0)}
    assert value("${price} = 9", **prices)
    assert value("${price} != 9", **prices)
    assert not value("${price} > 9", **prices)
    assert value("${price} + 1", **prices) == 4
    assert value("count(${price})", price=()) == 0
    assert to_text(value("string(${price})", price=())) == ""


def test_times_compare_as_parts_of_the_day() -> None:
    assert value("${start} < '17:30'", start=time(8, 0))
    assert not value("'17:30' < ${start}", start=time(8, 0))
    assert to_text(value("${start} * 24", start=time(6, 0))) == "6"
    assert to_text(time(6, 0, 5)) == "06:00:05"


def test_today_is_the_day_of_whoever_answered() -> None:
    assert value("today()") == date(2026, 11, 22)
    assert compiled("today()").value(Answers("Europe/Madrid")) == date(2026, 11, 23)


def test_a_moment_and_a_day_compare_by_the_wall_clock() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=ZoneInfo("America/Bogota"))
    assert value("${at} < '2026-11-23'", at=late)
    assert value("${at} >= date('2026-11-22')", at=late)
    assert value("${at} = '2026-11-23T04:30:00Z'", at=late)


def test_what_an_expression_reads_is_known() -> None:
    read = compiled("if(. > ${a}, ${b}, position(..)) + sum(${a})")
    assert read.names == {"a", "b"}
    assert read.fields[0] == ("a", 7)
    assert read.reads_current == 3
    assert read.reads_position is not None
    assert compiled("city = ${x}").columns == (("city", 0),)


def test_operators_are_told_from_names_that_begin_like_them() -> None:
    assert value("a = 'x' and andes = 'y'", a="x", andes="y") is True
    assert value("(1)and(1)") is True
    assert value("modus", modus="m") == "m"


def test_faults_say_line_and_column() -> None:
    found = fault("1 +\n  foo(2)")
    assert (found.code, found.line, found.column) == ("function-unknown", 2, 3)
    assert found.to_facts() == {"offset": 6, "line": 2, "column": 3, "function": "foo"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1" + "+1" * 6_000, "expression-too-long"),
        ("-" * 100 + "1", "expression-too-deep"),
        ("not(" * 100 + "1" + ")" * 100, "expression-too-deep"),
        ("if(1)", "arguments-wrong"),
        ("once()", "arguments-wrong"),
        ("regex('a')", "arguments-wrong"),
        ("position(1)", "arguments-wrong"),
        ("..", "expression-syntax"),
        ("1 2", "expression-syntax"),
        ("regex('a', '" + "a" * 1_001 + "')", "pattern-refused"),
        ("regex('a', '(?=a)')", "pattern-refused"),
    ],
)
def test_refusals(text: str, code: str) -> None:
    assert fault(text).code == code


def test_long_lists_of_alternatives_are_not_deep() -> None:
    text = " or ".join(f"${{x}} = 'v{n}'" for n in range(300))
    assert value(text, x="v299") is True


def test_a_pattern_made_to_hang_answers_at_once() -> None:
    assert value(f"regex('{'a' * 5_000}!', '(a+)+')") is False


@given(st.text(alphabet="${}ab.,'\"()+-*/<>=! 01divmodnotif\n", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expression = compiled(text)
    except ExpressionError as refused:
        assert_within(refused, text)
    else:
        to_text(expression.value(Answers(a="1", b=(2.0, ""))))


def assert_within(refused: ExpressionError, text: str) -> None:
    assert 0 <= refused.offset <= len(text)


_VALUES = st.one_of(
    st.text(max_size=12),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.just(ZoneInfo("America/Bogota"))),
    st.sampled_from(["", "1", "-3.5", "a b", "2026-01-31", "4.6 -74.1", "08:30", "9" * 400]),
)
_ANSWERS = st.one_of(_VALUES, st.lists(_VALUES, max_size=3).map(tuple))
_CALLS = [(name, count) for name, function in FUNCTIONS.items() for count in range(4) if function.takes(count)]


@given(st.sampled_from(_CALLS), _ANSWERS, _ANSWERS, _ANSWERS)
def test_no_answer_breaks_a_function(call: tuple[str, int], a: Value, b: Value, c: Value) -> None:
    name, count = call
    text = f"{name}({', '.join(('${a}', '${b}', '${c}')[:count])})"
    to_text(value(text, a=a, b=b, c=c))


@given(st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div", "mod", "and", "or"]), _ANSWERS, _ANSWERS)
def test_no_answer_breaks_an_operator(operator: str, a: Value, b: Value) -> None:
    result = value(f"${{a}} {operator} ${{b}}", a=a, b=b)
    assert isinstance(result, bool | float)
    assert isinstance(result, bool) or not math.isnan(result) or to_text(result) == "NaN"
