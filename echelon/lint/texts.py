"""Texts that say HOW instead of WHAT: libraries, selectors, file names, algorithms, recipes (L6, D7).

Words are matched where they dictate, not where they are the subject: `use pandas to read it` is a method, `find the
modules that use pandas` is a goal. In doubt a text is left alone, since false alarms teach people to look away.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from echelon.lint.context import WARNING, LintContext, Problem
from echelon.model.phrasing import count, one_line, truncate

QUOTED = 80  # characters of a text that are shown

#: Libraries whose names mean nothing else.
_LIBRARIES = """
aiohttp angularjs axios beautifulsoup4? beautiful[ ]soup bs4 cheerio crewai django dplyr fastapi ggplot2? haystack httpx
jquery keras langchain langgraph lightgbm llama[-_ ]?index lxml matplotlib nltk numpy opencv openpyxl pandas playwright
plotly pydantic[-_ ]ai pyspark pytest pytorch react\\.?js rxjs scikit[- ]learn scipy scrapy seaborn selenium sklearn
sqlalchemy tailwind tensorflow vue\\.?js xgboost
"""
#: Libraries that are also ordinary words: as a name with a capital, or beside a word that says what they are.
_CAPITALS = "Angular Bootstrap Celery Flask Puppeteer React Redux Vue"
_AMBIGUOUS = "angular black bootstrap celery click express flask puppeteer react redux requests rich spring svelte vue"
_ALGORITHMS = """
a\\*[ ]search bfs binary[ ]search bloom[ ]filters? bm25 breadth[- ]first bubble[ ]?sort cosine[ ]similarity dfs
depth[- ]first dijkstra dynamic[ ]programming genetic[ ]algorithms? gradient[ ]boosting hash[ ]?maps? heap[ ]?sort
k-?means levenshtein linked[ ]lists? logistic[ ]regression memoi[sz]ation merge[ ]?sort monte[- ]carlo quick[ ]?sort
radix[ ]sort random[ ]forests? regex(?:es)? regular[ ]expressions? simulated[ ]annealing tf-?idf topological[ ]sort
"""
_EXTENSIONS = "c cpp css csv go html? java js json jsx md py pyi rs sh sql toml ts tsx txt xlsx xml ya?ml"
#: What somebody does in a recipe.
_STEPS = """
add append call click copy create download enter extract fetch go[ ]to import install invoke iterate load log[ ]in loop
navigate open parse paste press read run save scroll select send sort split store type use write
"""
#: Before `use` and `using` these make what follows the subject, or forbid it.
_NO_MEANS = """
not never how[ ]to for about of on without stop avoid that which who still we they modules code files functions services
projects places
"""


def _any(words: str) -> str:
    # A blank inside a word is written as [ ].
    return "(?:" + "|".join(re.split(r"\s+(?![\]])", words.strip())) + ")"


_BEFORE = "".join(f"(?<!{word.replace('[ ]', ' ')} )" for word in re.split(r"\s+(?![\]])", _NO_MEANS.strip()))
#: Words that make what follows the means.
_MEANS = (
    rf"{_BEFORE}\b(?:use|using|apply|applying|via|by means of|with the help of|"
    r"(?:implement|build|write) \w+ (?:in|with|on))"
    r"\s+(?:(?:only|an?|the|plain|simple)\s+)*"
)
_CALLED = rf"{_any(_AMBIGUOUS)}[ ](?:library|framework|package|module)"
_LIBRARY = rf"(?:{_any(_LIBRARIES)}|(?-i:{_any(_CAPITALS)})|{_CALLED})(?![\w-])"
_FILE = rf"[`'\"]?[\w~][\w./\\-]*\.{_any(_EXTENSIONS)}\b"
_ELEMENT = _any("div span li ul ol tr td table nav section button input form")
_DEEPER = r"(?:\s*[>+~]\s*[a-z.#*][\w.#*-]*)"  # a selector goes on with what is inside of it, or beside it
#: What may stand between a means and another one in the same sentence; the points of file names end none.
_SO_FAR = r"(?:[^.;!?\n]|\.(?=\S)){0,100}?"
#: What is done by an algorithm, when one is named with it; looking for things that have one is no method.
_DONE = _any("sort order rank search group cluster classify match solve compute calculate schedule traverse hash")


class Dictate(NamedTuple):
    """A way to dictate a method."""

    what: str
    """What is dictated."""
    pattern: re.Pattern[str]
    """How it reads."""
    times: int = 1
    """How often it must be there."""
    may_be_subject: bool = False
    """Is it harmless where somebody looks for it, replaces it or explains it?"""


def _reads(*ways: str) -> re.Pattern[str]:
    return re.compile("|".join(ways), re.IGNORECASE)


DICTATES: tuple[Dictate, ...] = (
    Dictate("a library", _reads(_MEANS + _LIBRARY, rf"{_BEFORE}\bimport(?:ing)? {_LIBRARY}"), may_be_subject=True),
    Dictate("a library", _reads(rf"\b(?:parse|scrape|read|plot|load)\b{_SO_FAR} (?:with|using) {_LIBRARY}")),
    Dictate("an algorithm", _reads(rf"{_MEANS}{_any(_ALGORITHMS)}(?!\w)")),
    Dictate(
        "an algorithm",
        _reads(
            rf"\b{_DONE}\b{_SO_FAR} (?:with|by) (?:an? |the )?{_any(_ALGORITHMS)}(?!\w)",
            rf"{_MEANS}{_LIBRARY}{_SO_FAR}(?:,|\b(?:and|with|by)) (?P<further>{_any(_ALGORITHMS)})(?!\w)",
        ),
        may_be_subject=True,
    ),
    Dictate(
        "a selector",
        _reads(
            rf"(?:^|[\s\"'`(])(?://[a-z*]+\[[^\]\n]*\]?|"
            rf"{_ELEMENT}[.#](?!{_any(_EXTENSIONS)}\b)[a-z][\w-]*{_DEEPER}*|[.#][a-z][\w-]*{_DEEPER}+)",
            rf"\b(?:with|by|via|at|using|use) (?:an? |the |its )?(?:css )?selectors?:? [`'\"]?"
            rf"(?P<further>(?:{_ELEMENT})?[.#\[][a-z][\w-]*{_DEEPER}*)",
            r":nth-(?:child|of-type)\(",
            r"\[data-[\w-]+=",
            r"\bquerySelector|\bgetElementBy|\bby (?:its |the )?(?:xpath|css selector)\b",
        ),
    ),
    Dictate(
        "a file name",
        _reads(
            rf"\b(?:write|export|dump|move)\b[^.;\n]{{0,60}}?\b(?:into|to|as|named|called|file)\s+{_FILE}",
            rf"\b(?:put|store|place|save)\b[^.;\n]{{0,60}}?\b(?:in|into|to|as|at|named|called|file)\s+{_FILE}",
            rf"\bcreate (?:an? |the )?(?:new )?(?:\w+ )?(?:(?:named|called) )?{_FILE}",
        ),
    ),
    Dictate(
        "a file name",
        _reads(
            rf"{_MEANS}{_LIBRARY}{_SO_FAR}\s(?P<further>{_FILE})",
            rf"\b(?:parse|load|read|plot)\s+(?P<file>{_FILE})\s(?:with|using) {_LIBRARY}",
        ),
        may_be_subject=True,
    ),
    Dictate("the steps", _reads(rf"(?:^|[\s;:.(])(?:step\s*)?\d{{1,2}}\s*[.):]\s+{_any(_STEPS)}\b"), times=3),
    Dictate("the steps", _reads(rf"\b(?:first|then|next|after that|finally),? {_any(_STEPS)}\b"), times=3),
)

#: Beginnings of goals that are about what they name: looking for it, replacing it, explaining it.
_SUBJECT = re.compile(
    r"\W*(?:find|list|identify|detect|count|locate|inventory|search|show|name|explain|describe|document|teach|learn|"
    r"migrate|replace|upgrade|update|port|convert|remove|delete|drop|review|audit|assess|investigate|report|tell|say)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.;!?])\s+|\n+")


def dictated(text: str) -> tuple[tuple[str, str], ...]:
    """Return what a text dictates about the method, with the words that do so; empty when it says what is wanted."""
    if " " not in text.strip():  # an id
        return ()
    wanted = "\n".join(part for part in _SENTENCE.split(text) if not _SUBJECT.match(part))
    found: dict[str, str] = {}
    for dictate in DICTATES:
        judged = wanted if dictate.may_be_subject else text
        # A group is what is dictated itself, where the pattern had to read what stands before it.
        matches = [match[match.lastgroup or 0] for match in dictate.pattern.finditer(judged)]
        if len(matches) >= dictate.times:
            found.setdefault(dictate.what, " … ".join(one_line(words) for words in matches[: dictate.times]))
    return tuple(found.items())


def over_specification(context: LintContext) -> Iterator[Problem]:
    """Find goals and constraints that say how the work is to be done; tasks with the same goal are one finding (L6)."""
    places: dict[str, list[str]] = defaultdict(list)
    places[context.graph.goal].append(context.graph.name)
    for text in context.graph.constraints:
        places[text].append("constraints")
    for task in context.tasks:
        places[task.goal].append(task.id)
    for text, where in places.items():
        methods = dictated(text)
        if methods:
            told = ", ".join(f"{what} ({_quote(words)!r})" for what, words in methods)
            more = f", as in {count(len(where) - 1, 'more place')}" if len(where) > 1 else ""
            yield Problem(
                WARNING,
                where[0],
                f"{_quote(text)!r} dictates {told}{more}: an agent given the method cannot use its own knowledge, and "
                "fails confidently when the method does not fit",
                "say what must be achieved and how success is seen; leave the method to the agent",
            )


def _quote(text: str) -> str:
    return truncate(one_line(text), QUOTED)
