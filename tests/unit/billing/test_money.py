"""Money is exact: sums are sums, currencies stay apart, rounding happens in one place, and nothing is binary."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import services.billing
from services.billing.domain.money import CurrencyMismatch, Money, rounded, total
from services.billing.showing import per_cent, pesos

CENTS = st.integers(min_value=-(10**14), max_value=10**14).map(lambda n: Money.of(Decimal(n) / 100))
HOME = Path(services.billing.__path__[0])


def modules() -> list[Path]:
    return sorted(HOME.rglob("*.py"))


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(HOME)))
def test_no_binary_fraction_is_ever_made(module: Path) -> None:
    tree = ast.parse(module.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, float | complex), f"{node.value} in line {node.lineno}"
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            assert name not in ("float", "to_eng_string"), f"float in line {node.lineno}"


@pytest.mark.parametrize("wrong", [1.5, True, None, "1.005", "NaN", "Infinity", "1e16", "abc", b"1"])
def test_what_is_no_exact_amount_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": wrong})


def test_amounts_are_stored_as_text_with_two_digits() -> None:
    assert Money.of("79000").model_dump(mode="json") == {"amount": "79000.00", "currency": "COP"}
    assert Money.model_validate("79000.5") == Money.of("79000.50")


def test_currencies_do_not_mix() -> None:
    dollars = Money.of(1).model_copy(update={"currency": "USD"})
    for mix in (lambda: Money.of(1) + dollars, lambda: Money.of(1) - dollars, lambda: Money.of(1) < dollars):
        with pytest.raises(CurrencyMismatch):
            mix()
    with pytest.raises(ValidationError):
        Money.of(1, "EUR")  # type: ignore[arg-type]


@pytest.mark.parametrize(("amount", "half_up", "half_even"), [("0.125", "0.13", "0.12"), ("0.135", "0.14", "0.14")])
def test_one_function_rounds_by_the_rule_it_is_given(amount: str, half_up: str, half_even: str) -> None:
    assert rounded(Decimal(amount), "half_up") == Decimal(half_up)
    assert rounded(Decimal(amount), "half_even") == Decimal(half_even)


@settings(max_examples=200)
@given(st.lists(CENTS, max_size=20))
def test_the_order_of_a_sum_does_not_matter(amounts: list[Money]) -> None:
    assert total(amounts) == total(reversed(amounts))
    assert total(amounts) - total(amounts) == total([])
    assert total(amounts).amount == sum((m.amount for m in amounts), Decimal(0))


@given(CENTS)
def test_an_amount_survives_being_stored(money: Money) -> None:
    assert Money.model_validate_json(money.model_dump_json()) == money
    assert Money.of(0) - (Money.of(0) - money) == money


@given(CENTS, st.integers(min_value=0, max_value=10_000))
def test_a_share_is_never_off_by_more_than_half_a_cent(money: Money, basis_points: int) -> None:
    rate = Decimal(basis_points) / 10_000
    assert abs(money.share(rate, "half_up").amount - money.amount * rate) <= Decimal("0.005")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("1234567.89", "$1.234.567,89"), ("0", "$0,00"), ("-79000", "-$79.000,00"), ("999.5", "$999,50")],
)
def test_pesos_are_shown_the_colombian_way(amount: str, shown: str) -> None:
    assert pesos(Money.of(amount)) == shown


def test_rates_are_shown_as_per_cent() -> None:
    assert [per_cent(Decimal(rate)) for rate in ("0.19", "0", "0.025")] == ["19 %", "0 %", "2,5 %"]
