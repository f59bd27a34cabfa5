"""What Plinth is made of on AWS, and on the laptop."""

import os

# jsii warns at every start about a Node.js that it still runs on; the value is the version to be silent about.
os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"
