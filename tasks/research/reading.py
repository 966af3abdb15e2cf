"""Reading one document without a model, and putting together what was read."""

from collections.abc import Iterable
from pathlib import Path

from contracts.research import Document, Fact, FactCollection, Quote, Quotes
from echelon import Handoffs, Outcome, agent, integrator
from echelon.model.phrasing import count
from tasks.research.documents import Sentence, sentences
from tasks.research.words import share, terms_of, weights

#: Quotes of one document, at most.
MAX_QUOTES = 10


@agent(cpu_bound=True, timeout=60, attempts=2)
def extract(document: Document, folder: Path, question: str, max_bytes: int) -> Outcome[Quotes]:
    """Find the sentences of one document that answer the question, by the words they share with it."""
    best = ranked(sentences(folder, document, max_bytes), question)[:MAX_QUOTES]
    quotes = tuple(Quote(line=one.line, text=one.text) for one in sorted(best))
    return Outcome(output=Quotes(quotes=quotes), summary=f"{document.path}: {count(len(quotes), 'sentence')} about it")


def ranked(found: Iterable[Sentence], question: str) -> list[Sentence]:
    """Return the sentences that share words with a question, those with most of its weight first.

    They share two words with it at least; with a question of one word, that. A word weighs the more, the fewer
    sentences it stands in.
    """
    asked = terms_of(question)
    texts = [(one, terms_of(one.text)) for one in dict.fromkeys(found)]
    near = [(one, terms & asked) for one, terms in texts if len(terms & asked) >= min(2, len(asked))]
    weight = weights(asked, (terms for _, terms in texts))
    return [one for one, terms in sorted(near, key=lambda pair: (-share(pair[1], weight), pair[0].line))]


@integrator(name="collect")
def gather(read: Handoffs[Quotes]) -> Outcome[FactCollection]:
    """Put together what documents say."""
    facts: list[Fact] = []
    answering = 0
    for received in read:
        quotes, document = received.load().quotes, received.task_id.partition("/")[2]
        answering += bool(quotes)
        facts += [Fact(document=document, line=one.line, quote=one.text) for one in quotes]
    return _collection(
        FactCollection(documents=len(read), answering=answering, facts=once(facts), missing=read.missing)
    )


@gather.combine
def collect(collections: Handoffs[FactCollection]) -> Outcome[FactCollection]:
    """Put together what parts of the folder say; documents that are missing pass as they are."""
    parts = collections.outputs()
    missing = {one.task_id: one for part in parts for one in part.missing}
    missing |= {one.task_id: one for one in collections.missing}
    return _collection(
        FactCollection(
            documents=sum(part.documents for part in parts),
            answering=sum(part.answering for part in parts),
            facts=once(fact for part in parts for fact in part.facts),
            missing=tuple(missing.values()),
        )
    )


def once(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Return each fact once, in order of documents and lines; the first says where else the same stands."""
    known: dict[str, Fact] = {}
    for fact in sorted(facts, key=lambda one: (one.document, one.line)):
        same = " ".join(fact.quote.casefold().split())
        first = known.get(same)
        if first is None:
            known[same] = fact
        else:
            known[same] = first.model_copy(update={"also": (*first.also, fact.reference, *fact.also)})
    return tuple(known.values())


def _collection(made: FactCollection) -> Outcome[FactCollection]:
    said = f"{count(len(made.facts), 'fact')} from {made.answering} of {count(made.documents, 'document')}"
    return Outcome(output=made, summary=f"{said}, {len(made.missing)} missing" if made.missing else said)
