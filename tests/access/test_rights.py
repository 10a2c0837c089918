"""The table of rights, restated by hand and asked in every case; listings against an oracle that goes one by one."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.accounts import Account, Role
from snapproof.reference_impl.core.access import (
    EVERY_PROJECT,
    RIGHTS,
    SERVICE_RIGHTS,
    Answer,
    Operation,
    OutOfReachError,
    Question,
    Relation,
    Service,
    answer,
    covered,
    relation,
)
from snapproof.vocabulary import AccountId

READS = {Operation.LIST, Operation.READ_EVENTS, Operation.READ_USAGE}
OWNERS_ACTS = set(Operation) - {Operation.MANAGE_ACCOUNT}

# own, of a project of his, of his domain, of anybody else: a(ll), o(wner's acts), r(eads), n(othing)
EXPECTED = {
    Role.ROOT_ADMIN: "aaaa",
    Role.DOMAIN_ADMIN: "ooan",
    Role.USER: "oonn",
    Role.SUPPORT: "rrrr",
    Role.VENDOR: "onnn",
    Role.PROJECT: "nnnn",
}
LETTERS = {"a": set(Operation), "o": OWNERS_ACTS, "r": READS, "n": set()}


def account(name: str, domain: str = "/", role: Role = Role.USER, *members: str, enabled: bool = True) -> Account:
    named = tuple(AccountId(member) for member in members)
    return Account(name=AccountId(name), domain=domain, role=role, members=named, enabled=enabled)


def pair(role: Role, standing: Relation) -> tuple[Account, Account]:
    """Give a caller in this role, and an owner to whom he stands like that."""
    caller = account("caller", "/sales/", role)
    owners = {
        Relation.OWN: caller,
        Relation.PROJECT: account("quay", "/research/", Role.PROJECT, "caller"),
        Relation.DOMAIN: account("colleague", "/sales/north/"),
        Relation.ELSEWHERE: account("stranger", "/research/"),
    }
    return caller, owners[standing]


CASES = list(itertools.product(Role, Relation, Operation))


@pytest.mark.parametrize("role", Role)
def test_each_kind_of_user_may_do_what_the_table_says_and_is_told_no_more(role: Role) -> None:
    for standing, operation in itertools.product(Relation, Operation):
        caller, owner = pair(role, standing)
        assert relation(caller, owner) is standing
        rights = LETTERS[EXPECTED[role][list(Relation).index(standing)]]
        seen = Answer.DENIED if Operation.LIST in rights else Answer.UNKNOWN
        wanted = Answer.ALLOWED if operation in rights else seen
        assert answer(caller, operation, owner) is wanted, (role, standing, operation)


def test_the_tables_answer_for_every_role_and_relation() -> None:
    assert set(RIGHTS) == set(SERVICE_RIGHTS) == set(Role)
    assert all(set(by_relation) == set(Relation) for by_relation in RIGHTS.values())
    assert SERVICE_RIGHTS[Role.ROOT_ADMIN] == set(Service)
    assert not SERVICE_RIGHTS[Role.USER]
    changers = [role for role, rights in SERVICE_RIGHTS.items() if Service.CHANGE_CONFIGURATION in rights]
    assert changers == [Role.ROOT_ADMIN]


@pytest.mark.parametrize(("role", "standing", "operation"), CASES)
def test_a_disabled_caller_learns_nothing(role: Role, standing: Relation, operation: Operation) -> None:
    caller, owner = pair(role, standing)
    disabled = account(caller.name, caller.domain, role, enabled=False)
    assert answer(disabled, operation, owner) is Answer.UNKNOWN


@pytest.mark.parametrize("operation", Operation)
def test_what_a_suspended_project_owns_is_gone_for_its_members_only(operation: Operation) -> None:
    project = account("quay", "/research/", Role.PROJECT, "caller", "head", enabled=False)
    assert answer(account("caller", "/research/"), operation, project) is Answer.UNKNOWN
    assert answer(account("head", "/research/", Role.DOMAIN_ADMIN), operation, project) is Answer.ALLOWED
    assert answer(account("head", "/sales/", Role.DOMAIN_ADMIN), operation, project) is Answer.UNKNOWN
    assert answer(account("root", "/", Role.ROOT_ADMIN), operation, project) is Answer.ALLOWED


@pytest.mark.parametrize("operation", Operation)
def test_membership_takes_nothing_from_who_looks_after_the_domain(operation: Operation) -> None:
    head = account("head", "/research/", Role.DOMAIN_ADMIN)
    project = account("quay", "/research/", Role.PROJECT, "head")
    assert answer(head, operation, project) is Answer.ALLOWED
    assert (answer(account("head", "/sales/", Role.DOMAIN_ADMIN), operation, project) is Answer.ALLOWED) == (
        operation in OWNERS_ACTS
    )


WORLD = (
    account("root", "/", Role.ROOT_ADMIN),
    account("desk", "/", Role.SUPPORT),
    account("maker", "/", Role.VENDOR),
    account("anna", "/"),
    account("sam", "/sales/", Role.DOMAIN_ADMIN),
    account("sue", "/sales/"),
    account("nora", "/sales/north/", Role.DOMAIN_ADMIN),
    account("nick", "/sales/north/"),
    account("rita", "/research/", Role.DOMAIN_ADMIN),
    account("ray", "/research/"),
    account("quay", "/research/", Role.PROJECT, "sue", "nick"),
    account("pier", "/sales/", Role.PROJECT, "ray"),
    account("asleep", "/research/", Role.PROJECT, "sue", enabled=False),
)
CALLERS = [each for each in WORLD if each.role is not Role.PROJECT]
DOMAINS = (None, "/", "/sales/", "/sales/north/", "/research/", "/nowhere/")
MAY_NAME_DOMAINS = {
    "root": {"/", "/sales/", "/sales/north/", "/research/"},
    "desk": {"/", "/sales/", "/sales/north/", "/research/"},
    "maker": {"/"},
    "anna": {"/"},
    "sam": {"/sales/", "/sales/north/"},
    "sue": {"/sales/"},
    "nora": {"/sales/north/"},
    "nick": {"/sales/north/"},
    "rita": {"/research/"},
    "ray": {"/research/"},
}
SEES = {
    "root": "root desk maker anna sam sue nora nick rita ray",
    "desk": "root desk maker anna sam sue nora nick rita ray",
    "maker": "maker",
    "anna": "anna",
    "sam": "sam sue nora nick",
    "sue": "sue",
    "nora": "nora nick",
    "nick": "nick",
    "rita": "rita ray",
    "ray": "ray",
}
"""People and, from the head of the table of CloudStack's own tests, whose things each of them may ever be shown."""


