"""O8: a gate of a job inside a served one suspends the flow run around it, and stays through restarts of everything."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from echelon.engine.server.kept import LocalServer
from tests.integration.conftest import Place
from tests.integration.oversight.asking import begun, engines, reached, send_form
from tests.integration.oversight.test_runs_inside import JOB
from tests.integration.served.process import ServeProcess
from tests.integration.test_deployments import WITHIN_SECONDS, watched

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300), pytest.mark.skipif(os.name == "nt", reason="sends signals")]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A project with a server of its own, which may be restarted."""
    made = Place(home=tmp_path / "home", project=tmp_path / "project")
    made.home.mkdir()
    (made.project / "world").mkdir(parents=True)
    (made.project / "printing.py").write_text(JOB)
    server = LocalServer(made.home)
    made.url = server.up(port=0)[0].url
    try:
        yield made
    finally:
        for left in made.processes():
            if "serve" in left.cmdline() or "prefect.engine" in left.cmdline():
                left.kill()
        server.down()


def serving(place: Place, serve: ServeProcess, times: int) -> "subprocess.Popen[bytes]":
    """Serve the job, and wait until that was said so many times."""
    options = (f"--param=folder={place.project / 'world'}", "--interval", "36000", "--name", "inside")
    process = serve.begin("printing.py:house", *options)
    serve.wait_for(lambda: serve.said.count("serving house/inside") == times)
    return process


def stop(process: "subprocess.Popen[bytes]", serve: ServeProcess) -> None:
    process.send_signal(signal.SIGINT)
    assert process.wait(WITHIN_SECONDS) == 0, serve.said


def test_a_pause_inside_survives_a_restart_of_who_serves_it_and_of_the_server(place: Place) -> None:
    serve, server = ServeProcess(place, place.project), LocalServer(place.home)
    process = serving(place, serve, 1)
    with watched(place, "house/inside") as deployment:
        flow_run = begun(deployment, {"folder": str(place.project / "world")})
        reached(deployment, flow_run, "PAUSED", serve.log)
    serve.wait_for(lambda: not engines(place))
    stop(process, serve)
    server.down()

    assert server.up(port=urlsplit(place.url).port or 0)[0].url == place.url
    process = serving(place, serve, 2)
    with watched(place, "house/inside") as deployment:
        outer = next(run for run in place.json("echelon", "runs")["runs"] if run["flow_run_id"] == flow_run)
        (gate,) = place.json("echelon", "gates", "--run", outer["run_id"])["gates"]
        send_form(deployment, flow_run, verdict="approve", author="ada", reason="read").raise_for_status()
        reached(deployment, flow_run, "COMPLETED", serve.log)
    stop(process, serve)

    assert gate["run_id"] != outer["run_id"]
    (answered,) = place.json("echelon", "gates", "--run", outer["run_id"], "--all")["gates"]
    assert [(one["channel"], one["author"]) for one in answered["answers"]] == [("prefect", "ada")]
    shown = place.json("echelon", "show", outer["run_id"])
    assert (shown["status"], shown["output"]) == ("completed", "told of printed: the text")
    done = (place.project / "world" / "done").read_text().split()
    assert done == ["draft", "publish", "tell"], "nothing is done again"
    assert "Traceback" not in serve.said
