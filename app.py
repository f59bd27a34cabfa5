"""Which environment: `-c env=NAME` (local if none is named), with the same app for the laptop and for AWS."""

import sys

from cdk.assembly import assemble, plinth_app
from cdk.environments import UnknownEnvironmentError

try:
    app = assemble(plinth_app())
except UnknownEnvironmentError as error:
    sys.exit(f"plinth: {error}")
app.synth()
