"""The report: the answer, theme by theme, each sentence with where it stands; as data, and as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from contracts.research import Fact, FactCollection, Note, ReportSection, ResearchReport
from echelon import Handoffs, Outcome, RunView, agent
from echelon.model.phrasing import count
from echelon.visibility.report import as_code, default_report, in_markdown

#: Facts that no note rests on and that are in the report all the same; the others are counted.
_UNUSED = 100


@agent
def report(
    read: Handoffs[FactCollection],
    note: Handoffs[Note],
    answer: Handoffs[Note],
    question: str,
) -> Outcome[ResearchReport]:
    """Put answer, notes and facts into one report, with references."""
    made = compose(read, note, answer, question)
    said = f"{made.answering} of {count(made.documents, 'document')} answer it" if made.answered else made.answer.text
    return Outcome(output=made, summary=said)


def compose(
    read: Handoffs[FactCollection], note: Handoffs[Note], answer: Handoffs[Note], question: str
) -> ResearchReport:
    """Return answer, notes and facts as one report, with references."""
    found = read.outputs()
    facts = {fact.reference: fact for part in found for fact in part.facts}
    documents, answering = sum(part.documents for part in found), sum(part.answering for part in found)
    sections = [_section(received.task_id.partition("/")[2], received.load(), facts) for received in note]
    answers = [_cited(one, facts) for one in answer.outputs()]
    nothing = f"None of {count(documents, 'document')} says anything about it."
    return ResearchReport(
        question=question,
        answer=answers[0] if answers else Note(text=_NOT_SUMMED_UP if facts else nothing),
        answered=bool(facts),
        sections=(*sections, *_unused(facts, sections)),
        documents=documents,
        answering=answering,
        missing=(*(lost for part in found for lost in part.missing), *note.missing, *answer.missing),
    )


_NOT_SUMMED_UP = "The facts below could not be summed up."


def _section(title: str, note: Note, facts: Mapping[str, Fact]) -> ReportSection:
    used = tuple(facts[name] for name in note.references if name in facts)
    return ReportSection(title=title, text=note.text, facts=used)


def _cited(answer: Note, facts: Mapping[str, Fact]) -> Note:
    """Return an answer with those of its references that are facts: a model may name others."""
    return answer.model_copy(update={"references": tuple(name for name in answer.references if name in facts)})


def _unused(facts: Mapping[str, Fact], sections: Sequence[ReportSection]) -> list[ReportSection]:
    used = {fact.reference for section in sections for fact in section.facts}
    left = tuple(fact for name, fact in facts.items() if name not in used)
    text = f"{count(len(left), 'fact')} that no note rests on" + (
        f", the first {_UNUSED}" if len(left) > _UNUSED else ""
    )
    return [ReportSection(title="not used above", text=text, facts=left[:_UNUSED])] if left else []


def render(run: RunView) -> dict[str, str]:
    """Return the report of the run, and answer.md with what was found."""
    if run.output is None:
        return default_report(run)
    made = ResearchReport.model_validate(report_in(run.output))
    return {**default_report(run), "answer.md": in_words(made)}


def report_in(output: object) -> object:
    """Return the report in the output of a run, which says of one that publishes where that is, too."""
    delivered = cast("Mapping[str, Any]", output)
    return delivered.get("report", output)


def in_words(made: ResearchReport) -> str:
    """Return a report as Markdown; what documents say is shown as it is, and does nothing."""
    lines = [f"# {in_markdown(made.question)}", "", in_markdown(made.answer.text), ""]
    if made.answered:
        lines += [f"{made.answering} of {count(made.documents, 'document')} say something about it.", ""]
    for section in made.sections:
        lines += [
            f"## {in_markdown(section.title)}",
            "",
            in_markdown(section.text),
            "",
            *map(_quoted, section.facts),
            "",
        ]
    if made.missing:
        lines += ["## Missing", "", *(f"- {in_markdown(f'{one.task_id}: {one.reason}')}" for one in made.missing), ""]
    return "\n".join(lines)


def _quoted(fact: Fact) -> str:
    also = f", also {', '.join(map(as_code, fact.also))}" if fact.also else ""
    return f"- “{in_markdown(fact.quote)}” {as_code(fact.reference)}{also}"
