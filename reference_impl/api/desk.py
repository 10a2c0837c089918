"""One request at the desk: who asks, what he may, the driver as he may use it, and the id of the job that it may begin.

What each command does with that is in the files of the nouns.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from snapproof.accounts import Account
from snapproof.driver import DriverUnderTest, InvalidRequestError, NotFoundError
from snapproof.reference_impl.api.accepting import ServedDriver
from snapproof.reference_impl.api.keys import Keys
from snapproof.reference_impl.api.shapes import shaped_all
from snapproof.reference_impl.catalog.queries import Page
from snapproof.reference_impl.catalog.queries.ownership import User
from snapproof.reference_impl.core.access import Operation, Question
from snapproof.reference_impl.core.names import id_of
from snapproof.reference_impl.rights import Rights, Thing, no_such
from snapproof.vocabulary import AccountId, OperationId

Given = Mapping[str, Any]
Body = Mapping[str, Any]
PAGE_MAX = 500
ID_FILTERS = ("id", "ids")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a command needs. `life` may everything and is asked only for what rights have been checked for."""

    life: ServedDriver
    rights: Rights
    user: User
    keys: Keys
    new_uuid: Callable[[], str]

    @cached_property
    def job(self) -> OperationId:
        """The id of the job that this request begins, if it begins one."""
        return OperationId(self.new_uuid())

    @cached_property
    def driver(self) -> DriverUnderTest:
        """The driver as the caller may use it; its verbs open jobs."""
        return self.life.on_behalf_of(self.user.account)

    def finish(self, job: OperationId) -> None:
        """Wait for the end of the job that this request has begun. Raises DriverError as the job ended."""
        self.life.end(job)

    def owner(self, given: Given) -> AccountId:
        """For whom something is to be made: the caller, a project of his, or an account that he looks after."""
        if "projectid" in given:
            return self.project(given["projectid"])
        if "account" not in given:
            return self.user.account
        name = AccountId(given["account"])
        self.rights.require(Operation.CREATE_VOLUME, Thing.ACCOUNT, name)
        if name != self.user.account and all(row.name != name for row in self.accounts()):
            raise NotFoundError(no_such(Thing.ACCOUNT, name))
        return name

    def project(self, project: str) -> AccountId:
        """The account of a project that the caller may see. Raises NotFoundError."""
        found = [name for name in self.rights.visible() if id_of("project", name) == project]
        if not found:
            raise NotFoundError(f"There is no project {project}.")
        return found[0]

    def domain(self, given: Given) -> str | None:
        """The path of the domain that is named. Raises NotFoundError."""
        if "domainid" not in given:
            return None
        paths = {part for row in self.accounts() for part in _above(row.domain)}
        found = [path for path in paths if id_of("domain", path) == given["domainid"]]
        if not found:
            raise NotFoundError(f"There is no domain {given['domainid']}.")
        return found[0]

    def accounts(self) -> Sequence[Account]:
        """Every account, whoever may see it."""
        return self.life.list_accounts()

    def covered(self, given: Given) -> Collection[AccountId] | None:
        """Whose things a listing shows; None is everybody's. One thing is looked for among all that may be seen."""
        if any(name in given for name in ID_FILTERS) and not {"account", "domainid", "projectid"} & given.keys():
            return self.rights.visible()
        project = given.get("projectid")
        question = Question(
            account=given.get("account"),
            domain=self.domain(given),
            project=AccountId(project) if project == "-1" else None if project is None else self.project(project),
            recursive=given.get("isrecursive", False),
            everything=given.get("listall", False),
        )
        return self.rights.covered(question)

    def listed(self, noun: str, given: Given, *names: str) -> Body:
        """A page of things, picked by these parameters. An id that names nothing is told to be wrong."""
        exactly: dict[str, Any] = {name: given[name] for name in names if name in given}
        if "ids" in given:
            exactly["id"] = list(given["ids"])
        total, rows = self.life.page(
            noun,
            owners=self.covered(given),
            exactly=exactly,
            keyword=given.get("keyword"),
            tags=given.get("tags"),
            page=page_of(given),
        )
        if "id" in given and not total:
            raise NotFoundError(f"There is no {_WORDS.get(noun, noun)} {given['id']}.")
        return {"count": total, noun: shaped_all(noun, rows)} if total else {}


_WORDS = {"snapshotpolicy": "snapshot policy"}


def _above(path: str) -> Sequence[str]:
    """A domain and all those above it."""
    parts = path.strip("/").split("/") if path != "/" else []
    return ["/", *(f"/{'/'.join(parts[: end + 1])}/" for end in range(len(parts)))]


def page_of(given: Given) -> Page:
    """Which page is wanted. Raises InvalidRequestError."""
    if ("page" in given) != ("pagesize" in given):
        raise InvalidRequestError("Parameters page and pagesize are given together, or neither is.")
    most = given.get("pagesize", PAGE_MAX)
    return Page(skip=(given.get("page", 1) - 1) * most, most=most)
