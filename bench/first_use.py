"""What a Lambda function loads before its first answer: run as a program of its own in a bare interpreter.

Arguments: folders for sys.path, modules to import, services to build (each joined by the path separator), and the
model provider. Prints one line: CPU milliseconds since the process began, peak resident MiB, and the names of all
loaded packages. It imports nothing before it has measured, because whatever it imported would be measured too.
"""

import sys
import time
from importlib import import_module
from os import pathsep


def build(names: list[str], provider: str) -> None:
    """Make each service as its first use would, without a call that leaves the process."""
    services = import_module("plinth.wiring").Services()
    for name in names:
        if name != "language_model":
            service = getattr(services, name)
            if name == "embedder":
                service.embed(["The first question loads the model."])
        elif provider == "anthropic":
            import_module("boto3").client("secretsmanager")
            import_module("plinth.adapters.anthropic_model").AnthropicModel(api_key="none")
        else:
            services.language_model(provider)


def main() -> None:
    """Load, measure, print."""
    folders, modules, names = ([part for part in text.split(pathsep) if part] for text in sys.argv[1:4])
    sys.path[:0] = folders
    for module in modules:
        import_module(module)
    if names:
        build(names, sys.argv[4])
    cpu_ms = time.process_time() * 1000
    with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib would be measured
        peak_kib = next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    sys.stdout.write(f"{cpu_ms:.3f} {peak_kib / 1024:.1f} {' '.join(loaded)}\n")


if __name__ == "__main__":
    main()
