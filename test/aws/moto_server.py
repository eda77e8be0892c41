"""A moto server that ends with the program that started it, and whose Glue checks versions as the service does.

Prints the address it listens on and ends when its standard input is closed, which a parent's death does too.
moto 5.2.5 applies an UpdateTable whatever VersionId it carries; Glue applies it only to that version and answers
ConcurrentModificationException otherwise, as Iceberg's catalogs rely on and others observed with the AWS CLI:
https://github.com/apache/iceberg/pull/4166, https://github.com/floci-io/floci/issues/1183
Its S3 looks at the condition of a PutObject and then writes, with room for another thread in between; S3 does both at once.
"""

import sys
import threading

from moto.core.exceptions import JsonRESTError
from moto.glue.responses import GlueResponse
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer

one_change_at_a_time = threading.Lock()
one_put_at_a_time = threading.Lock()
put_object = S3Response.put_object
create_table = GlueResponse.create_table
update_table = GlueResponse.update_table


def create_table_once(self):
    with one_change_at_a_time:
        return create_table(self)


def update_table_of_version(self):
    wanted = self.parameters.get("VersionId")
    with one_change_at_a_time:
        name = self.parameters["TableInput"]["Name"]
        table = self.glue_backend.get_table(self.parameters["DatabaseName"], name)
        if wanted is not None and wanted != table.as_dict()["VersionId"]:
            raise JsonRESTError(
                "ConcurrentModificationException",
                "Update table failed due to concurrent modifications.",
            )
        return update_table(self)


def put_object_at_once(self):
    with one_put_at_a_time:
        return put_object(self)


S3Response.put_object = put_object_at_once
GlueResponse.create_table = create_table_once
GlueResponse.update_table = update_table_of_version

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(f"http://{host}:{port}", flush=True)
sys.stdin.buffer.read()
