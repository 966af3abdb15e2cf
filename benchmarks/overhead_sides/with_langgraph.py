"""LangGraph with its SQLite checkpointer: one node run an item (Send), a reducer that adds up, a node that integrates.

python with_langgraph.py FILE async|sync|exit
"""

import asyncio
import operator
import sys
import uuid
from pathlib import Path
from typing import Annotated, TypedDict, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Durability, Send

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.overhead_sides.timing import WARM, Run, overhead_of
from benchmarks.sides import answering


class Size(TypedDict):
    """What the graph is given."""

    agents: int
    seconds: float


class State(Size):
    """What it knows."""

    worked: Annotated[int, operator.add]
    total: int


class Item(TypedDict):
    """What one agent is given."""

    number: int
    seconds: float


def fan_out(state: Size) -> list[Send]:
    """Send each item to a run of the node of its own."""
    return [Send("wait", Item(number=number, seconds=state["seconds"])) for number in range(state["agents"])]


async def wait(state: Item) -> dict[str, int]:
    """Wait, as for a model."""
    await asyncio.sleep(state["seconds"])
    return {"worked": 1}


async def integrate(state: State) -> dict[str, int]:
    """Hand on what was added up."""
    return {"total": state["worked"]}


def runner(saver: AsyncSqliteSaver, durability: Durability) -> Run:
    """Return what runs the graph, each time in a new thread.

    There is no `max_concurrency`: all nodes run at once then, and none of its writes waits for a place among them.
    """
    builder = StateGraph(State, input_schema=Size)
    builder.add_node("wait", wait, input_schema=Item)
    builder.add_node("integrate", integrate)
    builder.add_conditional_edges(START, fan_out, ["wait"])
    builder.add_edge("wait", "integrate")
    builder.add_edge("integrate", END)
    graph = builder.compile(checkpointer=saver)

    async def run(agents: int, seconds: float) -> int:
        thread = RunnableConfig(configurable={"thread_id": uuid.uuid4().hex})
        given = Size(agents=agents, seconds=seconds)
        return (await graph.ainvoke(given, thread, durability=durability))["total"]

    return run


async def main(file: str, durability: Durability) -> None:
    """Be a side, on one connection that is kept."""
    async with AsyncSqliteSaver.from_conn_string(file) as saver:
        await answering(overhead_of(runner(saver, durability)), WARM)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], cast("Durability", sys.argv[2])))
