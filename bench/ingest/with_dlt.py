"""The peer dlt: its rest_api source, merged by primary key into PostgreSQL. Runs in ``.venv-bench`` and imports nothing of the hub.

Prints ``{"rows", "seconds", "cpu"}`` as JSON. The time is that of ``pipeline.run`` alone: extract, normalise, load.
"""

from __future__ import annotations

import json
import os
import sys
import time

import dlt
from dlt.destinations import postgres
from dlt.sources.rest_api import rest_api_source


def source(origin: str, pages: int, size: int) -> dlt.sources.DltSource:
    """The orders, with dlt's own paginator for pages whose successor stands in the answer."""
    paginator = {"type": "cursor", "cursor_path": "next", "cursor_param": "page"}
    resource = {
        "name": "orders",
        "primary_key": "tid",
        "write_disposition": "merge",
        "endpoint": {
            "path": "orders",
            "params": {"page": 1, "pages": pages, "size": size},
            "data_selector": "orders",
            "paginator": paginator,
        },
    }
    return rest_api_source({"client": {"base_url": origin + "/"}, "resources": [resource]})


def main(origin: str, dsn: str, dataset: str, pages: str, size: str, home: str) -> None:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    pipeline = dlt.pipeline(dataset, destination=postgres(dsn), dataset_name=dataset, pipelines_dir=home)
    began, busy = time.perf_counter(), time.process_time()
    pipeline.run(source(origin, int(pages), int(size)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    with pipeline.sql_client() as client:
        rows = client.execute_sql("SELECT count(*) FROM orders")[0][0]
    sys.stdout.write(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main(*sys.argv[1:])
