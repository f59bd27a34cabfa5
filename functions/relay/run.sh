#!/bin/sh
# The Lambda Web Adapter starts this instead of a handler and forwards each request to PORT.
PYTHONPATH="${PYTHONPATH:+$PYTHONPATH:}/opt/python:$LAMBDA_RUNTIME_DIR" exec python3 -m uvicorn handler:app \
  --host 127.0.0.1 --port "${PORT:-8080}" --no-access-log --timeout-graceful-shutdown 1
