"""Fills Celery's queue from standard input, one JSON list of arguments a line, up to an empty line."""

import json
import sys

from bench.sending.celery_tasks import app, send

if __name__ == "__main__":
    with app.connection_for_write() as connection:
        for line in iter(sys.stdin.readline, "\n"):
            send.apply_async(json.loads(line), connection=connection)
