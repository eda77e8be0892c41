"""A moto server that ends with the program that started it, and whose Glue checks versions as the service does.

Prints the address it listens on and ends when its standard input is closed, which a parent's death does too.
moto 5.2.5 applies an UpdateTable whatever VersionId it carries; Glue applies it only to that version and answers
ConcurrentModificationException otherwise, as Iceberg's catalogs rely on and others observed with the AWS CLI:
https://github.com/apache/iceberg/pull/4166, https://github.com/floci-io/floci/issues/1183
Its S3 looks at the condition of a PutObject and then writes, with room for another thread in between; S3 does both at once.
With an address as argument, moto interprets state machines that the access key `interpreter` makes and starts: their Task states
call functions there, by Lambda's API. Those of other callers are only kept, as by default.
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



def interpret(functions, address):
    import boto3
    from botocore.config import Config
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import (
        resource_eval_s3 as reader,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval import (
        resource_eval_s3 as writer,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.result_writer_decl import (
        ResultWriter,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import (
        lambda_eval_utils as tasks,
    )
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends
    from moto.stepfunctions.responses import StepFunctionResponse

    def client_for(region, service, state_credentials=None):
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=functions if service == "lambda" else address,
            aws_access_key_id="interpreter",
            aws_secret_access_key="interpreter",
            config=Config(
                parameter_validation=False, retries={"total_max_attempts": 1}, read_timeout=900
            ),
        )

    for module in (reader, writer, tasks):
        module.boto_client_for = client_for

    def write_results(self, env):
        # moto 5.2.5 looks for the paths in the results; Step Functions does so in the input of the state.
        env.stack.append(env.states.get_input())
        self.parargs.eval(env=env)
        parameters = env.stack.pop()
        env.stack.pop()
        env.stack.append(parameters)
        self.resource_eval.eval_resource(env=env)

    ResultWriter._eval_body = write_results
    backend_of_others = StepFunctionResponse.stepfunction_backend

    def backend_of(self):
        if "Credential=interpreter/" not in self.headers.get("Authorization", ""):
            return backend_of_others.fget(self)
        return stepfunctions_parser_backends[self.current_account][self.region]

    StepFunctionResponse.stepfunction_backend = property(backend_of)


server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
if len(sys.argv) > 1:
    interpret(sys.argv[1], f"http://{host}:{port}")
print(f"http://{host}:{port}", flush=True)
sys.stdin.buffer.read()
