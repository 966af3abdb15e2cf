"""Which lint rules are looked for, and how bad each is: two tables, nothing else."""

from contracts.modules import Severity

#: Rules looked for, whatever the audited project has configured. Complexity and size are not among them: they are
#: measured in every module, and would count twice.
SELECT = "E9,F,B,S,PLE,ASYNC,BLE001,PLR0913,PLW0603,RUF006,RUF012"

#: Rules that say more about taste than about risk: asserts, subprocess without a shell, imports of risky modules.
IGNORE = "S101,S311,S404,S603,S607,B008,B010,B009,F403,F405"

#: Prefix of a rule → severity; the longest prefix that fits counts.
_SEVERITIES: dict[str, Severity] = {
    "": Severity.LOW,
    "E9": Severity.HIGH,
    "F": Severity.LOW,
    "F5": Severity.HIGH,  # format strings that fail when run
    "F6": Severity.HIGH,  # comparisons and asserts that cannot mean what they say
    "F7": Severity.HIGH,  # statements out of place
    "F811": Severity.MEDIUM,  # redefined
    "F821": Severity.HIGH,  # name that does not exist
    "F822": Severity.MEDIUM,
    "F823": Severity.HIGH,
    "PLE": Severity.HIGH,
    "B": Severity.LOW,
    "B006": Severity.MEDIUM,  # mutable default
    "B012": Severity.HIGH,  # return in finally swallows exceptions
    "B015": Severity.MEDIUM,
    "B018": Severity.MEDIUM,
    "B023": Severity.HIGH,  # closure over a loop variable
    "B025": Severity.HIGH,  # duplicate except
    "ASYNC": Severity.MEDIUM,
    "ASYNC21": Severity.HIGH,  # blocking call stops every other coroutine
    "ASYNC22": Severity.HIGH,
    "ASYNC25": Severity.HIGH,
    "RUF006": Severity.HIGH,  # task that may be garbage-collected while it runs
    "RUF012": Severity.LOW,
    "BLE001": Severity.LOW,
    "S": Severity.LOW,
    "S102": Severity.CRITICAL,  # exec
    "S104": Severity.MEDIUM,  # binds to all interfaces
    "S105": Severity.MEDIUM,  # passwords, often mere names
    "S106": Severity.MEDIUM,
    "S107": Severity.MEDIUM,
    "S110": Severity.MEDIUM,  # error swallowed
    "S112": Severity.MEDIUM,
    "S202": Severity.HIGH,  # unpacks an archive anywhere
    "S30": Severity.HIGH,  # pickle, marshal, weak hashes and ciphers, mktemp
    "S301": Severity.HIGH,
    "S307": Severity.CRITICAL,  # eval
    "S310": Severity.MEDIUM,  # URL of any scheme
    "S324": Severity.MEDIUM,  # weak hash
    "S5": Severity.HIGH,  # certificates not checked, weak keys
    "S506": Severity.CRITICAL,  # yaml.load runs code
    "S602": Severity.CRITICAL,  # shell=True
    "S604": Severity.HIGH,
    "S605": Severity.CRITICAL,  # os.system
    "S608": Severity.HIGH,  # SQL from strings
    "S609": Severity.HIGH,
    "S611": Severity.HIGH,
    "S612": Severity.CRITICAL,  # logging.config.listen runs code
    "S701": Severity.HIGH,  # templates without escaping
    "S702": Severity.HIGH,
}

#: Rule → (how sure the tool can be, how bad it is if true); rules that somebody must hear about (O1).
CONCERNING: dict[str, tuple[float, float]] = {
    "S105": (0.5, 0.9),
    "S106": (0.5, 0.9),
    "S107": (0.5, 0.9),
    "S102": (0.9, 0.9),
    "S307": (0.9, 0.9),
    "S506": (0.9, 0.9),
    "S602": (0.9, 0.9),
    "S605": (0.9, 0.9),
    "S612": (0.9, 0.9),
    "S608": (0.5, 0.9),
    "S301": (0.5, 0.8),
    "S501": (0.8, 0.8),
    "S202": (0.5, 0.7),
}

#: The order in which findings are told.
WORST_FIRST = tuple(reversed(Severity))

#: How much one finding weighs in the risk.
WEIGHTS: dict[Severity, float] = {
    Severity.LOW: 0.05,
    Severity.MEDIUM: 0.3,
    Severity.HIGH: 1.0,
    Severity.CRITICAL: 2.5,
}


def severity_of(rule: str) -> Severity:
    """Return how bad breaking a rule is."""
    return next(_SEVERITIES[rule[:length]] for length in range(len(rule), -1, -1) if rule[:length] in _SEVERITIES)
