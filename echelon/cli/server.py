"""`echelon up` and `echelon down`: a local Prefect server that is kept running, with its user interface."""

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.options import AsJson
from echelon.cli.views.output import err, out, print_json
from echelon.engine.server.kept import DEFAULT_PORT, KeptServer, LocalServer
from echelon.engine.server.secret import CLIENT_VARIABLE, secret_file
from echelon.engine.server.settings import configured_server
from echelon.engine.server.trust import is_trusted


def up(
    *,
    port: Annotated[
        int, Parameter(validator=Number(gte=1, lte=65535), help="Port wished for; any free one when it is taken.")
    ] = DEFAULT_PORT,
    host: Annotated[
        list[str] | None,
        Parameter(
            help="Another name that it goes by, behind a proxy or a tunnel; it listens on loopback all the same."
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Keep a local Prefect server running, with scheduler and user interface; runs use it from now on."""
    home = read_settings().home
    chosen = configured_server(trusted=is_trusted(home, Path()))
    if chosen is not None:
        err().print(f"runs will not use this server: {chosen.origin} names {chosen.url}; remove it to use this one")
    local = LocalServer(home)
    server, fresh = local.up(port, host or ())
    if server.port != port:
        err().print(f"it is at port {server.port}: {f'{port} is taken' if fresh else 'it runs already'}")
    secret = secret_file(local.folder)
    if as_json:
        print_json(_document(server) | {"already": not fresh, "secret": str(secret)})
        return 0
    console = out()
    console.print(f"{'started' if fresh else 'runs already'}: {server.ui_url}  (process {server.pid})")
    console.print(f"its page asks for a password, which is the text in {secret}")
    console.print("runs of Echelon know it; for other clients of Prefect:")
    console.print(f"  export PREFECT_API_URL={server.url}")
    console.print(f'  export {CLIENT_VARIABLE}="$(cat {shlex.quote(str(secret))})"')
    console.print("end it with: echelon down")
    return 0


def down(*, as_json: AsJson = False) -> int:
    """End the local Prefect server; what it recorded is kept."""
    server = LocalServer(read_settings().home).down()
    if as_json:
        print_json(
            (_document(server) if server else {"url": None, "pid": None, "started": None}) | {"ended": bool(server)}
        )
    else:
        out().print(f"ended: {server.ui_url}" if server else "no server was running")
    return 0


def _document(server: KeptServer) -> dict[str, object]:
    return {"url": server.url, "pid": server.pid, "started": server.started, "ui": server.ui_url}
