"""One pattern for unlike domains: what is asked for everywhere, and does not fit each of them (L8, R9)."""

from collections.abc import Iterator

from echelon.lint.context import INFO, WARNING, LintContext, Problem, named


def one_pattern_for_unlike_domains(context: LintContext) -> Iterator[Problem]:
    """Find one way to synchronise for domains that differ, and repairs where a wrong output is dear (L8)."""
    yield from _one_rhythm(context)
    yield from _repaired_where_dear(context)


def _one_rhythm(context: LintContext) -> Iterator[Problem]:
    asked, domains = context.wishes.sync, context.plan.domains
    if asked not in {"milestone", "phase", "interval"} or len({one.sync for one in domains}) < 2:
        return
    others = [one for one in domains if one.sync != asked]
    yield Problem(
        INFO,
        "organisation.sync",
        f"sync {asked!r} is asked for everywhere, and the domains differ: {named([one.name for one in others])} should "
        f"begin with {', '.join(sorted({repr(one.sync) for one in others}))}",
        "leave the rhythm to each domain, by its own coupling and error consequence",
    )


def _repaired_where_dear(context: LintContext) -> Iterator[Problem]:
    for one in context.plan.domains:
        if one.error_consequence != "minor" and one.strictness != "strict":
            yield Problem(
                WARNING,
                one.name,
                f"outputs of domain {one.name!r} that do not fit are repaired ({one.strictness} contracts), and "
                f"a wrong one has {one.error_consequence} consequences",
                "state contract='strict' for its agents or phases, and keep repairs for work that is easy to mend",
            )
