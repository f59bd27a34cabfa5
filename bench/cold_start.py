"""What a cold start costs: CPU and memory of each function up to its first answer, from the built layers.

As in Lambda, with the laptop's Python: no site-packages, the function's own layers, boto3 from the runtime. The model
of the embedding steps is loaded too; the reader's child process is not (see the `ingest` figures). The goals are for
steps without a model SDK.
"""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from bench.figures import Figure, Goal, in_turns
from bench.functions import Loaded, load, load_nothing
from bench.host import REPOSITORY
from bench.packages import forbidden, heavy
from cdk.step import Step
from cdk.steps import ALL_STEPS
from layers import build
from local.cloud.runtime import link_runtime
from plinth.chain.catalogue import Provider

_TIMES = 5
_LOCAL: Provider = "sagemaker"
_CPU_GOAL_MS = 350
_PEAK_GOAL_MIB = 60
_LAYERS = REPOSITORY / "build" / "layers" / "local"


def measure(*, large: bool) -> list[Figure]:
    """Return one figure per function, and one for CallModel with a model of each other provider."""
    del large
    if build.main(["--target", "local", "--out", str(_LAYERS)]):
        raise RuntimeError("the layers can't be built: see above")
    with tempfile.TemporaryDirectory() as place:
        runtime = Path(place) / "runtime"
        link_runtime(runtime)
        figures = [_measured(step, _LOCAL, runtime) for step in ALL_STEPS]
        (calling,) = (step for step in ALL_STEPS if step.name == "CallModel")
        others = [provider for provider in get_args(Provider) if provider != _LOCAL]
        return [*figures, *(_measured(calling, provider, runtime) for provider in others)]


def _measured(step: Step, provider: Provider, runtime: Path) -> Figure:
    layers = [_LAYERS / layer for layer in step.layers]
    folders = [*(layer / "python" for layer in layers), runtime]
    loads: list[Loaded] = []
    subject = _kept(loads, lambda: load(step, folders, provider=provider, opt=layers))
    samples, reference = in_turns(subject, _kept([], load_nothing), times=_TIMES)
    peak_mib = round(statistics.median(each.peak_mib for each in loads), 1)
    return Figure(
        name=step.name if provider == _LOCAL else f"{step.name} ({provider})",
        unit="CPU ms",
        samples=samples,
        reference="the same Python with nothing to load",
        reference_samples=reference,
        details={
            "peak_mib": peak_mib,
            "heavy": " ".join(heavy(loads[-1])) or "-",
            "forbidden": "; ".join(forbidden(step, loads[-1], provider=provider)) or "-",
        },
        goals=()
        if provider == "anthropic"
        else (
            Goal(what="CPU ms", value=statistics.median(samples), limit=_CPU_GOAL_MS),
            Goal(what="peak MiB", value=peak_mib, limit=_PEAK_GOAL_MIB),
        ),
    )


def _kept(loads: list[Loaded], start: Callable[[], Loaded]) -> Callable[[], float]:
    def sample() -> float:
        loads.append(start())
        return loads[-1].cpu_ms

    return sample