@pytest.mark.parametrize(
    "caller", [each for each in WORLD if each.role is not Role.PROJECT], ids=lambda each: each.name
)
def test_a_listing_covers_what_its_flags_say_in_every_combination(caller: Account) -> None:
    named = [None, *(each.name for each in WORLD), AccountId("nobody")]
    for domain, recursive, everything, whose in itertools.product(DOMAINS, (False, True), (False, True), named):
        question = Question(account=whose, domain=domain, recursive=recursive, everything=everything)
        wanted = oracle(caller, question)
        if wanted is None:
            with pytest.raises(OutOfReachError):
                covered(caller, question, WORLD)
        else:
            assert covered(caller, question, WORLD) == wanted, question


def oracle(caller: Account, question: Question) -> set[str] | None:
    """Say which accounts are covered, None for a refusal: each account by itself, from the lists above."""
    people: dict[str, Account] = {each.name: each for each in WORLD if each.role is not Role.PROJECT}
    seen = set(SEES[caller.name].split())
    if question.domain is not None and question.domain not in MAY_NAME_DOMAINS[caller.name]:
        return None
    if question.account is not None:
        home = caller.domain if question.domain is None else question.domain
        mine = question.account in seen and people[question.account].domain == home
        return {question.account} if mine else None
    if question.domain is None:
        return seen if question.everything else {caller.name}
    below = {name for name in seen if people[name].domain.startswith(question.domain)}
    return below if question.recursive else {name for name in below if people[name].domain == question.domain}


@pytest.mark.parametrize(
    ("name", "project", "wanted"),
    [
        ("sue", EVERY_PROJECT, {"quay"}),
        ("sue", "quay", {"quay"}),
        ("sue", "asleep", None),
        ("sue", "pier", None),
        ("nick", EVERY_PROJECT, {"quay"}),
        ("ray", EVERY_PROJECT, {"pier"}),
        ("sam", EVERY_PROJECT, {"pier"}),
        ("rita", EVERY_PROJECT, {"quay", "asleep"}),
        ("root", EVERY_PROJECT, {"quay", "pier", "asleep"}),
        ("maker", EVERY_PROJECT, set()),
        ("root", "sue", None),
        ("anna", "quay", None),
    ],
)
def test_what_projects_own_is_shown_where_a_project_is_asked_for(
    name: str, project: str, wanted: set[str] | None
) -> None:
    caller = next(each for each in WORLD if each.name == name)
    question = Question(project=AccountId(project))
    if wanted is None:
        with pytest.raises(OutOfReachError, match="There is no project"):
            covered(caller, question, WORLD)
    else:
        assert covered(caller, question, WORLD) == wanted


QUESTIONS = st.builds(
    Question,
    domain=st.sampled_from(DOMAINS),
    recursive=st.booleans(),
    everything=st.booleans(),
    project=st.sampled_from([None, EVERY_PROJECT]),
)


@given(st.sampled_from(WORLD), QUESTIONS)
def test_no_listing_covers_what_its_caller_may_not_list(caller: Account, question: Question) -> None:
    try:
        shown = covered(caller, question, WORLD)
    except OutOfReachError:
        return
    owners = {each.name: each for each in WORLD}
    assert all(answer(caller, Operation.LIST, owners[name]) is Answer.ALLOWED for name in shown)


def test_an_account_and_a_project_are_not_asked_for_together() -> None:
    (caller, *_) = WORLD
    with pytest.raises(OutOfReachError, match="cannot be asked for together"):
        covered(caller, Question(account=caller.name, project=EVERY_PROJECT), WORLD)
