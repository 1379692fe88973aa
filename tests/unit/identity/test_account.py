"""An account keeps at least one owner and never locks out whoever sets its policies."""

from __future__ import annotations

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from pydantic import ValidationError

from services.identity.domain.account import (
    AccountPoliciesSet,
    AccountRenamed,
    AddOwner,
    OwnerAdded,
    OwnerRemoved,
    RegisterAccount,
    RemoveOwner,
    RenameAccount,
    SetPolicies,
    account,
)
from services.kernel.domain import ERASED
from services.kernel.testing.given import given
from tests.examples.identity import ANA, ANDES, LUZ, SARA, TEO, ask, carry_out, registered

register = ask(
    RegisterAccount,
    account_id=ANDES,
    owner_id=ANA,
    name="Andes Service S.A.S.",
    tax_id="900.123.456-7",
)


def test_a_company_registers_once() -> None:
    given(account).when(register).then(registered)
    given(account).when(register).then_repeating_adds_nothing()


def test_an_id_in_use_is_refused_to_somebody_else() -> None:
    other = register.model_copy(update={"owner_id": LUZ})
    given(account, registered).when(other).then_rejected("account-exists")


def test_it_is_renamed() -> None:
    rename = ask(RenameAccount, account_id=ANDES, name="Andes")
    given(account, registered).when(rename).then(AccountRenamed(account_id=ANDES, name="Andes"))
    given(account, registered).when(rename).then_repeating_adds_nothing()
    given(account).when(rename).then_rejected("account-unknown")


def test_policies_replace_one_another() -> None:
    wanted = ask(
        SetPolicies,
        account_id=ANDES,
        password_max_age_days=90,
        inactivity_minutes=30,
        required_mfa_roles=("owner", "admin"),
        ip_allow_list=("10.1.2.3/24", "2001:db8::/32"),
        caller_ip="10.1.2.200",
    )
    fact = AccountPoliciesSet(
        account_id=ANDES,
        password_max_age_days=90,
        inactivity_minutes=30,
        required_mfa_roles=("admin", "owner"),
        ip_allow_list=("10.1.2.0/24", "2001:db8::/32"),
    )
    story = given(account, registered).when(wanted).then(fact)
    story.when(wanted).then_nothing()
    none = ask(SetPolicies, account_id=ANDES)
    after = story.when(none).then_repeating_adds_nothing()
    assert after.state.policies.ip_allow_list == ()


@pytest.mark.parametrize("ip", ["10.1.3.1", None, "nonsense"])
def test_nobody_shuts_the_own_network_out(ip: str | None) -> None:
    wanted = ask(SetPolicies, account_id=ANDES, ip_allow_list=("10.1.2.0/24",), caller_ip=ip)
    given(account, registered).when(wanted).then_rejected("ip-list-excludes-you")


def test_an_address_written_as_mapped_ipv6_is_the_same_address() -> None:
    wanted = ask(SetPolicies, account_id=ANDES, ip_allow_list=("10.1.2.0/24",), caller_ip="::ffff:10.1.2.9")
    given(account, registered).when(wanted).then_repeating_adds_nothing()


@pytest.mark.parametrize("network", ["10.1.2.0/33", "andes.co", "", "10.0.0.0/8; drop"])
def test_a_network_must_be_one(network: str) -> None:
    with pytest.raises(ValidationError):
        ask(SetPolicies, account_id=ANDES, ip_allow_list=(network,), caller_ip="10.1.2.9")


@pytest.mark.parametrize("zone", ["Mars/Base", "../etc/passwd", "America"])
def test_a_time_zone_must_be_one(zone: str) -> None:
    with pytest.raises(ValidationError):
        ask(RegisterAccount, account_id=ANDES, owner_id=ANA, name="Andes", time_zone=zone)


def test_owners_come_and_go_but_for_the_last() -> None:
    add = ask(AddOwner, account_id=ANDES, user_id=LUZ)
    remove = ask(RemoveOwner, account_id=ANDES, user_id=ANA)
    given(account, registered).when(add).then_repeating_adds_nothing()
    given(account, registered).when(remove).then_rejected("last-owner")
    two = given(account, registered).when(add).then(OwnerAdded(account_id=ANDES, user_id=LUZ))
    one = two.when(remove).then(OwnerRemoved(account_id=ANDES, user_id=ANA))
    one.when(remove).then_nothing()
    one.when(ask(RemoveOwner, account_id=ANDES, user_id=LUZ)).then_rejected("last-owner")


@forall(st.lists(st.tuples(st.sampled_from([AddOwner, RemoveOwner]), st.sampled_from([ANA, LUZ, TEO, SARA]))))
def test_whatever_happens_somebody_owns_the_account(requests: list[tuple[type[AddOwner], str]]) -> None:
    state = account.replay([registered])
    for command, user_id in requests:
        state, refused = carry_out(account, ask(command, account_id=ANDES, user_id=user_id), state)
        assert refused is None or refused.code == "last-owner"
        assert state.owners


def test_an_erased_account_can_still_be_folded() -> None:
    erased = registered.model_copy(update={"name": ERASED, "tax_id": ERASED})
    policies = AccountPoliciesSet(
        account_id=ANDES,
        password_max_age_days=None,
        inactivity_minutes=None,
        required_mfa_roles=(),
        ip_allow_list=ERASED,
    )
    state = account.replay([erased, policies])
    assert state.name is ERASED
    assert state.policies.ip_allow_list == ()
