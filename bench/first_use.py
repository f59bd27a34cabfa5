"""What a Lambda function loads before its first answer: run as a program of its own in a bare interpreter.

Arguments: folders for sys.path, modules to import, services to build (each joined by the path separator), and the
model provider. Prints one line: CPU milliseconds since the process began, peak resident MiB, and every loaded package
as `package<module that imported it`. It imports nothing before it has measured, because whatever it
imported would be measured too.
"""

import sys
import time
from importlib import import_module
from os import pathsep


class Importers:
    """Stands first among the finders, finds nothing, and notes who looked for a package last: that one got it."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Note the module whose code is running, below the import system's own frames."""
        del path, target
        if "." in name:
            return
        frame_above, depth = vars(sys)["_getframe"], 1
        while (importer := frame_above(depth).f_globals["__name__"]).partition(".")[0] == "importlib":
            depth += 1
        self.names[name] = importer


def build(names: list[str], provider: str) -> None:
    """Make each service as its first use would; models and the embedder are used once, at addresses that refuse."""
    services = import_module("plinth.wiring").Services()
    for name in names:
        if name == "language_model":
            vars(import_module("plinth.adapters.provider_tokens"))["key_from_secret"] = _key
            model, unreachable = services.language_model(provider), import_module("plinth.errors").ModelUnavailableError
            try:
                list(model.stream(_request()))
            except unreachable:
                continue
            raise RuntimeError("a model that can't be reached has answered")
        service = getattr(services, name)
        if name == "embedder":
            service.embed(["The first question loads the model."])


def _request() -> object:
    contracts = import_module("plinth.contracts.models")
    message = contracts.Message(role=contracts.Role.USER, text="Is it?")
    return contracts.ModelRequest(
        model="any",
        prompt=contracts.Prompt(version="1", system="", messages=(message,)),
        max_output_tokens=16,
        limits=contracts.TimeLimits(total_seconds=5.0, first_seconds=5.0, stall_seconds=5.0),
    )


def _key(_secret_arn: str) -> str:
    import_module("boto3").client("secretsmanager", config=import_module("plinth.adapters.aws_calls").CALLS)
    return "none"


def main() -> None:
    """Load, measure, print."""
    folders, modules, names = ([part for part in text.split(pathsep) if part] for text in sys.argv[1:4])
    sys.path[:0] = folders
    importers = Importers()
    sys.meta_path.insert(0, importers)
    for module in modules:
        import_module(module)
    if names:
        build(names, sys.argv[4])
    cpu_ms = time.process_time() * 1000
    with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib would be measured
        peak_kib = next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    packages = " ".join(f"{name}<{importers.names.get(name, '')}" for name in loaded)
    sys.stdout.write(f"{cpu_ms:.3f} {peak_kib / 1024:.1f} {packages}\n")


if __name__ == "__main__":
    main()
