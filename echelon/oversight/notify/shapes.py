"""One message in the shapes that receivers understand: text, our JSON, Slack, GitHub. Pure.

What agents wrote must not do anything at the receiver: no mention of a channel, no link, no markup. In Slack it stands
in elements that are shown as they are; in GitHub between fences that are longer than any in it; in plain text a mark of
no width parts what would be a mention.
"""

import re
from collections.abc import Callable, Mapping

from echelon.model.adapter import JsonObject
from echelon.model.markdown import fenced
from echelon.model.oversight.channel import Shape
from echelon.model.phrasing import truncate
from echelon.oversight.notify.message import NoticePart, PersonMessage

#: What Slack takes at most: characters of a heading, characters of one element as far as they are shown, and blocks.
SLACK_HEADING, SLACK_TEXT, SLACK_BLOCKS = 150, 2_900, 50
#: What GitHub takes at most, in characters, with room for what is added.
GITHUB_BODY = 60_000

LEFT_OUT = "the rest is left out"

_MENTION = re.compile(r"(?<=[@<])(?=[\w!@#/])")
_NO_WIDTH = "\u200b"


def as_text(message: PersonMessage) -> str:
    """Return a message as lines of text."""
    lines = [message.title, f"run {message.run_id}"]
    for part in message.parts:
        typed = (line for one in part.commands for line in (f"{one.label}:", f"  {one.line}"))
        lines += ["", f"{part.title}:", *(f"  {line}" for line in (*part.lines, *part.block.splitlines(), *typed))]
    if message.address:
        lines += ["", f"or in Prefect: {message.address}"]
    return "\n".join(lines) + "\n"


def as_json(message: PersonMessage) -> JsonObject:
    """Return a message as a document for programs, with all of it as text beside."""
    return {**message.model_dump(mode="json"), "text": as_text(message)}


def as_slack(message: PersonMessage) -> JsonObject:
    """Return a message as an incoming webhook of Slack takes it: nothing in it is read as markup."""
    title = {"type": "plain_text", "text": truncate(message.title, SLACK_HEADING), "emoji": False}
    parts = [_slack_block(_slack_part(part)) for part in message.parts]
    end: list[JsonObject] = []
    if message.address:
        end = [_slack_block([_slack_line({"type": "link", "url": message.address, "text": "answer in Prefect"})])]
    room = SLACK_BLOCKS - 3 - len(end)
    if len(parts) > room:
        end = [_slack_block([_slack_line(_slack_text(LEFT_OUT))]), *end]
    run = _slack_block([_slack_line(_slack_text(f"run {message.run_id}"))])
    return {
        "text": _escaped(truncate(defused(message.title), SLACK_TEXT)),
        "blocks": [{"type": "header", "text": title}, run, *parts[:room], *end],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def as_github(message: PersonMessage) -> JsonObject:
    """Return a message as a comment of GitHub: what agents wrote stands between fences, where nothing is markup."""
    link = f"[Answer in Prefect]({message.address})\n\n" if message.address else ""
    end = f"{link}<!-- echelon {message.key} -->\n"
    body = f"{fenced(message.title)}\n\nRun `{message.run_id}`\n\n"
    for part in message.parts:
        typed = (line for one in part.commands for line in (f"# {one.label}", one.line))
        told = fenced("\n".join((*part.lines, *part.block.splitlines(), *typed)))
        told = f"**{part.title}**\n\n{told}\n\n"
        if len(body) + len(told) + len(end) > GITHUB_BODY:
            body += f"({LEFT_OUT})\n\n"
            break
        body += told
    return {"body": body + end}


#: Shape → who makes it.
SHAPES: Mapping[Shape, Callable[[PersonMessage], JsonObject]] = {
    "json": as_json,
    "slack": as_slack,
    "github": as_github,
}


def defused(text: str) -> str:
    """Return text in which nothing is a mention, for receivers of which it is not known what they read into it."""
    return _MENTION.sub(_NO_WIDTH, text)


def _slack_part(part: NoticePart) -> list[JsonObject]:
    said = [_slack_line({**_slack_text(f"{part.title}\n"), "style": {"bold": True}})]
    if part.lines:
        said.append(_slack_line(_slack_text(truncate("\n".join(part.lines), SLACK_TEXT))))
    if part.block:
        said.append(_slack_code(part.block))
    return [*said, *(_slack_code(f"{one.label}:\n{one.line}") for one in part.commands)]


def _slack_block(elements: list[JsonObject]) -> JsonObject:
    return {"type": "rich_text", "elements": elements}


def _slack_line(element: JsonObject) -> JsonObject:
    return {"type": "rich_text_section", "elements": [element]}


def _slack_code(text: str) -> JsonObject:
    return {"type": "rich_text_preformatted", "elements": [_slack_text(truncate(text, SLACK_TEXT))]}


def _slack_text(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
